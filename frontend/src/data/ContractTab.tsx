/** The contract of a dataset, field by field, as a person of the trade reads and changes it. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Download, Plus, Trash2 } from "lucide-react";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { ask, askJson } from "../api/client";
import { useZone } from "../api/questions";
import type { DatasetDetail } from "../api/types";
import { Form, Input } from "../design/Form";
import { Failure, Waiting } from "../design/States";
import { Table } from "../design/Table";
import { instant } from "../words";

type Terms = {
  name: string;
  title: string;
  type: string;
  required: boolean;
  unique: boolean;
  codes: string[];
  placeholders: string[];
  least: number | string | null;
  most: number | string | null;
  longest: number | null;
  pattern: string | null;
  format: string | null;
  level: number | null;
  personal: boolean | null;
  severity: "error" | "warning";
};
type Rule = { kind: string; says: string; severity: "error" | "warning" } & Record<string, unknown>;
type Contract = {
  dataset: string;
  title: string;
  purpose: string;
  owner: string;
  status: string;
  fields: Terms[];
  rules: Rule[];
  gate: number | null;
  deadline_days: number;
  retention_days: number | null;
};
type Agreed = { contract: Contract; number: number; adopted: string | null; by: string; not_taken: string[] };

const TYPES = ["text", "integer", "number", "date", "time", "boolean", "geometry"];
const FORMATS = ["credit_code", "identity_number", "mobile", "division_code"];

export function ContractTab({ dataset }: { dataset: DatasetDetail }) {
  const answer = useQuery({
    queryKey: ["contract", dataset.id, dataset.changed],
    queryFn: ({ signal }) => askJson<Agreed>(`/api/datasets/${dataset.id}/contract`, { signal }),
    refetchOnWindowFocus: false,
  });
  if (!answer.data) return <Waiting of={answer} lines={8} />;
  return <Edit key={`${dataset.id}-${answer.data.number}`} dataset={dataset} agreed={answer.data} />;
}

function Edit({ dataset, agreed }: { dataset: DatasetDetail; agreed: Agreed }) {
  const { t } = useTranslation();
  const zone = useZone();
  const questions = useQueryClient();
  const [draft, setDraft] = useState(agreed.contract);
  const [notTaken, setNotTaken] = useState<string[]>([]);
  const [error, setError] = useState<unknown>(null);
  const open = useRef<HTMLInputElement>(null);
  const mayChange = dataset.rights.includes("publish");
  const changed = JSON.stringify(draft) !== JSON.stringify(agreed.contract) || agreed.number === 0;
  const set = (more: Partial<Contract>) => setDraft((now) => ({ ...now, ...more }));
  const setField = (at: number, more: Partial<Terms>) =>
    set({ fields: draft.fields.map((one, number) => (number === at ? { ...one, ...more } : one)) });
  const setRule = (at: number, more: Partial<Rule>) =>
    set({ rules: draft.rules.map((one, number) => (number === at ? ({ ...one, ...more } as Rule) : one)) });

  const read = async (file: File | undefined) => {
    if (!file) return;
    setError(null);
    try {
      const response = await fetch(`/api/datasets/${dataset.id}/contract/odcs`, {
        method: "POST",
        headers: { "Content-Type": "application/yaml", Accept: "application/json, application/problem+json" },
        body: await file.text(),
      });
      if (!response.ok) throw await (await import("../api/client")).problemOf(response);
      const found = (await response.json()) as Agreed;
      setDraft(found.contract);
      setNotTaken(found.not_taken);
    } catch (failure) {
      setError(failure);
    }
  };
  const save = async () => {
    const text = await (await ask(`/api/datasets/${dataset.id}/contract/odcs`, { accept: "application/yaml" })).blob();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(text);
    link.download = `${dataset.id}.odcs.yaml`;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <section className="stack contract">
      <div className="dataset-head">
        <h2>{agreed.number === 0 ? t("intake.proposed") : t("intake.inForce", { number: agreed.number })}</h2>
        <div className="form-actions">
          <button type="button" className="button" onClick={() => void save()}>
            <Download aria-hidden /> ODCS
          </button>
          {mayChange && (
            <>
              <input ref={open} type="file" accept=".yaml,.yml,.json" className="hidden-visually" tabIndex={-1} aria-label={t("intake.readOdcs")} onChange={(e) => void read(e.target.files?.[0])} />
              <button type="button" className="button" onClick={() => open.current?.click()}>
                {t("intake.readOdcs")}
              </button>
            </>
          )}
        </div>
      </div>
      <p className="small quiet">
        {agreed.number === 0 ? t("intake.proposedNote") : agreed.adopted && t("intake.since", { at: instant(agreed.adopted, zone, "minute") })}
      </p>
      {error !== null && <Failure error={error} compact />}
      {notTaken.length > 0 && <p className="notice warn">{t("intake.notTaken", { what: notTaken.join("；") })}</p>}
      <fieldset disabled={!mayChange} className="plain stack">
        <div className="fields">
          <Input label={t("intake.purpose")} value={draft.purpose} maxLength={2000} onChange={(e) => set({ purpose: e.target.value })} />
          <Input label={t("intake.owner")} value={draft.owner} maxLength={200} onChange={(e) => set({ owner: e.target.value })} />
          <Input label={t("intake.gate")} type="number" min={0} max={100} step="any" value={draft.gate ?? ""} hint={t("intake.gateHint")} onChange={(e) => set({ gate: e.target.value === "" ? null : Number(e.target.value) })} />
          <Input label={t("intake.deadline")} type="number" min={1} max={365} value={draft.deadline_days} onChange={(e) => set({ deadline_days: Number(e.target.value) || 1 })} />
          <Input label={t("intake.retention")} type="number" min={1} max={36500} value={draft.retention_days ?? ""} hint={t("intake.retentionHint")} onChange={(e) => set({ retention_days: Number(e.target.value) || null })} />
        </div>
        <h3>{t("intake.fields")}</h3>
        <Table label={t("intake.fields")} className="terms">
          <thead>
            <tr>
              {["field", "type", "required", "unique", "format", "codes", "placeholders", "least", "most"].map((name) => (
                <th key={name} scope="col">
                  {t(`intake.terms.${name}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {draft.fields.map((terms, at) => (
              <Row key={terms.name} terms={terms} set={(more) => setField(at, more)} />
            ))}
          </tbody>
        </Table>
        <h3>{t("intake.rules")}</h3>
        <ul className="findings">
          {draft.rules.map((rule, at) => (
            // biome-ignore lint: a rule has no name of its own
            <li key={at} className="card rule">
              <RuleEdit rule={rule} columns={draft.fields.map((one) => one.name)} set={(more) => setRule(at, more)} />
              <button type="button" className="icon-button" aria-label={t("intake.dropRule")} onClick={() => set({ rules: draft.rules.filter((_, number) => number !== at) })}>
                <Trash2 aria-hidden />
              </button>
            </li>
          ))}
        </ul>
        <AddRule columns={draft.fields.map((one) => one.name)} add={(rule) => set({ rules: [...draft.rules, rule] })} />
      </fieldset>
      {mayChange && (
        <Form
          send={() => askJson<Agreed>(`/api/datasets/${dataset.id}/contract`, { method: "PUT", body: { contract: draft, after: agreed.number } })}
          done={() => void questions.invalidateQueries({ queryKey: ["contract", dataset.id] })}
          action={t(changed ? "intake.adopt" : "intake.adopted")}
        />
      )}
    </section>
  );
}

const words = (text: string) =>
  text
    .split(/[、,，\n]/)
    .map((one) => one.trim())
    .filter(Boolean);

function Row({ terms, set }: { terms: Terms; set: (more: Partial<Terms>) => void }) {
  const { t } = useTranslation();
  const named = (what: string) => `${terms.name}: ${t(`intake.terms.${what}`)}`;
  const bound = (text: string) => (text === "" ? null : Number.isFinite(Number(text)) ? Number(text) : text);
  return (
    <tr>
      <th scope="row">{terms.name}</th>
      <td>
        <select className="choice" aria-label={named("type")} value={terms.type} onChange={(e) => set({ type: e.target.value })}>
          {TYPES.map((one) => (
            <option key={one} value={one}>
              {t(`intake.types.${one}`)}
            </option>
          ))}
        </select>
      </td>
      <td>
        <input type="checkbox" aria-label={named("required")} checked={terms.required} onChange={(e) => set({ required: e.target.checked })} />
      </td>
      <td>
        <input type="checkbox" aria-label={named("unique")} checked={terms.unique} onChange={(e) => set({ unique: e.target.checked })} />
      </td>
      <td>
        <select className="choice" aria-label={named("format")} value={terms.format ?? ""} onChange={(e) => set({ format: e.target.value || null })}>
          <option value="">–</option>
          {FORMATS.map((one) => (
            <option key={one} value={one}>
              {t(`intake.formats.${one}`)}
            </option>
          ))}
        </select>
      </td>
      <td>
        <Words label={named("codes")} values={terms.codes} set={(codes) => set({ codes })} />
      </td>
      <td>
        <Words label={named("placeholders")} values={terms.placeholders} set={(placeholders) => set({ placeholders })} />
      </td>
      <td>
        <input className="short" aria-label={named("least")} value={terms.least ?? ""} onChange={(e) => set({ least: bound(e.target.value) })} />
      </td>
      <td>
        <input className="short" aria-label={named("most")} value={terms.most ?? ""} onChange={(e) => set({ most: bound(e.target.value) })} />
      </td>
    </tr>
  );
}

/** Several short texts in one line, parted by commas. */
function Words({ label, values, set }: { label: string; values: string[]; set: (values: string[]) => void }) {
  const [text, setText] = useState(values.join("、"));
  return <input aria-label={label} value={text} onChange={(e) => setText(e.target.value)} onBlur={() => set(words(text))} />;
}

/** What a person fills in for each kind of rule: columns of the dataset, numbers, or words. */
const PARTS: Record<string, { name: string; as: "column" | "columns" | "number" | "words" }[]> = {
  repeated: [{ name: "columns", as: "columns" }],
  alike: [
    { name: "columns", as: "columns" },
    { name: "metres", as: "number" },
    { name: "at", as: "column" },
    { name: "minutes", as: "number" },
  ],
  "in-number": [
    { name: "number", as: "column" },
    { name: "tells", as: "words" },
    { name: "column", as: "column" },
  ],
  age: [
    { name: "age", as: "column" },
    { name: "birth", as: "column" },
    { name: "on", as: "column" },
  ],
  reference: [
    { name: "column", as: "column" },
    { name: "dataset", as: "words" },
    { name: "to", as: "words" },
  ],
  "in-force": [
    { name: "column", as: "column" },
    { name: "date", as: "column" },
    { name: "dataset", as: "words" },
    { name: "code", as: "words" },
    { name: "since", as: "words" },
    { name: "until", as: "words" },
  ],
  inside: [{ name: "dataset", as: "words" }],
  "one-place": [
    { name: "columns", as: "columns" },
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
  ],
  fresh: [{ name: "days", as: "number" }],
  change: [{ name: "share", as: "number" }],
};
const OPTIONAL = new Set(["since", "until", "most_hours", "dataset", "days", "at", "on"]);

function RuleEdit({ rule, columns, set }: { rule: Rule; columns: string[]; set: (more: Partial<Rule>) => void }) {
  const { t } = useTranslation();
  return (
    <div className="stack">
      <b>{t(`intake.kinds.${rule.kind}`)}</b>
      <div className="fields">
        {(PARTS[rule.kind] ?? []).map(({ name, as }) => {
          const label = t(`intake.parts.${name}`);
          const value = rule[name];
          const empty = OPTIONAL.has(name) ? null : "";
          if (as === "column") {
            return (
              <label key={name} className="input">
                {label}
                <select className="choice" value={String(value ?? "")} onChange={(e) => set({ [name]: e.target.value || empty })}>
                  {OPTIONAL.has(name) && <option value="">–</option>}
                  {columns.map((column) => (
                    <option key={column}>{column}</option>
                  ))}
                </select>
              </label>
            );
          }
          if (as === "columns") {
            return (
              <label key={name} className="input">
                {label}
                <span className="field">
                  <Words label={label} values={(value as string[] | undefined) ?? []} set={(listed) => set({ [name]: listed })} />
                </span>
              </label>
            );
          }
          return (
            <Input
              key={name}
              label={label}
              type={as === "number" ? "number" : "text"}
              step="any"
              value={value === null || value === undefined ? "" : String(value)}
              onChange={(e) => set({ [name]: e.target.value === "" ? empty : as === "number" ? Number(e.target.value) : e.target.value })}
            />
          );
        })}
        <Input label={t("intake.parts.says")} value={rule.says} maxLength={400} onChange={(e) => set({ says: e.target.value })} />
        <label className="input">
          {t("intake.parts.severity")}
          <select className="choice" value={rule.severity} onChange={(e) => set({ severity: e.target.value as Rule["severity"] })}>
            <option value="error">{t("intake.error")}</option>
            <option value="warning">{t("intake.warning")}</option>
          </select>
        </label>
      </div>
    </div>
  );
}

function AddRule({ columns, add }: { columns: string[]; add: (rule: Rule) => void }) {
  const { t } = useTranslation();
  const [kind, setKind] = useState("never");
  const first = columns[0] ?? "";
  const begun: Record<string, Record<string, unknown>> = {
    repeated: { columns: [] },
    alike: { columns: [first], metres: 200 },
    "in-number": { number: first, tells: "birth", column: columns[1] ?? first },
    age: { age: first, birth: columns[1] ?? first, on: null },
    reference: { column: first, dataset: "", to: "" },
    "in-force": { column: first, date: first, dataset: "", code: "", since: null, until: null },
    inside: { dataset: null },
    "one-place": { columns: [], most: 20 },
    never: { where: "" },
    order: { first, second: columns[1] ?? first, most_hours: null },
    stale: { column: first, days: 365 },
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
