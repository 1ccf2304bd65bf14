/** Photographs from the camera, taken for one purpose and shown at once. */
import { Camera, X } from "lucide-react";
import { useEffect, useId, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { PhotoField, Shot } from "./store";

const MOST = 10;
const TAKEN = ["image/jpeg", "image/png", "image/webp"];
/** Bytes and pixels beyond which a picture is made smaller before it goes over the network. */
const LARGE = 2_000_000;
const LONGEST = 2560;

/** A picture as it is to be sent: no larger than is kept, and in a form that the server reads. */
async function prepared(file: File): Promise<Blob> {
  if (file.size <= LARGE && TAKEN.includes(file.type)) return file;
  try {
    const image = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, LONGEST / Math.max(image.width, image.height));
    const canvas = new OffscreenCanvas(Math.round(image.width * scale), Math.round(image.height * scale));
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    image.close();
    return await canvas.convertToBlob({ type: "image/jpeg", quality: 0.88 });
  } catch {
    return file; // the server says what is wrong with it
  }
}

export function Shots({ field, label, hint, shots, set }: {
  field: PhotoField;
  label: string;
  hint?: string;
  shots: Shot[];
  set: (change: (now: Shot[]) => Shot[]) => void;
}) {
  const { t } = useTranslation();
  const id = useId();
  const [busy, setBusy] = useState(false);
  const mine = shots.filter((one) => one.field === field);
  const add = async (files: FileList | null) => {
    setBusy(true);
    const more = await Promise.all([...(files ?? [])].map(async (file) => ({ field, picture: await prepared(file) })));
    set((now) => [...now, ...more.slice(0, MOST - mine.length)]);
    setBusy(false);
  };
  return (
    <div className="shots">
      <span className="shots-label" id={`${id}-label`}>
        {label}
        {hint && <span className="small quiet">{hint}</span>}
      </span>
      <ul aria-labelledby={`${id}-label`}>
        {mine.map((shot, n) => (
          <li key={n}>
            <Picture shot={shot} alt={`${label} ${n + 1}`} />
            <button
              type="button"
              className="icon-button"
              aria-label={t("field.removePhoto", { label, n: n + 1 })}
              onClick={() => set((now) => now.filter((one) => one !== shot))}
            >
              <X aria-hidden />
            </button>
          </li>
        ))}
        {mine.length < MOST && (
          <li>
            <label className="shots-add" data-busy={busy}>
              <Camera aria-hidden />
              <span id={`${id}-take`}>{t("field.takePhoto")}</span>
              <input
                className="hidden-visually"
                type="file"
                accept="image/*"
                capture="environment"
                aria-labelledby={`${id}-label ${id}-take`}
                disabled={busy}
                onChange={(event) => {
                  void add(event.target.files);
                  event.target.value = "";
                }}
              />
            </label>
          </li>
        )}
      </ul>
    </div>
  );
}

function Picture({ shot, alt }: { shot: Shot; alt: string }) {
  const address = useMemo(() => URL.createObjectURL(shot.picture), [shot.picture]);
  useEffect(() => () => URL.revokeObjectURL(address), [address]);
  return <img src={address} alt={alt} />;
}
