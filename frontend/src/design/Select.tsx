/** One of some: a list to choose from. */
import { useId } from "react";
import { langOf } from "../words";

export function Select({ label, value, options, empty, set }: {
  label: string;
  value: string;
  options: string[];
  /** What stands for "none"; without it none can be chosen, only not yet have been. */
  empty?: string;
  set: (value: string) => void;
}) {
  const id = useId();
  return (
    <div className="input">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="choice" value={value} onChange={(event) => set(event.target.value)}>
        {(empty !== undefined || value === "") && <option value="">{empty ?? "–"}</option>}
        {options.map((option) => (
          <option key={option} value={option} lang={langOf(option)}>
            {option}
          </option>
        ))}
      </select>
    </div>
  );
}
