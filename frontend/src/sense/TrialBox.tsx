/** A rule tried on history before it is switched on: how often it would have raised an alarm, and how often wrongly. */
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useCityNow } from "../api/clock";
import { useZone } from "../api/questions";
import { Fault, Input } from "../design/Form";
import { Table } from "../design/Table";
import { count, instant, say } from "../words";
import { dayIn, midnight } from "../words/days";
import { type RuleBody, tryRule } from "./alarms";
import { Grounds } from "./AlarmItem";
import { resultText } from "./questions";

const SHOWN = 100;
const BACK = 30;
const DAY = 86_400_000;

const nextDay = (day: string) => new Date(Date.parse(`${day}T00:00Z`) + DAY).toISOString().slice(0, 10);

export function TrialBox({ body, owner, number }: { body: RuleBody; owner: string; number?: number }) {
  const { t } = useTranslation();
  const zone = useZone();
  const now = useCityNow(60_000);
  const [chosenFrom, setFrom] = useState("");
  const [chosenTo, setTo] = useState("");
  const to = chosenTo || dayIn(zone, new Date(now));
  const from = chosenFrom || dayIn(zone, new Date(now - BACK * DAY));
  const trying = useMutation({
    mutationFn: () => tryRule({ rule: body, owner, number, since: midnight(from, zone), until: midnight(nextDay(to), zone) }),
  });
  const told = trying.data;
  return (
    <section className="card stack">
      <h2>{t("alarms.rule.trial")}</h2>
      <p className="small quiet">{t("alarms.rule.trialLead")}</p>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          trying.mutate();
        }}
      >
        <div className="rule-row">
          <Input label={t("alarms.rule.trialFrom")} type="date" required value={from} max={to} onChange={(event) => setFrom(event.target.value)} />
          <Input label={t("alarms.rule.trialTo")} type="date" required value={to} min={from} onChange={(event) => setTo(event.target.value)} />
        </div>
        <div className="form-actions">
          <button type="submit" className="button primary" disabled={trying.isPending}>{t("alarms.rule.try")}</button>
          {trying.isPending && <span role="status" className="small">{t("alarms.rule.trying")}</span>}
        </div>
      </form>
      {trying.error && <Fault error={trying.error} />}
      {told && (
        <div role="status" className="stack">
          <p>
            <b>{told.alarms === 0 ? t("alarms.rule.nothing") : t("alarms.rule.would", { count: told.alarms, n: count(told.alarms), false: count(told.false) })}</b>
          </p>
          <p className="small quiet">{t("alarms.rule.over", { streams: count(told.streams), readings: count(told.readings) })}</p>
        </div>
      )}
      {told && told.datasets.length > 0 && (
        <ul className="small quiet">
          {told.datasets.map((one) => (
            <li key={`${one.dataset}-${one.since}`}>
              {t(one.assumed ? "alarms.rule.assumed" : "alarms.rule.asked", {
                name: say(one.title),
                version: one.version,
                since: instant(one.since, zone, "minute"),
                until: instant(one.until, zone, "minute"),
                published: instant(one.published, zone, "minute"),
              })}
              {one.trouble && <b> {say(one.trouble)}</b>}
            </li>
          ))}
        </ul>
      )}
      {told && told.found.length > 0 && (
        <Table
          label={t("alarms.rule.trial")}
          head={[t("alarms.rule.began"), t("alarms.rule.endedAt"), t("alarms.rule.subject"), t("alarms.rule.reading"), t("alarms.rule.mark")]}
        >
          <tbody>
            {told.found.slice(0, SHOWN).map((one) => {
              const [kind = "", id = ""] = one.subject.split("/");
              const why = one.reasons[0];
              return (
                <tr key={`${one.subject}-${one.began}`}>
                  <td className="nowrap">{instant(one.began, zone)}</td>
                  <td className="nowrap">{one.ended ? instant(one.ended, zone) : t("alarms.rule.still")}</td>
                  <td>{why?.thing || t(`alarms.rule.subjects.${kind}`, { id })}</td>
                  <td>
                    {why ? resultText(why.value, why.symbol, "–") : "–"}
                    {one.grounds.length > 0 && <Grounds grounds={one.grounds} signs={[]} />}
                  </td>
                  <td>{one.mark && <span className={one.mark === "false" ? "badge warn" : "badge good"}>{t(`alarms.marks.${one.mark}`)}</span>}</td>
                </tr>
              );
            })}
          </tbody>
        </Table>
      )}
      {told && told.alarms > SHOWN && <p className="small quiet">{t("alarms.rule.firstOf", { n: SHOWN })}</p>}
    </section>
  );
}
