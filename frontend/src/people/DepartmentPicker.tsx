/** Choosing a department by a part of its name or code. */
import { useQuery } from "@tanstack/react-query";
import { Search, X } from "lucide-react";
import { useDeferredValue, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";

export type DepartmentRow = { code: string; title: string; parent: string | null; below: number; people: number };
export type DepartmentPage = { departments: DepartmentRow[]; after: string | null };
type Chosen = { code: string; title: string };

export function DepartmentPicker({ label, none, value, pick }: {
  label: string;
  /** What no choice means. */
  none: string;
  value: Chosen | null;
  pick: (chosen: Chosen | null) => void;
}) {
  const { t } = useTranslation();
  const id = useId();
  const [typed, setTyped] = useState("");
  const [active, setActive] = useState(0);
  const asked = useDeferredValue(typed.trim());
  const answer = useQuery({
    queryKey: ["departments", "find", asked],
    queryFn: ({ signal }) => askJson<DepartmentPage>("/api/departments", { query: { search: asked, limit: 12 }, signal }),
    enabled: asked !== "",
  });
  const found = typed.trim() ? (answer.data?.departments ?? []) : [];
  const take = (one: DepartmentRow | undefined) => {
    if (!one) return;
    pick({ code: one.code, title: one.title });
    setTyped("");
  };
  const onKey = (event: React.KeyboardEvent) => {
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
      <label htmlFor={id}>{label}</label>
      {value ? (
        <div className="field">
          <input id={id} value={value.title} readOnly />
          <button type="button" className="icon-button" aria-label={t("people.clearDepartment")} onClick={() => pick(null)}>
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
              placeholder={t("people.departmentHint", { none })}
              value={typed}
              maxLength={80}
              autoComplete="off"
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
                  key={one.code}
                  id={`${id}-${number}`}
                  role="option"
                  aria-selected={number === active}
                  onPointerDown={(event) => {
                    event.preventDefault();
                    take(one);
                  }}
                  onPointerEnter={() => setActive(number)}
                >
                  <span>{one.title}</span>
                  <code className="small quiet">{one.code}</code>
                </li>
              ))}
              {answer.isSuccess && found.length === 0 && <li className="small quiet">{t("departments.noneFound")}</li>}
            </ul>
          )}
        </div>
      )}
    </div>
  );
}
