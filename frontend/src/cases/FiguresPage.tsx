/** Evaluation: the indicators with their formulas, as a whole or as scoreboards; every figure leads to its cases. */
import { useQuery } from "@tanstack/react-query";
import { keepPreviousData } from "@tanstack/react-query";
import { ArrowDownWideNarrow } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useCity } from "../api/questions";
import { askJson } from "../api/client";
import { Empty, Failure, Loading } from "../design/States";
import { count as written, decimal, say, share, type Text } from "../words";
import { type Address, useAddress } from "./filters";
import { HandlingDepartment } from "./pickers";
import { useLifecycle, useTitles, useTypes } from "./questions";

type Indicator = { key: string; says: Text; formula: string; waits: string };
type Figure = { top: number; bottom: number | null; value: number | null };
type Group = { by: (string | number | null)[]; figures: Record<string, Figure> };

const BY = ["department", "street", "community", "type", "major", "source", "collector", "acceptor", "dispatcher", "handler", "month", "day"] as const;
/** The dimensions by which a list of cases can be asked for, too. */
const LEADS = ["department", "street", "source", "collector", "handler"];
const FIRST = ["report_num", "inst_num", "dispose_rate", "intime_dispose_rate", "archive_rate", "rework_rate", "accur_dispatch_rate"];
const PERIODS = ["month", "lastMonth", "year", "all"] as const;
/** What is counted in hours, or in multiples of the limit; all other quotients are shares. */
const HOURS = ["avg_handle_time", "avg_accept_time"];
const MULTIPLES = ["dispose_overtime_times"];

function shown(key: string, figure: Figure | undefined, hours: (n: string) => string): string {
  if (!figure || figure.value === null) return "–";
  if (HOURS.includes(key)) return hours(decimal(figure.value, 3));
  if (MULTIPLES.includes(key)) return decimal(figure.value, 3);
  return figure.bottom === null ? written(figure.value) : share(figure.value);
}

/** Where a period begins and ends in the browser's own days; the city's zone is told by the server's day. */
function period(name: string, zone: string): { since?: string; until?: string } {
  const today = new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" }).format(new Date());
  const [year, month] = today.split("-").map(Number) as [number, number];
  const first = (y: number, m: number) => zoned(`${m < 1 ? y - 1 : y}-${String(m < 1 ? m + 12 : m).padStart(2, "0")}-01`, zone);
  if (name === "month") return { since: first(year, month) };
  if (name === "lastMonth") return { since: first(year, month - 1), until: first(year, month) };
  if (name === "year") return { since: first(year, 1) };
  return {};
}

/** Midnight of a day in a zone, as an instant. */
function zoned(day: string, zone: string): string {
  const guess = new Date(`${day}T00:00:00Z`);
  const told = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(guess);
  const offset = told.find((part) => part.type === "timeZoneName")?.value.replace("GMT", "") || "+00:00";
  return new Date(`${day}T00:00:00${offset}`).toISOString();
}

export function FiguresPage() {
  const address = useAddress();
  const zone = useCity().data?.time_zone ?? "Asia/Shanghai";
  const by = address.get("by");
  const named = address.get("period") || "month";
  const asked = new URLSearchParams(address.filters);
  for (const [name, value] of Object.entries(period(named, zone))) if (!asked.has(name)) asked.set(name, value);
  const keys = address.all("key").length ? address.all("key") : FIRST;
  const question = new URLSearchParams(asked);
  if (by) {
    question.set("by", by);
    for (const key of keys) question.append("key", key);
  }
  const table = useQuery({
    queryKey: ["case-indicators"],
    queryFn: ({ signal }) => askJson<Indicator[]>("/api/cases/indicators", { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const answer = useQuery({
    queryKey: ["cases", "figures", question.toString()],
    queryFn: ({ signal }) => askJson<Group[]>(`/api/cases/figures?${question}`, { signal }),
    placeholderData: keepPreviousData,
  });
  return (
    <>
      <Choices address={address} by={by} named={named} />
      {(answer.isPending || table.isPending) && <Loading lines={10} />}
      {answer.error && <Failure error={answer.error} retry={() => answer.refetch()} />}
      {answer.data && table.data && !by && <Whole figures={answer.data[0]?.figures ?? {}} table={table.data} asked={asked} />}
      {answer.data && table.data && by && <Scoreboard groups={answer.data} table={table.data} keys={keys} by={by} asked={asked} address={address} />}
    </>
  );
}

function Choices({ address, by, named }: { address: Address; by: string; named: string }) {
  const { t } = useTranslation();
  const table = useLifecycle().data;
  const department = address.get("department");
  const titles = useTitles([department]);
  return (
    <div className="filter-grid">
      <label className="input">
        <span className="small">{t("cases.figures.period")}</span>
        <select className="choice" value={named} onChange={(event) => address.put({ period: event.target.value })}>
          {PERIODS.map((one) => (
            <option key={one} value={one}>
              {t(`cases.figures.periods.${one}`)}
            </option>
          ))}
        </select>
      </label>
      <label className="input">
        <span className="small">{t("cases.figures.by")}</span>
        <select className="choice" value={by} onChange={(event) => address.put({ by: event.target.value })}>
          <option value="">{t("cases.figures.whole")}</option>
          {BY.map((one) => (
            <option key={one} value={one}>
              {t(`cases.figures.dimensions.${one}`)}
            </option>
          ))}
        </select>
      </label>
      <label className="input">
        <span className="small">{t("cases.source")}</span>
        <select className="choice" value={address.get("source")} onChange={(event) => address.put({ source: event.target.value })}>
          <option value="">{t("cases.any")}</option>
          {Object.entries(table?.sources ?? {}).map(([key, says]) => (
            <option key={key} value={key}>
              {say(says)}
            </option>
          ))}
        </select>
      </label>
      <HandlingDepartment
        label={t("cases.handlingDepartment")}
        value={department ? { code: department, title: titles[department] ?? department } : null}
        pick={(one) => address.put({ department: one?.code ?? null })}
      />
    </div>
  );
}

function casesOf(asked: URLSearchParams, more: Record<string, string>): string {
  const to = new URLSearchParams(asked);
  to.set("scope", "all");
  for (const [name, value] of Object.entries(more)) to.set(name, value);
  return `/cases?${to}`;
}

function Whole({ figures, table, asked }: { figures: Record<string, Figure>; table: Indicator[]; asked: URLSearchParams }) {
  const { t } = useTranslation();
  const hours = (n: string) => t("cases.figures.hours", { n });
  return (
    <div className="table-box" tabIndex={0} role="region" aria-label={t("cases.figures.name")}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{t("cases.figures.indicator")}</th>
            <th scope="col" className="end">
              {t("cases.figures.value")}
            </th>
            <th scope="col" className="end">
              {t("cases.figures.counted")}
            </th>
            <th scope="col">{t("cases.figures.formula")}</th>
          </tr>
        </thead>
        <tbody>
          {table.map((one) => {
            const figure = figures[one.key];
            return (
              <tr key={one.key}>
                <th scope="row">{say(one.says)}</th>
                <td className="end">
                  {figure && figure.value !== null ? <Link to={casesOf(asked, { indicator: one.key })}>{shown(one.key, figure, hours)}</Link> : "–"}
                </td>
                <td className="end quiet">
                  {figure && figure.bottom !== null && !HOURS.includes(one.key) && !MULTIPLES.includes(one.key)
                    ? `${written(figure.top)} / ${written(figure.bottom)}`
                    : ""}
                </td>
                <td className="small">{one.waits ? <span className="quiet">{t("cases.figures.waits", { what: one.waits })}</span> : <code>{one.formula}</code>}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Scoreboard({ groups, table, keys, by, asked, address }: {
  groups: Group[];
  table: Indicator[];
  keys: string[];
  by: string;
  asked: URLSearchParams;
  address: Address;
}) {
  const { t } = useTranslation();
  const hours = (n: string) => t("cases.figures.hours", { n });
  const order = keys.includes(address.get("order")) ? address.get("order") : keys[0]!;
  const sorted = ["month", "day"].includes(by)
    ? groups
    : [...groups].sort((a, b) => (b.figures[order]?.value ?? -1) - (a.figures[order]?.value ?? -1));
  const nameOf = useGroupNames(by, groups);
  const chosen = keys.map((key) => table.find((one) => one.key === key)).filter((one): one is Indicator => !!one);
  if (groups.length === 0) return <Empty title={t("cases.figures.none")} />;
  return (
    <>
      <details className="filter-more">
        <summary>{t("cases.figures.columns", { count: keys.length })}</summary>
        <div className="chips">
          {table
            .filter((one) => !one.waits)
            .map((one) => (
              <button
                key={one.key}
                type="button"
                className="chip"
                aria-pressed={keys.includes(one.key)}
                onClick={() => address.put({ key: keys.includes(one.key) ? keys.filter((key) => key !== one.key) : [...keys, one.key] })}
              >
                {say(one.says)}
              </button>
            ))}
        </div>
      </details>
      <div className="table-box" tabIndex={0} role="region" aria-label={t(`cases.figures.dimensions.${by}`)}>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{t(`cases.figures.dimensions.${by}`)}</th>
              {chosen.map((one) => (
                <th key={one.key} scope="col" className="end" aria-sort={order === one.key && !["month", "day"].includes(by) ? "descending" : undefined}>
                  <button type="button" className="link-button" title={one.formula} onClick={() => address.put({ order: one.key })}>
                    {say(one.says)}
                    {order === one.key && <ArrowDownWideNarrow aria-hidden />}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted.map((group) => {
              const value = group.by[0] ?? null;
              return (
                <tr key={String(value)}>
                  <th scope="row">{nameOf(value)}</th>
                  {chosen.map((one) => {
                    const figure = group.figures[one.key];
                    const text = shown(one.key, figure, hours);
                    return (
                      <td key={one.key} className="end">
                        {LEADS.includes(by) && value !== null && figure?.value !== null ? (
                          <Link to={casesOf(asked, { indicator: one.key, [by]: String(value) })}>{text}</Link>
                        ) : (
                          text
                        )}
                      </td>
                    );
                  })}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </>
  );
}

function useGroupNames(by: string, groups: Group[]): (value: string | number | null) => string {
  const { t } = useTranslation();
  const table = useLifecycle().data;
  const types = useTypes().data;
  const titles = useTitles(by === "department" ? groups.map((group) => (group.by[0] === null ? null : String(group.by[0]))) : []);
  return (value) => {
    if (value === null || value === "") return t("cases.figures.unknown");
    const text = String(value);
    if (by === "department") return titles[text] ?? text;
    if (by === "source") return say(table?.sources[text]) || text;
    if (by === "type") return say(types?.find((one) => `${one.kind}/${one.code}` === text)?.name) || text;
    if (by === "major") return say(types?.find((one) => `${one.kind}/${one.code.slice(0, 2)}` === text)?.major) || text;
    if (by === "month") return `${text.slice(0, 4)}-${text.slice(4)}`;
    if (by === "day") return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`;
    return text;
  };
}
