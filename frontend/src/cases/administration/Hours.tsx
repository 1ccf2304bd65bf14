/** The periods of a working day, by which working clocks run. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { askJson } from "../../api/client";
import { Form, Input } from "../../design/Form";
import { Waiting } from "../../design/States";
import { Versions } from "../RulesPage";
import { Head } from "./parts";

type Year = { version: number; zone: string; periods: [string, string][] };

export function Hours() {
  const { t } = useTranslation();
  const year = new Date().getFullYear();
  const found = useQuery({
    queryKey: ["case-calendar", year],
    queryFn: ({ signal }) => askJson<Year>("/api/cases/calendar", { query: { year }, signal }),
  });
  return (
    <>
      <Head room="hours">
        <p className="small">
          <Link to="/cases/calendar">{t("cases.administration.hours.days")}</Link>
        </p>
      </Head>
      <Waiting of={found} lines={4} />
      {found.data && <Edit key={found.data.version} now={found.data} />}
      {found.data && <Versions part="calendar" now={found.data.version} />}
    </>
  );
}

function Edit({ now }: { now: Year }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [zone, setZone] = useState(now.zone);
  const [periods, setPeriods] = useState(now.periods.map(([from, to]): [string, string] => [from.slice(0, 5), to.slice(0, 5)]));
  const [note, setNote] = useState("");
  const [said, setSaid] = useState("");
  const put = (at: number, side: 0 | 1, value: string) =>
    setPeriods((before) => before.map((one, number): [string, string] => (number === at ? (side === 0 ? [value, one[1]] : [one[0], value]) : one)));
  return (
    <div className="wide-form">
      <Form
        send={() => askJson<{ version: number }>("/api/cases/calendar", { method: "PUT", body: { zone, periods, note, seen: now.version } })}
        done={(answer) => {
          setSaid(t("cases.administration.adopted", { version: answer.version }));
          void client.invalidateQueries({ queryKey: ["case-calendar"] });
          void client.invalidateQueries({ queryKey: ["case-regime"] });
        }}
        action={t("form.save")}
      >
        <Input label={t("cases.administration.hours.zone")} value={zone} required maxLength={60} onChange={(event) => setZone(event.target.value)} />
        <fieldset>
          <legend>{t("cases.administration.hours.periods")}</legend>
          <div className="stack">
            {periods.map(([from, to], at) => (
              <div key={at} className="period">
                <Input label={t("cases.administration.hours.from", { at: at + 1 })} type="time" required value={from} onChange={(event) => put(at, 0, event.target.value)} />
                <Input label={t("cases.administration.hours.to", { at: at + 1 })} type="time" required value={to} onChange={(event) => put(at, 1, event.target.value)} />
                <button
                  type="button"
                  className="icon-button"
                  aria-label={t("cases.administration.hours.remove", { at: at + 1 })}
                  disabled={periods.length === 1}
                  onClick={() => setPeriods((before) => before.filter((_, number) => number !== at))}
                >
                  <Trash2 aria-hidden />
                </button>
              </div>
            ))}
            <div>
              <button type="button" className="button" disabled={periods.length >= 10} onClick={() => setPeriods((before) => [...before, ["18:00", "19:00"]])}>
                <Plus aria-hidden />
                {t("cases.administration.hours.add")}
              </button>
            </div>
          </div>
        </fieldset>
        <Input label={t("cases.step.optional", { field: t("cases.rules.note") })} value={note} maxLength={400} onChange={(event) => setNote(event.target.value)} />
        <p className="small quiet">{t("cases.administration.hours.keeps")}</p>
      </Form>
      <p role="status" className="small">
        {said}
      </p>
    </div>
  );
}
