/** Photographs: taken, made no larger than is kept, shown. */
import { useEffect, useId, useMemo } from "react";

const LARGE = 4_000_000;
const TAKEN = ["image/jpeg", "image/png", "image/webp"];
const LONGEST = 2560;

/** A file as it is sent. What is small goes as it is, with the place that it tells; what is large is made smaller. */
export async function prepared(file: File): Promise<Blob> {
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

export function Picture({ blob, alt }: { blob: Blob; alt: string }) {
  const address = useMemo(() => URL.createObjectURL(blob), [blob]);
  useEffect(() => () => URL.revokeObjectURL(address), [address]);
  return <img src={address} alt={alt} />;
}

export function Camera({ label, take }: { label: string; take: (files: File[]) => void }) {
  const id = useId();
  return (
    <div className="camera">
      <input
        id={id}
        type="file"
        accept="image/*"
        multiple
        onChange={(event) => {
          take([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
      <label htmlFor={id}>{label}</label>
    </div>
  );
}
