/** Photographs from the camera, taken for one purpose and shown at once. */
import { Camera, X } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Picture, prepared } from "../design/photographs";
import type { PhotoField, Shot } from "./store";

const MOST = 10;
/** Bytes beyond which a picture is made smaller before it goes over the network. */
const LARGE = 2_000_000;

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
    const more = await Promise.all([...(files ?? [])].map(async (file) => ({ field, picture: await prepared(file, LARGE) })));
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
            <Picture blob={shot.picture} alt={`${label} ${n + 1}`} />
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
