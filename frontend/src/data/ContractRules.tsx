/** The rules of a contract on rows and on the whole: one card each, and a list to add from. */
import { Plus } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { useDatasets } from "../api/questions";
import { FaultBelow, Input } from "../design/Form";
import { say } from "../words";
import { Severity, Words } from "./ContractField";
import type { Rule } from "./contract";

type Part = { name: string; as: "column" | "columns" | "number" | "words" | "yes" | "tells" | "dataset"; label?: string };

/** What a person fills in for each kind of rule: columns of the dataset, numbers, or words. */
const PARTS: Record<string, Part[]> = {
  repeated: [{ name: "columns", as: "columns" }],
  alike: [
    { name: "columns", as: "columns" },
    { name: "likeness", as: "number" },
    { name: "holds", as: "yes" },
    { name: "metres", as: "number" },
    { name: "at", as: "column" },
    { name: "minutes", as: "number" },
  ],
  "in-number": [
    { name: "number", as: "column" },
    { name: "tells", as: "tells" },
    { name: "column", as: "column" },
  ],
  age: [
    { name: "age", as: "column" },
    { name: "birth", as: "column" },
    { name: "on", as: "column" },
  ],
  reference: [
    { name: "column", as: "column" },
    { name: "dataset", as: "dataset" },
    { name: "to", as: "words" },
  ],
  "in-force": [
    { name: "column", as: "column" },
    { name: "date", as: "column" },
    { name: "dataset", as: "dataset" },
    { name: "code", as: "words" },
    { name: "since", as: "words" },
    { name: "until", as: "words" },
  ],
  inside: [{ name: "dataset", as: "dataset" }],
  "one-place": [
    { name: "columns", as: "columns" },
    { name: "of", as: "column" },
    { name: "most", as: "number" },
  ],
  never: [{ name: "where", as: "words" }],
  order: [
    { name: "first", as: "column" },
    { name: "second", as: "column" },
    { name: "most_hours", as: "number" },
  ],
  stale: [
    { name: "column", as: "column" },
    { name: "days", as: "number" },
    { name: "since", as: "words", label: "notBefore" },
  ],
  fresh: [{ name: "days", as: "number" }],
  change: [{ name: "share", as: "number" }],
};
const OPTIONAL = new Set(["since", "until", "most_hours", "dataset", "days", "at", "on", "of"]);

export function RuleEdit({ rule, columns, set, fault }: {
  rule: Rule;
  columns: string[];
  set: (more: Partial<Rule>) => void;
  /** What is wrong with a part of the rule, or, without a part, with the rule. */
  fault: (part?: string) => string | undefined;
}) {
  const { t } = useTranslation();
  const id = useId();
  return (
    <div className="stack">
      <b>{t(`intake.kinds.${rule.kind}`)}</b>
      {fault() && (
        <p id={id} className="small bad-text" tabIndex={-1} aria-invalid>
          {fault()}
        </p>
      )}
      <div className="fields">
        {(PARTS[rule.kind] ?? []).map((part) => (
          <PartEdit key={part.name} part={part} rule={rule} columns={columns} set={set} fault={fault(part.name)} />
        ))}
        <Input label={t("intake.parts.says")} value={rule.says} maxLength={400} fault={fault("says")} onChange={(e) => set({ says: e.target.value })} />
        <Severity label={t("intake.parts.severity")} value={rule.severity} set={(severity) => set({ severity })} />
      </div>
    </div>
  );
}

function PartEdit({ part, rule, columns, set, fault }: {
  part: Part;
  rule: Rule;
  columns: string[];
  set: (more: Partial<Rule>) => void;
  fault?: string;
}) {
  const { t } = useTranslation();
  const id = useId();
  const { name, as } = part;
  const label = t(`intake.parts.${part.label ?? name}`);
  const value = rule[name];
  const empty = OPTIONAL.has(name) ? null : "";
  const wrong = fault ? { "aria-invalid": true as const, "aria-describedby": id } : {};
  if (as === "column" || as === "tells") {
    const options = as === "tells" ? ["birth", "sex"] : columns;
    return (
      <label className="input">
        {label}
        <select className="choice" value={String(value ?? "")} {...wrong} onChange={(e) => set({ [name]: e.target.value || empty })}>
          {OPTIONAL.has(name) && <option value="">–</option>}
          {options.map((one) => (
            <option key={one} value={one}>
              {as === "tells" ? t(`intake.tells.${one}`) : one}
            </option>
          ))}
        </select>
        <FaultBelow id={id} says={fault} />
      </label>
    );
  }
  if (as === "columns") {
    return (
      <label className="input">
        {label}
        <span className="field">
          <Words label={label} values={(value as string[] | undefined) ?? []} set={(listed) => set({ [name]: listed })} fault={fault} />
        </span>
      </label>
    );
  }
  if (as === "yes") {
    return (
      <label className="check">
        <input type="checkbox" checked={Boolean(value)} onChange={(e) => set({ [name]: e.target.checked })} /> {label}
      </label>
    );
  }
  return (
    <>
      <Input
        label={label}
        type={as === "number" ? "number" : "text"}
        step="any"
        list={as === "dataset" ? `${id}-datasets` : undefined}
        value={value === null || value === undefined ? "" : String(value)}
        fault={fault}
        onChange={(e) => set({ [name]: e.target.value === "" ? empty : as === "number" ? Number(e.target.value) : e.target.value })}
      />
      {as === "dataset" && <Datasets id={`${id}-datasets`} />}
    </>
  );
}

/** The datasets that a rule may name, offered while one types. */
function Datasets({ id }: { id: string }) {
  const datasets = useDatasets().data ?? [];
  return (
    <datalist id={id}>
      {datasets.map((one) => (
        <option key={one.id} value={one.id}>
          {say(one.title)}
        </option>
      ))}
    </datalist>
  );
}

export function AddRule({ columns, add }: { columns: string[]; add: (rule: Rule) => void }) {
  const { t } = useTranslation();
  const [kind, setKind] = useState("never");
  const first = columns[0] ?? "";
  const begun: Record<string, Record<string, unknown>> = {
    repeated: { columns: [] },
    alike: { columns: [first], metres: 200, likeness: 0.9, holds: false },
    "in-number": { number: first, tells: "birth", column: columns[1] ?? first },
    age: { age: first, birth: columns[1] ?? first, on: null },
    reference: { column: first, dataset: "", to: "" },
    "in-force": { column: first, date: first, dataset: "", code: "", since: null, until: null },
    inside: { dataset: null },
    "one-place": { columns: [], of: null, most: 20 },
    never: { where: "" },
    order: { first, second: columns[1] ?? first, most_hours: null },
    stale: { column: first, days: 365, since: null },
    fresh: { days: 40 },
    change: { share: 0.2 },
  };
  return (
    <div className="form-actions">
      <label className="add-rule">
        <span className="hidden-visually">{t("intake.addRule")}</span>
        <select className="choice" value={kind} onChange={(e) => setKind(e.target.value)}>
          {Object.keys(PARTS).map((one) => (
            <option key={one} value={one}>
              {t(`intake.kinds.${one}`)}
            </option>
          ))}
        </select>
      </label>
      <button type="button" className="button" onClick={() => add({ kind, says: "", severity: "error", ...begun[kind] } as Rule)}>
        <Plus aria-hidden /> {t("intake.addRule")}
      </button>
    </div>
  );
}
