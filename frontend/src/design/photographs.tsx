/** Photographs: made no larger than is kept, and shown from memory. */
import { useEffect, useMemo } from "react";

const TAKEN = ["image/jpeg", "image/png", "image/webp"];
const LONGEST = 2560;

/** A file as it is sent. What is small goes as it is, with the place that it tells; what has more bytes than `large` is made smaller. */
export async function prepared(file: File, large: number): Promise<Blob> {
  if (file.size <= large && TAKEN.includes(file.type)) return file;
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
