/** All that happened to a case, the newest first: who, when, and why. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { actorOf } from "../session/actors";
import { instant, langOf, list, say } from "../words";
import type { CaseDetail, CaseNames, Happening } from "./questions";
import { useLifecycle } from "./questions";
import { PhotoRow, photosOf } from "./Photos";

const MANY = 12;
/** What is told in other words, or elsewhere on the page. */
const SILENT = ["kind", "type", "source", "cell", "level", "area", "where", "limit", "overall", "handling", "co_limit", "photos", "before", "followers", "turn", "reporter", "supported", "proposal", "departments", "people", "alarm"];

export function Timeline({ one, names, zone }: { one: CaseDetail; names: CaseNames; zone: string }) {
  const { t } = useTranslation();
  const [all, setAll] = useState(false);
  const told = [...one.timeline].reverse();
  const shown = all ? told : told.slice(0, MANY);
  return (
    <>
      <ol className="timeline">
        {shown.map((happening) => (
          <Entry key={happening.step} happening={happening} number={one.number} names={names} zone={zone} />
        ))}
      </ol>
      {told.length > shown.length && (
        <button type="button" className="button" onClick={() => setAll(true)}>
          {t("cases.timeline.all", { count: told.length })}
        </button>
      )}
    </>
  );
}

export function whoOf(happening: Pick<Happening, "actor">, names: CaseNames, t: (key: string) => string): string {
  return happening.actor === "system" ? t("cases.theClock") : actorOf(happening.actor, t, names.people);
}

function Entry({ happening, number, names, zone }: { happening: Happening; number: string; names: CaseNames; zone: string }) {
  const { t } = useTranslation();
  const table = useLifecycle().data;
  const says = say(table?.transitions.find((step) => step.action === happening.action)?.says) || happening.action;
  const state = (key: string) => say(table?.states.find((one) => one.key === key)?.says) || key;
  return (
    <li data-axis={table?.transitions.find((step) => step.action === happening.action)?.axis}>
      <div className="timeline-head">
        <b>{says}</b>
        <span className="small">{whoOf(happening, names, t)}</span>
        <time className="small quiet numbers" dateTime={happening.at}>
          {instant(happening.at, zone, "minute")}
        </time>
      </div>
      {happening.to !== happening.was && happening.was && (
        <span className="small quiet">
          {state(happening.was)} → {state(happening.to)}
        </span>
      )}
      {Object.entries(happening.data)
        .filter(([name]) => !SILENT.includes(name))
        .map(([name, value]) => (
          <span key={name} className="small">
            {say(table?.inputs[name]) || t(`cases.told.${name}`)}
            {t("map.colon")}
            <Value name={name} value={value} names={names} zone={zone} />
          </span>
        ))}
      {Object.entries(happening.words).map(([name, words]) => (
        <q key={name} className="timeline-words" lang={langOf(words)}>
          {words}
        </q>
      ))}
      <PhotoRow number={number} digests={photosOf(happening.data)} says={says} />
    </li>
  );
}

function Value({ name, value, names, zone }: { name: string; value: unknown; names: CaseNames; zone: string }) {
  const { t, i18n } = useTranslation();
  if (name === "department") return names.departments[String(value)] ?? String(value);
  if (name === "co_departments" && Array.isArray(value)) return list(value.map((one) => names.departments[String(one)] ?? String(one)));
  if (name === "handler" || name === "collector") return names.people[String(value)] ?? String(value);
  if (name === "main" || name === "other") return <Link to={`/cases/${String(value)}`}>{String(value)}</Link>;
  if (name === "until" || name === "due") return instant(String(value), zone, "minute");
  if (name === "stage") return t(`cases.stages.${String(value)}`);
  if (name === "share") return `${String(value)}%`;
  if (typeof value === "string" && i18n.exists(`cases.answers.${value}`)) return t(`cases.answers.${value}`);
  return Array.isArray(value) ? list(value.map(String)) : String(value);
}
