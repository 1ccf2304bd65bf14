/** A field in which one writes what is looked for. */
import { Search } from "lucide-react";
import type { Ref } from "react";

export function SearchField({ label, value, set, most, ref }: {
  label: string;
  value: string;
  set: (text: string) => void;
  most: number;
  ref?: Ref<HTMLInputElement>;
}) {
  return (
    <div className="field">
      <Search aria-hidden />
      <input ref={ref} type="search" aria-label={label} placeholder={label} value={value} maxLength={most} onChange={(event) => set(event.target.value)} />
    </div>
  );
}
