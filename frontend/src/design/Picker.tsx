/** Choosing one of many by a part of its name or code: a combobox that asks as one types. */
import { useQuery } from "@tanstack/react-query";
import { Search, X } from "lucide-react";
import { type KeyboardEvent, useDeferredValue, useId, useState } from "react";
import { langOf } from "../words";

export type Choice = { code: string; title: string; note?: string };

export function Picker({ label, hint, value, pick, find, name, clear, nothing, hideLabel, required }: {
  label: string;
  /** What stands in the empty field. */
  hint: string;
  value: Choice | null;
  pick: (chosen: Choice | null) => void;
  find: (text: string, signal: AbortSignal) => Promise<Choice[]>;
  /** What is asked for, as the key of the answers. */
  name: string;
  /** What the button that takes the choice back is called. */
  clear: string;
  /** What is said when nothing was found. */
  nothing: string;
  hideLabel?: boolean;
  required?: boolean;
}) {
  const id = useId();
  const [typed, setTyped] = useState("");
  const [active, setActive] = useState(0);
  const asked = useDeferredValue(typed.trim());
  const answer = useQuery({
    queryKey: [name, "find", asked],
    queryFn: ({ signal }) => find(asked, signal),
    enabled: asked !== "",
  });
  const found = typed.trim() ? (answer.data ?? []) : [];
  const take = (one: Choice | undefined) => {
    if (!one) return;
    pick(one);
    setTyped("");
  };
  const onKey = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step && found.length) {
      event.preventDefault();
      setActive((active + step + found.length) % found.length);
    } else if (event.key === "Enter" && typed.trim()) {
      event.preventDefault();
      take(found[active]);
    } else if (event.key === "Escape" && typed) {
      event.preventDefault();
      event.stopPropagation();
      setTyped("");
    }
  };
  return (
    <div className="input">
      <label htmlFor={id} className={hideLabel ? "hidden-visually" : undefined}>
        {label}
      </label>
      {value ? (
        <div className="field">
          <input id={id} value={value.title} lang={langOf(value.title)} readOnly />
          <button type="button" className="icon-button" aria-label={clear} onClick={() => pick(null)}>
            <X aria-hidden />
          </button>
        </div>
      ) : (
        <div className="picker">
          <div className="field">
            <Search aria-hidden />
            <input
              id={id}
              role="combobox"
              aria-expanded={found.length > 0}
              aria-controls={`${id}-list`}
              aria-autocomplete="list"
              aria-activedescendant={found.length ? `${id}-${active}` : undefined}
              placeholder={hint}
              value={typed}
              maxLength={80}
              autoComplete="off"
              required={required}
              onChange={(event) => {
                setTyped(event.target.value);
                setActive(0);
              }}
              onKeyDown={onKey}
              onBlur={() => setTyped("")}
            />
          </div>
          {typed.trim() !== "" && (
            <ul id={`${id}-list`} role="listbox" aria-label={label} className="picker-list">
              {found.map((one, number) => (
                <li
                  key={`${one.note ?? ""}${one.code}`}
                  id={`${id}-${number}`}
                  role="option"
                  aria-selected={number === active}
                  onPointerDown={(event) => {
                    event.preventDefault();
                    take(one);
                  }}
                  onPointerEnter={() => setActive(number)}
                >
                  <span lang={langOf(one.title)}>{one.title}</span>
                  <code className="small quiet">{one.note ?? one.code}</code>
                </li>
              ))}
              {answer.isSuccess && found.length === 0 && <li className="small quiet">{nothing}</li>}
            </ul>
          )}
        </div>
      )}
    </div>
  );
}
