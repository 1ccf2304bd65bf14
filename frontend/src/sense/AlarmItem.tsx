/** One alarm: what it says, by which readings, what was found of it, and where it leads. */
import { useQueryClient } from "@tanstack/react-query";
import { Check, MapPin, X } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { Fault } from "../design/Form";
import { useDatasets, useZone } from "../api/questions";
import { count, instant, metres, say } from "../words";
import { type Alarm, type DatasetSign, forgetAlarms, type Ground, type Mark, markAlarm, type Reason, type Severity, type Sign, span, TONES, type Way } from "./alarms";
import { resultText } from "./questions";

export function SeverityBadge({ severity }: { severity: Severity }) {
  const { t } = useTranslation();
  return <span className={`badge ${TONES[severity]}`}>{t(`alarms.severities.${severity}`)}</span>;
}

/** From when to when something was, or that it lasts. */
export function Span({ began, ended }: { began: string; ended: string | null }) {
  const { t } = useTranslation();
  const zone = useZone();
  const since = instant(began, zone);
  return (
    <time className="small quiet numbers" dateTime={began}>
      {ended ? t("alarms.until", { since, until: instant(ended, zone) }) : t("alarms.since", { time: since })}
    </time>
  );
}

/** What a sign looks for, in words. */
export function useSignWords(): (sign: Sign) => string {
  const { t } = useTranslation();
  const time = (seconds: number) => {
    const [unit, n] = span(seconds);
    return t(`alarms.seconds.${unit}`, { n });
  };
  return ({ observes, kind, unit, value, seconds = 0 }) => {
    const limit = value === null || value === undefined ? "" : resultText(value, unit ?? "", "");
    const lasts = kind === "frozen" || kind === "silent";
    const says = t(`alarms.sign.${kind}`, { value: limit, seconds: time(seconds) });
    return `${observes} ${says}${!lasts && seconds > 0 ? `${t("alarms.comma")}${t("alarms.for", { seconds: time(seconds) })}` : ""}`;
  };
}

export function Reasons({ reasons, signs }: { reasons: Reason[]; signs: Sign[] }) {
  const { t } = useTranslation();
  const zone = useZone();
  const words = useSignWords();
  return (
    <ul className="alarm-reasons small">
      {reasons.map((one) => {
        const sign = signs[one.sign];
        return (
          <li key={`${one.sign}-${one.stream}-${one.time}`}>
            <Link to={`/sense/streams/${one.stream}`}>{[one.thing, one.name].filter(Boolean).join(" · ")}</Link>
            {sign && <span>{words(sign)}</span>}
            <span className="quiet numbers">
              {one.value === null
                ? t("alarms.saidSince", { since: instant(one.since, zone) })
                : t("alarms.said", { value: resultText(one.value, one.symbol, ""), time: instant(one.time, zone) })}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

/** What a rule asks of a dataset, in words. */
export function useDatasetWords(): (sign: DatasetSign) => string {
  const { t } = useTranslation();
  const datasets = useDatasets().data ?? [];
  return ({ dataset, kind = "has", where, metres: far, valid, count: least = 1 }) => {
    const title = datasets.find((one) => one.id === dataset)?.title;
    const place = far ? t("alarms.dataset.near", { metres: metres(far) }) : t("alarms.dataset.cell");
    const rows = where ? t("alarms.dataset.rowsWhere", { where }) : t("alarms.dataset.rows");
    const says = t(`alarms.dataset.${kind}`, { count: least, n: count(least), place, rows, name: title ? say(title) : dataset });
    return `${says}${valid ? `${t("alarms.comma")}${t("alarms.dataset.valid")}` : ""}`;
  };
}

/** What datasets said: which version, how many rows, and the nearest of them. */
export function Grounds({ grounds, signs }: { grounds: Ground[]; signs: DatasetSign[] }) {
  const { t } = useTranslation();
  const words = useDatasetWords();
  return (
    <ul className="alarm-reasons small">
      {grounds.map((one) => {
        const sign = signs[one.sign];
        return (
          <li key={one.sign}>
            <Link to={`/data/${encodeURIComponent(one.dataset)}`}>{say(one.title)}</Link>
            {sign && <span>{words(sign)}</span>}
            <span className="quiet">
              {one.count === null
                ? t("alarms.dataset.notTold", { version: one.version })
                : t("alarms.dataset.found", { count: one.count, n: count(one.count), version: one.version })}
              {one.rows.length > 0 && t("alarms.colon")}
              {one.rows.map((row, at) => (
                <span key={row.row}>
                  {at > 0 && t("alarms.listed")}
                  {row.object ? <Link to={`/objects/${encodeURIComponent(row.object)}`}>{row.name}</Link> : row.name}
                  {row.metres !== null && ` ${metres(row.metres)}`}
                </span>
              ))}
              {one.count !== null && one.rows.length > 0 && one.count > one.rows.length && " …"}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

/** How the state came to a cell that lies downstream: how far, over which network, and by which of its lines. */
export function WayText({ way }: { way: Way }) {
  const { t } = useTranslation();
  return (
    <p className="alarm-way small">
      {t("alarms.way.from", { metres: metres(way.metres) })} <Link to={`/data/${encodeURIComponent(way.dataset)}`}>{say(way.title)}</Link>
      {t("alarms.way.by", { count: way.steps, n: way.steps })}
      {way.lines.length < way.steps && "… → "}
      {way.lines.map((one, at) => (
        <span key={at}>
          {at > 0 && " → "}
          {one.object ? <Link to={`/objects/${encodeURIComponent(one.object)}`}>{one.name}</Link> : one.name}
        </span>
      ))}
    </p>
  );
}

function Marks({ alarm }: { alarm: Alarm }) {
  const { t } = useTranslation();
  const questions = useQueryClient();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const say = async (mark: Mark) => {
    setBusy(true);
    setError(undefined);
    try {
      await markAlarm(alarm.id, mark);
      forgetAlarms(questions);
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  const button = (mark: "true" | "false", words: string, Icon: typeof Check) => (
    <button
      type="button"
      className="button"
      aria-pressed={alarm.mark === mark}
      disabled={busy}
      title={alarm.mark === mark ? t("alarms.markNone") : undefined}
      onClick={() => void say(alarm.mark === mark ? "" : mark)}
    >
      <Icon aria-hidden />
      {words}
    </button>
  );
  return (
    <div className="alarm-marks" role="group" aria-label={t("alarms.mark")}>
      {button("true", t("alarms.markTrue"), Check)}
      {button("false", t("alarms.markFalse"), X)}
      {error !== undefined && <Fault error={error} />}
    </div>
  );
}

export function AlarmItem({ alarm, still }: {
  alarm: Alarm;
  /** Without buttons, as on a wall. */
  still?: boolean;
}) {
  const { t } = useTranslation();
  const zone = useZone();
  return (
    <li className="alarm" data-severity={alarm.severity} data-lasting={alarm.ended === null}>
      <div className="alarm-head">
        <SeverityBadge severity={alarm.severity} />
        <b>{say(alarm.title)}</b>
        <span className={alarm.ended ? "badge" : "badge bad"}>{t(alarm.ended ? "alarms.ended" : "alarms.lasts")}</span>
        <Span began={alarm.began} ended={alarm.ended} />
      </div>
      {alarm.way && <WayText way={alarm.way} />}
      <Reasons reasons={alarm.reasons} signs={alarm.signs} />
      {alarm.grounds.length > 0 && <Grounds grounds={alarm.grounds} signs={alarm.datasets} />}
      {alarm.hidden > 0 && <p className="small quiet">{t("alarms.hidden", { count: alarm.hidden, n: alarm.hidden })}</p>}
      {alarm.ended_by.length > 0 && (
        <div className="small">
          <span className="quiet">{t("alarms.endedBy")}</span>
          <ul className="alarm-reasons">
            {alarm.ended_by.map((one) => (
              <li key={`${one.stream}-${one.time}`} className="quiet numbers">
                {[one.thing, one.name].filter(Boolean).join(" · ")}{" "}
                {one.value === null ? instant(one.time, zone) : t("alarms.said", { value: resultText(one.value, one.symbol, ""), time: instant(one.time, zone) })}
              </li>
            ))}
          </ul>
        </div>
      )}
      {alarm.ended_grounds.length > 0 && (
        <div className="small">
          <span className="quiet">{t("alarms.endedBy")}</span>
          <Grounds grounds={alarm.ended_grounds} signs={alarm.datasets} />
        </div>
      )}
      <p className="alarm-links small">
        {alarm.code && (
          <>
            <Link to={`/sense/cell/${alarm.code}`}>{t("alarms.toCell")}</Link>
            <Link to={`/?alarms=1&cell=${encodeURIComponent(alarm.code)}${alarm.lat !== null && alarm.lon !== null ? `&at=${alarm.lat.toFixed(5)},${alarm.lon.toFixed(5)},15` : ""}`}>
              <MapPin aria-hidden />
              {t("alarms.toMap")}
            </Link>
          </>
        )}
        {alarm.case && <Link to={`/cases/${alarm.case}`}>{t("alarms.toCase", { number: alarm.case })}</Link>}
        <Link to={`/sense/rules/${alarm.rule}`}>{t("alarms.ofRule", { rule: alarm.rule, version: alarm.version })}</Link>
        <span className="quiet">{alarm.called ? t("alarms.called", { time: instant(alarm.called, zone) }) : t("alarms.notCalled")}</span>
      </p>
      {!still && <Marks alarm={alarm} />}
    </li>
  );
}
