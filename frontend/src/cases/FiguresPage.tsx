/** Evaluation: the indicators with their formulas, as a whole or as scoreboards; every figure leads to its cases. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ArrowDownWideNarrow } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useZone } from "../api/questions";
import { askJson } from "../api/client";
import { Empty, Failure, Loading } from "../design/States";
import { count as written, decimal, instant, list, say, share, type Text } from "../words";
import { type Address, useAddress } from "./filters";
import { HandlingDepartment, SourceChoice } from "./pickers";
import { useLifecycle, useTitles, useTypes } from "./questions";
import { dayIn, midnight } from "../words/days";

type Indicator = { key: string; says: Text; formula: string; waits: string };
type Figure = { top: number; bottom: number | null; value: number | null; change?: number | null; year_change?: number | null };
type ComparedGroup = { by: (string | number | null)[]; figures: Record<string, { now: Figure; change: number | null; year_change: number | null }> };
type Board = { key: string; says: Text; dimension: string; indicators: { key: string; weight: number; less: boolean }[] };
type Score = { by: string | number; rank: number | null; score: number | null; grade: Text | null; figures: Record<string, Figure> };
type FindingKind = { key: string; says: Text; rule: string };
type Finding = { key: string; by: Record<string, string | number>; count: number; of: number; cases: string[] };
type Group = { by: (string | number | null)[]; figures: Record<string, Figure> };

const BY = ["department", "street", "community", "type", "major", "source", "collector", "acceptor", "dispatcher", "handler", "month", "day"] as const;
/** The dimensions by which a list of cases can be asked for, too. */
const LEADS = ["department", "street", "community", "source", "collector", "acceptor", "dispatcher", "handler", "type", "major"];
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

/** Where a period begins and ends, in days of the city. */
function period(name: string, zone: string): { since?: string; until?: string } {
  const today = dayIn(zone, new Date());
  const [year, month] = today.split("-").map(Number) as [number, number];
  const first = (y: number, m: number) => midnight(`${m < 1 ? y - 1 : y}-${String(m < 1 ? m + 12 : m).padStart(2, "0")}-01`, zone);
  const tomorrow = new Date(Date.parse(midnight(today, zone)) + 86_400_000).toISOString();
  if (name === "month") return { since: first(year, month), until: tomorrow };
  if (name === "lastMonth") return { since: first(year, month - 1), until: first(year, month) };
  if (name === "year") return { since: first(year, 1), until: tomorrow };
  return {};
}

const VIEWS = ["indicators", "scores", "findings"] as const;

export function FiguresPage() {
  const { t } = useTranslation();
  const address = useAddress();
  const zone = useZone();
  const named = address.get("period") || "month";
  const part = address.get("part") || "indicators";
  const asked = new URLSearchParams(address.filters);
  for (const [name, value] of Object.entries(period(named, zone))) if (!asked.has(name)) asked.set(name, value);
  const table = useQuery({
    queryKey: ["case-indicators"],
    queryFn: ({ signal }) => askJson<Indicator[]>("/api/cases/indicators", { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <>
      <div className="scope" role="group" aria-label={t("cases.figures.name")}>
        {VIEWS.map((one) => (
          <button key={one} type="button" className="chip" aria-pressed={part === one} onClick={() => address.put({ part: one === "indicators" ? null : one })}>
            {t(`cases.figures.parts.${one}`)}
          </button>
        ))}
      </div>
      <Choices address={address} by={part === "indicators" ? address.get("by") : null} named={named} />
      {part === "indicators" && <Figures address={address} asked={asked} table={table.data ?? []} />}
      {part === "scores" && <Scores address={address} asked={asked} table={table.data ?? []} />}
      {part === "findings" && <Findings asked={asked} />}
    </>
  );
}

function Figures({ address, asked, table }: { address: Address; asked: URLSearchParams; table: Indicator[] }) {
  const by = address.get("by");
  const keys = address.all("key").length ? address.all("key") : FIRST;
  const compares = !by && asked.has("since") && asked.has("until");
  const question = new URLSearchParams(asked);
  if (by) {
    question.set("by", by);
    for (const key of keys) question.append("key", key);
  }
  const answer = useQuery({
    queryKey: ["cases", "figures", compares, question.toString()],
    queryFn: async ({ signal }): Promise<Group[]> => {
      if (!compares) return askJson<Group[]>(`/api/cases/figures?${question}`, { signal });
      const told = await askJson<ComparedGroup[]>(`/api/cases/figures/compared?${question}`, { signal });
      return told.map((one) => ({
        by: one.by,
        figures: Object.fromEntries(Object.entries(one.figures).map(([key, each]) => [key, { ...each.now, ...each }])),
      }));
    },
    placeholderData: keepPreviousData,
  });
  if (answer.isPending) return <Loading lines={10} />;
  if (answer.error) return <Failure error={answer.error} retry={() => answer.refetch()} />;
  return by ? (
    <Scoreboard groups={answer.data} table={table} keys={keys} by={by} asked={asked} address={address} />
  ) : (
    <Whole figures={answer.data[0]?.figures ?? {}} table={table} asked={asked} compares={compares} />
  );
}

function Scores({ address, asked, table }: { address: Address; asked: URLSearchParams; table: Indicator[] }) {
  const { t } = useTranslation();
  const boards = useQuery({
    queryKey: ["case-scoreboards"],
    queryFn: ({ signal }) => askJson<Board[]>("/api/cases/scoreboards", { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const key = address.get("board") || "departments";
  const board = boards.data?.find((one) => one.key === key);
  const scores = useQuery({
    queryKey: ["cases", "scores", key, asked.toString()],
    queryFn: ({ signal }) => askJson<Score[]>(`/api/cases/scoreboards/${key}?${asked}`, { signal }),
    placeholderData: keepPreviousData,
  });
  const nameOf = useGroupNames(board?.dimension ?? "", (scores.data ?? []).map((one) => ({ by: [one.by] })));
  const hours = (n: string) => t("cases.figures.hours", { n });
  const says = (name: string) => say(table.find((one) => one.key === name)?.says) || name;
  if (boards.isPending || scores.isPending) return <Loading lines={8} />;
  if (boards.error || scores.error) return <Failure error={boards.error ?? scores.error} retry={() => scores.refetch()} />;
  return (
    <>
      <div className="chips" role="group" aria-label={t("cases.figures.parts.scores")}>
        {boards.data.map((one) => (
          <button key={one.key} type="button" className="chip" aria-pressed={one.key === key} onClick={() => address.put({ board: one.key })}>
            {say(one.says)}
          </button>
        ))}
      </div>
      {board && (
        <p className="small quiet">
          {t("cases.figures.weights", {
            parts: list(board.indicators.map((one) => t(one.less ? "cases.figures.weightLess" : "cases.figures.weight", { says: says(one.key), weight: one.weight }))),
          })}
        </p>
      )}
      {scores.data.length === 0 || !board ? (
        <Empty title={t("cases.figures.none")} />
      ) : (
        <div className="table-box" tabIndex={0} role="region" aria-label={say(board.says)}>
          <table className="table">
            <thead>
              <tr>
                <th scope="col" className="end">
                  {t("cases.figures.rank")}
                </th>
                <th scope="col">{t(`cases.figures.dimensions.${board.dimension}`)}</th>
                <th scope="col" className="end">
                  {t("cases.figures.score")}
                </th>
                <th scope="col">{t("cases.figures.grade")}</th>
                {board.indicators.map((one) => (
                  <th key={one.key} scope="col" className="end">
                    {says(one.key)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {scores.data.map((one) => (
                <tr key={String(one.by)}>
                  <td className="end">{one.rank ?? "–"}</td>
                  <th scope="row">
                    {LEADS.includes(board.dimension) ? (
                      <Link to={casesOf(asked, chosenBy(board.dimension, one.by))}>{nameOf(one.by)}</Link>
                    ) : (
                      nameOf(one.by)
                    )}
                  </th>
                  <td className="end">{one.score === null ? "–" : decimal(one.score, 4)}</td>
                  <td>{one.grade && <span className="badge">{say(one.grade)}</span>}</td>
                  {board.indicators.map((each) => {
                    const text = shown(each.key, one.figures[each.key], hours);
                    return (
                      <td key={each.key} className="end">
                        {LEADS.includes(board.dimension) && text !== "–" ? (
                          <Link to={casesOf(asked, { indicator: each.key, ...chosenBy(board.dimension, one.by) })}>{text}</Link>
                        ) : (
                          text
                        )}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Findings({ asked }: { asked: URLSearchParams }) {
  const { t } = useTranslation();
  const zone = useZone();
  const kinds = useQuery({
    queryKey: ["case-finding-kinds"],
    queryFn: ({ signal }) => askJson<FindingKind[]>("/api/cases/findings/kinds", { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const found = useQuery({
    queryKey: ["cases", "findings", asked.toString()],
    queryFn: ({ signal }) => askJson<Finding[]>(`/api/cases/findings?${asked}`, { signal }),
    placeholderData: keepPreviousData,
  });
  const all = found.data ?? [];
  const titles = useTitles(all.map((one) => (one.by.department === undefined ? null : String(one.by.department))));
  const people = usePeople(all.map((one) => (one.by.collector === undefined ? "" : String(one.by.collector))));
  const told = (name: string, value: string | number) => {
    if (name === "department") return titles[String(value)] ?? String(value);
    if (name === "handled_hour") return instant(new Date(Number(value) / 1000).toISOString(), zone, "hour");
    return people[String(value)] ?? dated(name, String(value));
  };
  if (kinds.isPending || found.isPending) return <Loading lines={6} />;
  if (kinds.error || found.error) return <Failure error={kinds.error ?? found.error} retry={() => found.refetch()} />;
  return (
    <>
      <p className="small quiet">{t("cases.figures.findingsLead")}</p>
      {kinds.data.map((kind) => {
        const mine = all.filter((one) => one.key === kind.key);
        return (
          <section key={kind.key} className="card stack finding">
            <h2>
              {say(kind.says)} <span className="badge">{written(mine.length)}</span>
            </h2>
            <p className="small">
              <code>{kind.rule}</code>
            </p>
            {mine.length === 0 && <p className="small quiet">{t("cases.figures.noFinding")}</p>}
            <ul className="rows">
              {mine.map((one) => (
                <li key={JSON.stringify(one.by)}>
                  <details>
                    <summary>
                      {Object.entries(one.by)
                        .map(([name, value]) => told(name, value))
                        .join(" · ")}{" "}
                      <span className="numbers">{t("cases.figures.ofThem", { n: written(one.count), of: written(one.of) })}</span>
                    </summary>
                    <ul className="numbers-list">
                      {one.cases.map((number) => (
                        <li key={number}>
                          <Link to={`/cases/${number}`}>{number}</Link>
                        </li>
                      ))}
                    </ul>
                  </details>
                </li>
              ))}
            </ul>
          </section>
        );
      })}
    </>
  );
}

/** The names of people by identifier: those of a table are asked for together. */
function usePeople(ids: string[]): Record<string, string> {
  const wanted = [...new Set(ids.filter((id) => id.startsWith("person/")))].sort().slice(0, 200);
  const found = useQuery({
    queryKey: ["case-people", wanted.join(",")],
    queryFn: ({ signal }) => askJson<{ id: string; name: string }[]>(`/api/cases/people?${new URLSearchParams(wanted.map((id) => ["id", id]))}`, { signal }),
    enabled: wanted.length > 0,
    placeholderData: keepPreviousData,
    staleTime: 300_000,
  });
  return Object.fromEntries((found.data ?? []).map((one) => [one.id, one.name]));
}

function dated(name: string, text: string): string {
  if (name === "month") return `${text.slice(0, 4)}-${text.slice(4)}`;
  if (name === "day") return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`;
  return text;
}

function Choices({ address, by, named }: { address: Address; by: string | null; named: string }) {
  const { t } = useTranslation();
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
      {by !== null && (
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
      )}
      <SourceChoice address={address} />
      <HandlingDepartment
        label={t("cases.handlingDepartment")}
        value={department ? { code: department, title: titles[department] ?? department } : null}
        pick={(one) => address.put({ department: one?.code ?? null })}
      />
    </div>
  );
}

/** How the cases of a group are asked for: types and classes are told with their kind. */
function chosenBy(dimension: string, value: string | number): Record<string, string> {
  const [kind, code] = String(value).split("/");
  return ["type", "major"].includes(dimension) && code ? { kind: kind!, [dimension]: code } : { [dimension]: String(value) };
}

function casesOf(asked: URLSearchParams, more: Record<string, string>): string {
  const to = new URLSearchParams(asked);
  to.set("scope", "all");
  for (const [name, value] of Object.entries(more)) to.set(name, value);
  return `/cases?${to}`;
}

/** A difference with its sign: of shares in percentage points. */
function differs(key: string, figure: Figure | undefined, change: number | null | undefined): string {
  if (change === null || change === undefined) return "–";
  const sign = change > 0 ? "+" : change < 0 ? "−" : "±";
  const size = Math.abs(change);
  const isShare = figure !== undefined && figure.bottom !== null && !HOURS.includes(key) && !MULTIPLES.includes(key);
  return `${sign}${isShare ? decimal(size * 100, 3) : decimal(size, 4)}`;
}

function Whole({ figures, table, asked, compares }: {
  figures: Record<string, Figure>;
  table: Indicator[];
  asked: URLSearchParams;
  compares: boolean;
}) {
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
            {compares && (
              <>
                <th scope="col" className="end">
                  {t("cases.figures.before")}
                </th>
                <th scope="col" className="end">
                  {t("cases.figures.yearBefore")}
                </th>
              </>
            )}
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
                {compares && (
                  <>
                    <td className="end">{differs(one.key, figure, figure?.change)}</td>
                    <td className="end">{differs(one.key, figure, figure?.year_change)}</td>
                  </>
                )}
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
                          <Link to={casesOf(asked, { indicator: one.key, ...chosenBy(by, value) })}>{text}</Link>
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

function useGroupNames(by: string, groups: { by: (string | number | null)[] }[]): (value: string | number | null) => string {
  const { t } = useTranslation();
  const table = useLifecycle().data;
  const types = useTypes().data;
  const values = groups.map((group) => (group.by[0] === null ? "" : String(group.by[0])));
  const titles = useTitles(by === "department" ? values : []);
  const people = usePeople(values);
  return (value) => {
    if (value === null || value === "") return t("cases.figures.unknown");
    const text = String(value);
    if (by === "department") return titles[text] ?? text;
    if (by === "source") return say(table?.sources[text]) || text;
    if (by === "type") return say(types?.find((one) => `${one.kind}/${one.code}` === text)?.name) || text;
    if (by === "major") return say(types?.find((one) => `${one.kind}/${one.code.slice(0, 2)}` === text)?.major) || text;
    return people[text] ?? dated(by, text);
  };
}
