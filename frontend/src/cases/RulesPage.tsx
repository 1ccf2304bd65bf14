/** When a case is registered, how long it may take and when it is done: read by all, changed in versions. */
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil, Plus } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { askJson } from "../api/client";
import { useZone } from "../api/questions";
import { Dialog } from "../design/Dialog";
import { Form, Input } from "../design/Form";
import { SearchField } from "../design/SearchField";
import { Empty, Failure, Loading, Waiting } from "../design/States";
import { Table } from "../design/Table";
import { useMay } from "../session/questions";
import { count as written, decimal, instant, say } from "../words";
import { TableFile } from "./administration/parts";
import { TypePicker } from "./pickers";
import { type Kind, useTypes } from "./questions";

type Rule = {
  id: string;
  kind: Kind;
  type: string;
  condition: string;
  closing: string;
  unit: string;
  amount: number;
  handler: string;
  supervisor: string;
};
type Rules = { version: number; rules: Rule[]; count: number; next: number | null };
type Version = { number: number; adopted: string; by: string; note: string; count: number };
type Change = { key: string; before: unknown; after: unknown };

const PAGE = 100;
const UNITS = ["urgent_hour", "work_hour", "work_day", "natural_day"];
const NEW: Rule = { id: "", kind: "matter", type: "", condition: "", closing: "", unit: "work_day", amount: 1, handler: "", supervisor: "" };

export function RulesPage() {
  const { t } = useTranslation();
  const manages = useMay("case.manage");
  const types = useTypes().data;
  const [parameters, setParameters] = useSearchParams();
  const [search, setSearch] = useState("");
  const asked = useDeferredValue(search.trim());
  const after = Number(parameters.get("after") ?? 0);
  const [editing, setEditing] = useState<Rule | null>(null);
  const found = useQuery({
    queryKey: ["case-rules", asked, after],
    queryFn: ({ signal }) => askJson<Rules>("/api/cases/rules/all", { query: { search: asked, after: asked ? 0 : after, limit: PAGE }, signal }),
    placeholderData: keepPreviousData,
  });
  const rules = found.data?.rules ?? [];
  return (
    <>
      <div className="filter-row">
        <SearchField label={t("cases.rules.search")} value={search} most={60} set={setSearch} />
        {manages && (
          <>
            <button type="button" className="button" onClick={() => setEditing(NEW)}>
              <Plus aria-hidden />
              {t("cases.rules.add")}
            </button>
            <RuleFile />
          </>
        )}
      </div>
      <p role="status" className="small quiet">
        {found.data && t("cases.rules.count", { n: written(found.data.count), version: found.data.version })}
      </p>
      <Waiting of={found} lines={8} />
      {found.isSuccess && rules.length === 0 && <Empty title={t("cases.rules.none")} />}
      {rules.length > 0 && (
        <Table
          label={t("cases.rules.name")} className="rules-table"
          head={[
            t("cases.type"),
            t("cases.rules.condition"),
            t("cases.rules.limit"),
            t("cases.rules.closing"),
            t("cases.rules.handler"),
            manages && t("cases.rules.change"),
          ]}
        >
          <tbody>
            {rules.map((one) => (
              <tr key={one.id}>
                <th scope="row">
                  {say(types?.find((each) => each.kind === one.kind && each.code === one.type)?.name)}
                  <code className="small quiet block">{`${t(`cases.kinds.${one.kind}`)} ${one.type} · ${one.id}`}</code>
                </th>
                <td>{one.condition}</td>
                <td>{`${decimal(one.amount, 4)} ${t(`cases.units.${one.unit}`)}`}</td>
                <td>{one.closing}</td>
                <td>{one.handler}</td>
                {manages && (
                  <td>
                    <button type="button" className="icon-button" aria-label={t("cases.rules.changeOf", { id: one.id })} onClick={() => setEditing(one)}>
                      <Pencil aria-hidden />
                    </button>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      {!asked && found.data && found.data.count > PAGE && (
        <div className="pages">
          <button type="button" className="button" disabled={after === 0} onClick={() => setParameters(after > PAGE ? { after: String(after - PAGE) } : {})}>
            {t("cases.before")}
          </button>
          <button type="button" className="button" disabled={found.data.next === null} onClick={() => setParameters({ after: String(found.data?.next) })}>
            {t("cases.next")}
          </button>
        </div>
      )}
      {manages && found.data && <Versions part="rules" now={found.data.version} />}
      {editing && found.data && <EditRule rule={editing} version={found.data.version} close={() => setEditing(null)} />}
    </>
  );
}

function RuleFile() {
  const { t } = useTranslation();
  const client = useQueryClient();
  return (
    <TableFile<{ version: number; rules: number }>
      address="/api/cases/rules/table"
      method="POST"
      label={t("cases.rules.file")}
      accept=".csv,.xlsx,.xls,.json"
      taken={(answer) => {
        void client.invalidateQueries({ queryKey: ["case-rules"] });
        void client.invalidateQueries({ queryKey: ["case-types"] });
        return t("cases.rules.taken", { n: written(answer.rules), version: answer.version });
      }}
    />
  );
}

function EditRule({ rule, version, close }: { rule: Rule; version: number; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const types = useTypes().data;
  const [now, setNow] = useState(rule);
  const [note, setNote] = useState("");
  const fresh = rule.id === "";
  const change = (body: { put?: Rule[]; remove?: string[] }) =>
    askJson<{ version: number }>("/api/cases/rules/changes", { method: "POST", body: { ...body, seen: version, note } });
  const done = () => {
    void client.invalidateQueries({ queryKey: ["case-rules"] });
    void client.invalidateQueries({ queryKey: ["case-regime"] });
    close();
  };
  const text = (name: "id" | "condition" | "closing" | "handler" | "supervisor", label: string, needed = true) => (
    <Input
      label={label}
      value={now[name]}
      required={needed}
      maxLength={name === "id" ? 40 : name === "condition" || name === "closing" ? 1000 : 200}
      onChange={(event) => setNow({ ...now, [name]: event.target.value })}
    />
  );
  return (
    <Dialog title={fresh ? t("cases.rules.add") : t("cases.rules.changeOf", { id: rule.id })} close={close}>
      <Form send={() => change({ put: [now] })} done={done} action={t("form.save")}>
        {fresh && text("id", t("cases.rules.id"))}
        <TypePicker
          label={t("cases.type")}
          value={types?.find((one) => one.kind === now.kind && one.code === now.type) ?? null}
          pick={(one) => setNow({ ...now, kind: one?.kind ?? now.kind, type: one?.code ?? "" })}
        />
        {text("condition", t("cases.rules.condition"))}
        {text("closing", t("cases.rules.closing"))}
        <div className="two">
          <Input
            label={t("cases.rules.limit")}
            type="number"
            min={0.05}
            step="any"
            required
            value={now.amount}
            onChange={(event) => setNow({ ...now, amount: Number(event.target.value) })}
          />
          <label className="input">
            <span className="small">{t("cases.rules.unit")}</span>
            <select className="choice" value={now.unit} onChange={(event) => setNow({ ...now, unit: event.target.value })}>
              {UNITS.map((unit) => (
                <option key={unit} value={unit}>
                  {t(`cases.units.${unit}`)}
                </option>
              ))}
            </select>
          </label>
        </div>
        {text("handler", t("cases.step.optional", { field: t("cases.rules.handler") }), false)}
        {text("supervisor", t("cases.step.optional", { field: t("cases.rules.supervisor") }), false)}
        <Input label={t("cases.step.optional", { field: t("cases.rules.note") })} value={note} maxLength={400} onChange={(event) => setNote(event.target.value)} />
        <p className="small quiet">{t("cases.rules.keeps")}</p>
      </Form>
      {!fresh && (
        <Form send={() => change({ remove: [rule.id] })} done={done} action={t("cases.rules.remove")} danger />
      )}
    </Dialog>
  );
}

export function Versions({ part, now }: { part: "rules" | "calendar" | "settings" | "phrases" | "answers"; now: number }) {
  const { t } = useTranslation();
  const zone = useZone();
  const [compared, setCompared] = useState<number | null>(null);
  const found = useQuery({
    queryKey: ["case-regime", part, now],
    queryFn: ({ signal }) => askJson<Version[]>(`/api/cases/regime/${part}/versions`, { signal }),
  });
  if (!found.data?.length) return null;
  return (
    <details className="filter-more">
      <summary>{t("cases.rules.versions", { count: found.data.length })}</summary>
      <ul className="rows card versions">
        {found.data.map((one) => (
          <li key={one.number}>
            <div>
              <b>{t("cases.rules.version", { number: one.number })}</b>{" "}
              <span className="small quiet">
                {`${instant(one.adopted, zone, "minute")} · ${t("cases.rules.entries", { n: written(one.count) })}${one.note ? ` · ${one.note}` : ""}`}
              </span>
            </div>
            {one.number !== now && (
              <button type="button" className="button" aria-expanded={compared === one.number} onClick={() => setCompared(compared === one.number ? null : one.number)}>
                {t("cases.rules.compare")}
              </button>
            )}
            {compared === one.number && <Difference part={part} one={one.number} other={now} />}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Difference({ part, one, other }: { part: string; one: number; other: number }) {
  const { t } = useTranslation();
  const found = useQuery({
    queryKey: ["case-regime", part, "difference", one, other],
    queryFn: ({ signal }) => askJson<Change[]>(`/api/cases/regime/${part}/difference`, { query: { one, other }, signal }),
  });
  if (found.isPending) return <Loading lines={2} />;
  if (found.error) return <Failure error={found.error} compact />;
  if (found.data.length === 0) return <p className="small quiet">{t("cases.rules.same")}</p>;
  return (
    <Table label={t("cases.rules.compare")} head={[t("cases.rules.entry"), t("cases.rules.then"), t("cases.rules.today")]}>
      <tbody>
        {found.data.map((change) => (
          <tr key={change.key}>
            <th scope="row">
              <code>{change.key}</code>
            </th>
            <td>
              <Entry value={change.before} other={change.after} />
            </td>
            <td>
              <Entry value={change.after} other={change.before} />
            </td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

/** Of an entry that changed only what is another on the other side. */
function Entry({ value, other }: { value: unknown; other: unknown }) {
  if (value === null || value === undefined) return <>–</>;
  if (typeof value !== "object") return <>{String(value)}</>;
  const beside = (other ?? {}) as Record<string, unknown>;
  const told = Object.entries(value as Record<string, unknown>).filter(([name, one]) => JSON.stringify(one) !== JSON.stringify(beside[name]) && one !== "");
  return (
    <>
      {told.map(([name, one]) => (
        <span key={name} className="block">
          {typeof one === "object" ? JSON.stringify(one) : String(one)}
        </span>
      ))}
    </>
  );
}
