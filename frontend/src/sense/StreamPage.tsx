/** One stream: its newest reading, its chart over a period or day by day, and what it is. */
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { useZone } from "../api/questions";
import { useTitle } from "../app/title";
import { Empty, Failure, Loading } from "../design/States";
import { Table } from "../design/Table";
import { count, dayOfYear, instant } from "../words";
import { Chart, type Line } from "./Chart";
import { HOUR, resultText, useBuckets, useDays, useLive, useSeries, useStream } from "./questions";

const PERIODS = ["6", "24", "168", "720", "all"] as const;
type Period = (typeof PERIODS)[number];
const DAYS = 5;

type Told = {
  name: string;
  description?: string;
  phenomenonTime?: string;
  unitOfMeasurement?: { name?: string; symbol?: string };
  count: number;
  Thing?: { "@iot.id": number; name: string };
  Sensor?: { name: string };
  ObservedProperty?: { name: string };
  ObservedProperties?: { name: string }[];
  "@iot.selfLink": string;
};

export function StreamPage() {
  const { t } = useTranslation();
  const stream = Number(useParams().stream);
  const about = useStream(stream);
  if (about.error) return <div className="page"><Failure error={about.error} retry={() => about.refetch()} /></div>;
  if (!about.data) return <div className="page"><Loading lines={8} /></div>;
  return <Known key={stream} stream={stream} told={about.data as Told} label={t("sense.name")} />;
}

/** The last moment that a stream tells of: its charts end there, not at the reader's now. */
function endOf(told: Told): number {
  const last = told.phenomenonTime?.split("/").at(-1);
  return last ? Date.parse(last) + 1000 : Date.now();
}

function Known({ stream, told, label }: { stream: number; told: Told; label: string }) {
  const { t } = useTranslation();
  const zone = useZone();
  useTitle(told.name);
  const { newest } = useLive();
  const live = newest.get(stream);
  const [period, setPeriod] = useState<Period>("24");
  const [view, setView] = useState<"line" | "days">("line");
  const [table, setTable] = useState(false);
  const symbol = told.unitOfMeasurement?.symbol ?? "";
  const end = Math.max(endOf(told), live ? Date.parse(live.time) + 1000 : 0);
  const start = period === "all" ? Date.parse(told.phenomenonTime?.split("/")[0] ?? "") || end - HOUR : end - Number(period) * HOUR;
  const from = new Date(start).toISOString();
  const to = new Date(end).toISOString();
  const series = useSeries(stream, from, to);
  const latest = live ?? lastOf(series.data?.points);
  return (
    <div className="page wide">
      <nav className="small quiet" aria-label={label}>
        <Link to="/sense">{label}</Link>
      </nav>
      <header className="sense-head">
        <div>
          <h1>{told.name}</h1>
          <p className="lead">
            {told.Thing?.name}
            {told.description && ` · ${told.description}`}
          </p>
        </div>
        <p className="sense-now" aria-live="polite">
          <span className="small quiet">{t("sense.latest")}</span>
          <b>{resultText(latest?.result, symbol, t("sense.noReading"))}</b>
          {latest && <span className="small quiet">{instant(latest.time, zone)}</span>}
        </p>
      </header>
      <div className="sense-tools">
        <Choice label={t("sense.view")} value={view} options={["line", "days"]} name={(one) => t(`sense.views.${one}`)} pick={setView} />
        {view === "line" && (
          <Choice label={t("sense.period")} value={period} options={PERIODS} name={(one) => t(`sense.periods.${one}`)} pick={setPeriod} />
        )}
      </div>
      <section className="card sense-chart">
        {view === "days" ? (
          <Days stream={stream} end={end} symbol={symbol} />
        ) : series.error ? (
          <Failure error={series.error} retry={() => series.refetch()} compact />
        ) : !series.data ? (
          <Loading lines={6} />
        ) : (
          <Drawn points={series.data.points} name={told.name} symbol={symbol} size={series.data.count} other={series.data.other} zone={zone} />
        )}
      </section>
      {view === "line" && (
        <>
          <button type="button" className="button" aria-expanded={table} onClick={() => setTable(!table)}>
            {t("sense.asTable")}
          </button>
          {table && <Hours stream={stream} from={from} to={to} zone={zone} />}
        </>
      )}
      <dl className="facts sense-facts">
        <Fact name={t("sense.thing")}>{told.Thing && <Link to={`/sense/devices/${told.Thing["@iot.id"]}`}>{told.Thing.name}</Link>}</Fact>
        <Fact name={t("sense.sensor")}>{told.Sensor?.name}</Fact>
        <Fact name={t("sense.property")}>{told.ObservedProperty?.name ?? told.ObservedProperties?.map((one) => one.name).join(" · ")}</Fact>
        <Fact name={t("sense.unit")}>{[...new Set([told.unitOfMeasurement?.name, symbol])].filter(Boolean).join(" · ")}</Fact>
        <Fact name={t("sense.readings")}>{count(told.count)}</Fact>
        <Fact name={t("sense.observed")}>{told.phenomenonTime?.split("/").map((one) => instant(one, zone)).join(" – ")}</Fact>
        <Fact name={t("sense.api")}>
          <code>{told["@iot.selfLink"]}</code>
        </Fact>
      </dl>
    </div>
  );
}

function lastOf(points: [string, number | null][] | undefined) {
  const found = points?.findLast((one) => one[1] !== null);
  return found ? { time: found[0], result: found[1] as unknown } : undefined;
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children || "–"}</dd>
    </div>
  );
}

export function Choice<T extends string>({ label, value, options, name, pick }: {
  label: string;
  value: T;
  options: readonly T[];
  name: (one: T) => string;
  pick: (one: T) => void;
}) {
  return (
    <div role="group" aria-label={label} className="sense-choice">
      {options.map((one) => (
        <button key={one} type="button" className="button" aria-pressed={one === value} onClick={() => pick(one)}>
          {name(one)}
        </button>
      ))}
    </div>
  );
}

function Drawn({ points, name, symbol, size, other, zone }: {
  points: [string, number | null][];
  name: string;
  symbol: string;
  size: number;
  other: number;
  zone: string;
}) {
  const { t } = useTranslation();
  const lines = useMemo<Line[]>(() => [{ name, points: points.map(([time, y]) => ({ x: Date.parse(time), y })) }], [points, name]);
  const known = points.flatMap(([, y]) => (y === null ? [] : [y]));
  if (known.length === 0) return <Empty title={t("sense.noChart")} compact>{t("sense.noChartMend")}</Empty>;
  const gaps = points.length - known.length;
  const long = Date.parse(points.at(-1)![0]) - Date.parse(points[0]![0]) > 2 * 24 * HOUR;
  const short = (x: number) =>
    long ? dayOfYear(x, zone) : new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" }).format(x);
  const label = t("sense.chartOf", {
    name, count: size, from: instant(points[0]![0], zone), to: instant(points.at(-1)![0], zone),
    min: resultText(known.reduce((a, b) => Math.min(a, b)), symbol, ""), max: resultText(known.reduce((a, b) => Math.max(a, b)), symbol, ""),
  });
  return (
    <>
      <Chart lines={lines} label={label} xText={(x) => instant(new Date(x).toISOString(), zone)} xTick={short} yText={(y) => resultText(y, symbol, "")} />
      <p className="small quiet">
        {gaps > 0 && t("sense.gaps", { count: gaps })} {other > 0 && t("sense.other", { count: other })}
      </p>
    </>
  );
}

/** The days of the city that end with the newest reading, one line each, over the hours of a day. */
function Days({ stream, end, symbol }: { stream: number; end: number; symbol: string }) {
  const { t } = useTranslation();
  const zone = useZone();
  const local = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
  const days = Array.from({ length: DAYS }, (_, index) => local.format(new Date(end - index * 24 * HOUR)));
  const found = useDays(stream, days, true);
  const lines = useMemo<Line[]>(
    () => (found.data ?? []).map((one) => ({ name: one.day, points: one.buckets.map((bucket, hour) => ({ x: hour, y: bucket.mean })) })),
    [found.data],
  );
  if (found.error) return <Failure error={found.error} retry={() => found.refetch()} compact />;
  if (!found.data) return <Loading lines={6} />;
  if (!lines.some((line) => line.points.some((one) => one.y !== null))) return <Empty title={t("sense.noChart")} compact />;
  const hour = (x: number) => `${String(Math.round(x)).padStart(2, "0")}:00`;
  return <Chart lines={lines} label={t("sense.views.days")} xText={hour} xTick={hour} yText={(y) => resultText(y, symbol, "")} />;
}

function Hours({ stream, from, to, zone }: { stream: number; from: string; to: string; zone: string }) {
  const { t } = useTranslation();
  const hours = (Date.parse(to) - Date.parse(from)) / HOUR;
  const interval = 3600 * Math.max(1, Math.ceil(hours / 240));
  const found = useBuckets(stream, from, to, interval, true);
  if (found.error) return <Failure error={found.error} retry={() => found.refetch()} compact />;
  if (!found.data) return <Loading lines={6} />;
  return (
    <Table label={t("sense.table")}>
      <thead>
        <tr>
          <th scope="col">{t("sense.at")}</th>
          {["count", "mean", "min", "max"].map((one) => (
            <th key={one} scope="col" className="end">
              {t(`sense.${one}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {found.data.map((one) => (
          <tr key={one.start}>
            <th scope="row" className="nowrap">{instant(one.start, zone, "minute")}</th>
            <td className="end">{count(one.count)}</td>
            {[one.mean, one.min, one.max].map((value, index) => (
              <td key={index} className="end">{value === null ? "–" : Number(value.toPrecision(5))}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </Table>
  );
}
