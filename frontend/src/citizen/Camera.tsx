/** Choosing photographs. */
import { useId } from "react";
import { prepared } from "../design/photographs";

/** A photograph as citizens send it: from 4 MB on it is made smaller. */
export const sendable = (file: File) => prepared(file, 4_000_000);

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
