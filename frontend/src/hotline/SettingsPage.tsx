/** Kinds of demand, their limits and the sheet of reviews: each save is a new version. */
import { useQueryClient } from "@tanstack/react-query";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import { Form, Input } from "../design/Form";
import { Waiting } from "../design/States";
import { Table } from "../design/Table";
import { say } from "../words";
import { type Content, type Limit, type Settings, useSettings } from "./questions";

const UNITS = ["urgent_hour", "work_hour", "work_day", "natural_day"];

export function SettingsPage() {
  const found = useSettings();
  if (!found.data) return <Waiting of={found} lines={8} />;
  return <Editor key={found.data.version} settings={found.data} />;
}

function Editor({ settings }: { settings: Settings }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [now, setNow] = useState<Content>(settings.content);
  const [note, setNote] = useState("");
  const change = <Name extends keyof Content>(name: Name, value: Content[Name]) => setNow({ ...now, [name]: value });
  return (
    <>
      <p className="lead">{t("hotline.settings.lead")}</p>
      <Form
        send={() => askJson<{ version: number }>("/api/hotline/settings", { method: "PUT", body: { content: now, seen: settings.version, note } })}
        done={() => void client.invalidateQueries({ queryKey: ["hotline", "settings"] })}
        action={t("hotline.settings.save")}
        extra={settings.version > 0 && <span className="small quiet" role="status">{t("hotline.settings.saved", { n: settings.version })}</span>}
      >
        <Clocks now={now} change={(clocks) => change("clocks", clocks)} />
        <Listed
          title={t("hotline.settings.sheet")}
          rows={now.sheet}
          fresh={{ key: "", zh: "", en: "", most: 10 }}
          change={(sheet) => change("sheet", sheet)}
          more={(row, put) => (
            <input type="number" className="choice number" min={1} max={100} required aria-label={`${t("hotline.settings.most")} ${row.zh}`} value={row.most} onChange={(event) => put({ ...row, most: Number(event.target.value) })} />
          )}
          moreName={t("hotline.settings.most")}
        />
        <Listed title={t("hotline.settings.kinds")} rows={now.kinds} fresh={{ key: "", zh: "", en: "" }} change={(kinds) => change("kinds", kinds)} />
        <Listed title={t("hotline.settings.urgencies")} rows={now.urgencies} fresh={{ key: "", zh: "", en: "" }} change={(urgencies) => change("urgencies", urgencies)} />
        <div className="two">
          <Input label={t("hotline.settings.answerSeconds")} type="number" min={1} max={600} required value={now.answer_seconds} onChange={(event) => change("answer_seconds", Number(event.target.value))} />
          <Input label={t("hotline.settings.keepDays")} type="number" min={1} max={3650} required value={now.keep_number_days} onChange={(event) => change("keep_number_days", Number(event.target.value))} />
        </div>
        <Input label={t("hotline.settings.note")} value={note} maxLength={400} onChange={(event) => setNote(event.target.value)} />
      </Form>
    </>
  );
}

function Clocks({ now, change }: { now: Content; change: (clocks: Content["clocks"]) => void }) {
  const { t } = useTranslation();
  const put = (index: number, more: object) => change(now.clocks.map((one, at) => (at === index ? { ...one, ...more } : one)));
  const choose = (label: string, any: string, listed: Content["kinds"], value: string, set: (value: string) => void) => (
    <select className="choice" aria-label={label} value={value} onChange={(event) => set(event.target.value)}>
      <option value="">{any}</option>
      {listed.map((one) => (
        <option key={one.key} value={one.key}>
          {say(one)}
        </option>
      ))}
    </select>
  );
  const limit = (label: string, [unit, amount]: Limit, set: (limit: Limit) => void) => (
    <span className="limit">
      <input type="number" className="choice number" min={0.05} step="any" required aria-label={`${label} ${t("hotline.settings.amount")}`} value={amount} onChange={(event) => set([unit, Number(event.target.value)])} />
      <select className="choice" aria-label={`${label} ${t("hotline.settings.unit")}`} value={unit} onChange={(event) => set([event.target.value, amount])}>
        {UNITS.map((one) => (
          <option key={one} value={one}>
            {t(`cases.units.${one}`)}
          </option>
        ))}
      </select>
    </span>
  );
  return (
    <section className="card part">
      <h2>{t("hotline.settings.clocks")}</h2>
      <Table
        label={t("hotline.settings.clocks")}
        head={[
          t("hotline.desk.kind"),
          t("hotline.desk.urgency"),
          t("hotline.settings.dispatch"),
          t("hotline.settings.reply"),
          t("hotline.settings.remove"),
        ]}
      >
        <tbody>
          {now.clocks.map((one, index) => (
            <tr key={index}>
              <td>{choose(t("hotline.desk.kind"), t("hotline.settings.anyKind"), now.kinds, one.kind, (kind) => put(index, { kind }))}</td>
              <td>{choose(t("hotline.desk.urgency"), t("hotline.settings.anyUrgency"), now.urgencies, one.urgency, (urgency) => put(index, { urgency }))}</td>
              <td>{limit(t("hotline.settings.dispatch"), one.dispatch, (dispatch) => put(index, { dispatch }))}</td>
              <td>{limit(t("hotline.settings.reply"), one.reply, (reply) => put(index, { reply }))}</td>
              <td>
                <Remove name={String(index + 1)} remove={() => change(now.clocks.filter((_, at) => at !== index))} />
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
      <Add add={() => change([...now.clocks, { kind: "", urgency: "", dispatch: ["urgent_hour", 24], reply: ["natural_day", 7] }])} />
    </section>
  );
}

function Remove({ name, remove }: { name: string; remove: () => void }) {
  const { t } = useTranslation();
  return (
    <button type="button" className="icon-button" aria-label={`${t("hotline.settings.remove")} ${name}`} onClick={remove}>
      <Trash2 aria-hidden />
    </button>
  );
}

function Add({ add }: { add: () => void }) {
  const { t } = useTranslation();
  return (
    <button type="button" className="button more" onClick={add}>
      <Plus aria-hidden />
      {t("hotline.settings.add")}
    </button>
  );
}

type Row = { key: string; zh: string; en: string };

function Listed<T extends Row>({ title, rows, fresh, change, more, moreName }: {
  title: string;
  rows: T[];
  fresh: T;
  change: (rows: T[]) => void;
  more?: (row: T, put: (row: T) => void) => React.ReactNode;
  moreName?: string;
}) {
  const { t } = useTranslation();
  const put = (index: number, row: T) => change(rows.map((one, at) => (at === index ? row : one)));
  return (
    <details className="card part">
      <summary>{title}</summary>
      <Table
        label={title}
        head={[t("hotline.settings.key"), t("hotline.settings.zh"), t("hotline.settings.en"), moreName, t("hotline.settings.remove")]}
      >
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {(["key", "zh", "en"] as const).map((name) => (
                <td key={name}>
                  <input className="choice" required={name !== "en"} maxLength={60} aria-label={`${t(`hotline.settings.${name}`)} ${index + 1}`} value={row[name]} onChange={(event) => put(index, { ...row, [name]: event.target.value })} />
                </td>
              ))}
              {more && <td>{more(row, (next) => put(index, next))}</td>}
              <td>
                <Remove name={row.zh} remove={() => change(rows.filter((_, at) => at !== index))} />
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
      <Add add={() => change([...rows, fresh])} />
    </details>
  );
}
