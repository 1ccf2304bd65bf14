/** The terms of one field of a contract: a row of the table, and below it what is asked for less often. */
import { ChevronDown, ChevronRight } from "lucide-react";
import { type ReactNode, useEffect, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { FaultBelow, Input } from "../design/Form";
import type { Terms } from "./contract";

const TYPES = ["text", "integer", "number", "date", "time", "boolean", "geometry"];
const FORMATS = ["credit_code", "identity_number", "mobile", "division_code"];
const LEVELS = [1, 2, 3, 4];
export const TERMS = ["field", "type", "required", "unique", "level", "format", "codes", "placeholders", "least", "most"];
/** Terms of the row that opens below. */
const FURTHER = ["title", "longest", "pattern", "personal", "severity"];

export function FieldRow({ terms, set, fault }: {
  terms: Terms;
  set: (more: Partial<Terms>) => void;
  /** What is wrong with a term of this field. */
  fault: (term: string) => string | undefined;
}) {
  const { t } = useTranslation();
  const id = useId();
  const wrongBelow = FURTHER.some((term) => fault(term));
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (wrongBelow) setOpen(true);
  }, [wrongBelow]);
  const named = (what: string) => `${terms.name}: ${t(`intake.terms.${what}`)}`;
  const bound = (text: string) => (text === "" ? null : Number.isFinite(Number(text)) ? Number(text) : text);
  const wrong = (term: string) => (fault(term) ? { "aria-invalid": true as const, "aria-describedby": `${id}-${term}` } : {});
  const cell = (term: string, inside: ReactNode) => (
    <td>
      {inside}
      <FaultBelow id={`${id}-${term}`} says={fault(term)} />
    </td>
  );
  return (
    <>
      <tr>
        <th scope="row">
          <button type="button" className="more-terms" aria-expanded={open} aria-controls={`${id}-more`} onClick={() => setOpen(!open)}>
            {open ? <ChevronDown aria-hidden /> : <ChevronRight aria-hidden />}
            {terms.name}
            <span className="hidden-visually"> {t("intake.moreTerms")}</span>
          </button>
        </th>
        {cell(
          "type",
          <select className="choice" aria-label={named("type")} value={terms.type} {...wrong("type")} onChange={(e) => set({ type: e.target.value })}>
            {TYPES.map((one) => (
              <option key={one} value={one}>
                {t(`intake.types.${one}`)}
              </option>
            ))}
          </select>,
        )}
        {cell("required", <input type="checkbox" aria-label={named("required")} checked={terms.required} onChange={(e) => set({ required: e.target.checked })} />)}
        {cell("unique", <input type="checkbox" aria-label={named("unique")} checked={terms.unique} onChange={(e) => set({ unique: e.target.checked })} />)}
        {cell(
          "level",
          <select className="choice" aria-label={named("level")} value={terms.level ?? ""} {...wrong("level")} onChange={(e) => set({ level: Number(e.target.value) || null })}>
            <option value="">–</option>
            {LEVELS.map((one) => (
              <option key={one} value={one}>
                {t("intake.levelOf", { level: one })}
              </option>
            ))}
          </select>,
        )}
        {cell(
          "format",
          <select className="choice" aria-label={named("format")} value={terms.format ?? ""} {...wrong("format")} onChange={(e) => set({ format: e.target.value || null })}>
            <option value="">–</option>
            {FORMATS.map((one) => (
              <option key={one} value={one}>
                {t(`intake.formats.${one}`)}
              </option>
            ))}
          </select>,
        )}
        {cell("codes", <Words label={named("codes")} values={terms.codes} set={(codes) => set({ codes })} />)}
        {cell("placeholders", <Words label={named("placeholders")} values={terms.placeholders} set={(placeholders) => set({ placeholders })} />)}
        {cell("least", <input className="short" aria-label={named("least")} value={terms.least ?? ""} {...wrong("least")} onChange={(e) => set({ least: bound(e.target.value) })} />)}
        {cell("most", <input className="short" aria-label={named("most")} value={terms.most ?? ""} {...wrong("most")} onChange={(e) => set({ most: bound(e.target.value) })} />)}
      </tr>
      <tr id={`${id}-more`} hidden={!open}>
        <td colSpan={TERMS.length}>
          <div className="fields">
            <Input label={named("title")} value={terms.title} maxLength={200} fault={fault("title")} onChange={(e) => set({ title: e.target.value })} />
            <Input
              label={named("longest")}
              type="number"
              min={1}
              value={terms.longest ?? ""}
              fault={fault("longest")}
              onChange={(e) => set({ longest: Number(e.target.value) || null })}
            />
            <Input
              label={named("pattern")}
              value={terms.pattern ?? ""}
              maxLength={500}
              hint={t("intake.patternHint")}
              fault={fault("pattern")}
              onChange={(e) => set({ pattern: e.target.value || null })}
            />
            <label className="input">
              {named("personal")}
              <select
                className="choice"
                value={terms.personal === null ? "" : String(terms.personal)}
                onChange={(e) => set({ personal: e.target.value === "" ? null : e.target.value === "true" })}
              >
                <option value="">–</option>
                <option value="true">{t("intake.yes")}</option>
                <option value="false">{t("intake.no")}</option>
              </select>
            </label>
            <Severity label={named("severity")} value={terms.severity} set={(severity) => set({ severity })} />
          </div>
        </td>
      </tr>
    </>
  );
}

/** How much it matters that something is broken. */
export function Severity({ label, value, set }: { label: string; value: Terms["severity"]; set: (value: Terms["severity"]) => void }) {
  const { t } = useTranslation();
  return (
    <label className="input">
      {label}
      <select className="choice" value={value} onChange={(e) => set(e.target.value as Terms["severity"])}>
        <option value="error">{t("intake.error")}</option>
        <option value="warning">{t("intake.warning")}</option>
      </select>
    </label>
  );
}

const words = (text: string) =>
  text
    .split(/[、,，\n]/)
    .map((one) => one.trim())
    .filter(Boolean);

/** Several short texts in one line, parted by commas. */
export function Words({ label, values, set, fault }: { label: string; values: string[]; set: (values: string[]) => void; fault?: string }) {
  const id = useId();
  const [text, setText] = useState(values.join("、"));
  const same = JSON.stringify(words(text)) === JSON.stringify(values);
  useEffect(() => {
    if (!same) setText(values.join("、"));
    // What is typed stays as it is typed; what comes from outside is shown.
    // biome-ignore lint: only another list changes the text
  }, [JSON.stringify(values)]);
  return (
    <>
      <input
        aria-label={label}
        value={text}
        {...(fault ? { "aria-invalid": true, "aria-describedby": id } : {})}
        onChange={(e) => {
          setText(e.target.value);
          set(words(e.target.value));
        }}
      />
      <FaultBelow id={id} says={fault} />
    </>
  );
}
