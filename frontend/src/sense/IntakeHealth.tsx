/** How the intake of readings fares: rates, delays, what was kept apart and why, the busiest streams. */
import { useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { askJson } from "../api/client";
import { useZone } from "../api/questions";
import { Empty, Failure, Loading } from "../design/States";
import { Table } from "../design/Table";
import { count, instant } from "../words";
import { Chart, type Line } from "./Chart";

type Minute = { at: string; taken: number; mqtt: number; duplicates: number; apart: number; unknown: number; refused: number; median: number | null; most: number | null };
type Apart = { code: string; stream: number; said: Record<string, unknown> };
type Source = { stream: number; name: string; thing: string; per_minute: number; newest: string | null; behind: number | null };
type Way = { connected: boolean; messages: number; rejects: { topic: string; text: string }[] };
type Health = {
  now: string;
  readings: number;
  waiting: number;
  unflushed: number;
  flushed: string | null;
  sync_ms: number | null;
  taken: number;
  duplicates: number;
  unknown: number;
  refused: number;
  apart: Record<string, number>;
  examples: Apart[];
  minutes: Minute[];
  sources: Source[];
  mqtt: (Way & { kind: "broker" | "embedded"; restarts: number }) | null;
  nats: Way | null;
};

const REFRESH = 5_000;
const MINUTE = 60_000;

export function IntakeHealth() {
  const { t } = useTranslation();
  const found = useQuery({
    queryKey: ["sense", "health"],
    queryFn: ({ signal }) => askJson<Health>("/api/sense/health", { signal }),
    refetchInterval: REFRESH,
  });
  if (found.error && !found.data) return <Failure error={found.error} retry={() => found.refetch()} />;
  if (!found.data) return <Loading lines={8} />;
  const told = found.data;
  const rejects = [...(told.mqtt?.rejects ?? []), ...(told.nats?.rejects ?? [])];
  return (
    <>
      <Now told={told} />
      {told.minutes.some((one) => one.taken > 0) ? <Graphs minutes={told.minutes} /> : <Empty title={t("sense.intake.quiet")}>{t("sense.intake.quietMend")}</Empty>}
      <Rejects told={told} />
      {told.sources.length > 0 && <Sources sources={told.sources} />}
      {rejects.length > 0 && <NotUnderstood rejects={rejects} />}
    </>
  );
}

/** A length of time as one reads it: the largest unit that it fills. */
export function span(seconds: number, t: TFunction): string {
  const [name, size] = ([["days", 86_400], ["hours", 3_600], ["minutes", 60], ["seconds", 1]] as const).find(([, size]) => seconds >= size) ?? ["seconds", 1];
  return t(`sense.intake.${name}`, { count: Number((seconds / size).toPrecision(2)) });
}

function Now({ told }: { told: Health }) {
  const { t } = useTranslation();
  const zone = useZone();
  const whole = told.minutes.filter((one) => Date.parse(one.at) + MINUTE <= Date.parse(told.now)).at(-1);
  const delay = told.minutes.findLast((one) => one.median !== null)?.median ?? null;
  const facts: [string, string][] = [
    [t("sense.intake.perMinute"), count(whole?.taken ?? 0)],
    [t("sense.intake.delay"), delay === null ? "–" : span(delay, t)],
    [t("sense.intake.waiting"), count(told.waiting)],
    [t("sense.intake.unflushed"), count(told.unflushed)],
    [t("sense.intake.flushed"), told.flushed ? instant(told.flushed, zone, "minute") : t("sense.intake.never")],
    [t("sense.intake.sync"), told.sync_ms === null ? "–" : `${told.sync_ms.toFixed(1)} ms`],
    [t("sense.intake.duplicates"), count(told.duplicates)],
    [t("sense.intake.refused"), count(told.refused)],
    [t("sense.intake.unknown"), count(told.unknown)],
  ];
  const state = (way: Way) => (way.connected ? t("sense.intake.connected") : t("sense.intake.away"));
  if (told.mqtt) {
    facts.push([t(told.mqtt.kind === "embedded" ? "sense.intake.mqttWithin" : "sense.intake.mqtt"), state(told.mqtt)], [t("sense.intake.messages"), count(told.mqtt.messages)]);
    if (told.mqtt.restarts > 0) facts.push([t("sense.intake.restarts"), count(told.mqtt.restarts)]);
  }
  if (told.nats) facts.push(["NATS", state(told.nats)], [t("sense.intake.natsMessages"), count(told.nats.messages)]);
  return (
    <dl className="intake-facts" aria-label={t("sense.intake.now")}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Graphs({ minutes }: { minutes: Minute[] }) {
  const { t } = useTranslation();
  const zone = useZone();
  const at = minutes.map((one) => Date.parse(one.at));
  /** Minutes in which nothing came are not told: they are zero, and have no delay. */
  const drawn = (name: string, value: (one: Minute) => number | null, gap: number | null): Line => ({
    name,
    points: minutes.flatMap((one, index) => {
      const here = { x: at[index] ?? 0, y: value(one) };
      const before = at[index - 1];
      return before !== undefined && here.x - before > MINUTE
        ? [{ x: before + MINUTE, y: gap }, { x: here.x - MINUTE, y: gap }, here]
        : [here];
    }),
  });
  const rates = [drawn(t("sense.intake.taken"), (one) => one.taken, 0), drawn(t("sense.intake.apart"), (one) => one.apart, 0)];
  if (minutes.some((one) => one.mqtt > 0)) rates.push(drawn(t("sense.intake.byMqtt"), (one) => one.mqtt, 0));
  const lags = [drawn(t("sense.intake.median"), (one) => one.median, null), drawn(t("sense.intake.most"), (one) => one.most, null)];
  const said = (name: string, max: string) => t("sense.intake.chartOf", { name, count: minutes.length, max });
  const most = Math.max(...minutes.map((one) => one.most ?? 0));
  return (
    <div className="intake-charts">
      <section className="card sense-chart">
        <h2>{t("sense.intake.rates")}</h2>
        <Chart lines={rates} label={said(t("sense.intake.rates"), count(Math.max(...minutes.map((one) => one.taken))))} xText={(x) => instant(new Date(x).toISOString(), zone, "minute")} xTick={(x) => clock(x, zone)} yText={count} />
      </section>
      <section className="card sense-chart">
        <h2>{t("sense.intake.lags")}</h2>
        <Chart lines={lags} label={said(t("sense.intake.lags"), span(most, t))} xText={(x) => instant(new Date(x).toISOString(), zone, "minute")} xTick={(x) => clock(x, zone)} yText={(y) => span(y, t)} />
      </section>
    </div>
  );
}

function clock(x: number, zone: string): string {
  return new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone }).format(x);
}

function Rejects({ told }: { told: Health }) {
  const { t } = useTranslation();
  const reasons = Object.entries(told.apart);
  return (
    <section className="intake-part">
      <h2>{t("sense.intake.rejects")}</h2>
      <p className="quiet small">{t("sense.intake.rejectsAbout")}</p>
      {reasons.length === 0 ? (
        <p className="quiet">{t("sense.intake.noRejects")}</p>
      ) : (
        <>
          <ul className="intake-reasons">
            {reasons.map(([code, size]) => (
              <li key={code}>
                <b>{count(size)}</b> {t(`sense.intake.reasons.${code}`)}
              </li>
            ))}
          </ul>
          {told.examples.length > 0 && (
            <Table label={t("sense.intake.rejects")} head={["reason", "stream", "said"].map((one) => t(`sense.intake.${one}`))}>
              <tbody>
                {told.examples.map((one, index) => (
                  <tr key={index}>
                    <td className="nowrap">{t(`sense.intake.reasons.${one.code}`)}</td>
                    <td><Link to={`/sense/streams/${one.stream}`}>{one.stream}</Link></td>
                    <td><code>{words(one.said)}</code></td>
                  </tr>
                ))}
              </tbody>
            </Table>
          )}
        </>
      )}
    </section>
  );
}

/** What a reading said: its time as people read it, then its result. */
function words(said: Record<string, unknown>): string {
  const at = typeof said.time === "number" ? new Date(said.time / 1000).toISOString() : "";
  return `${at} ${JSON.stringify(said.result)}`;
}

function Sources({ sources }: { sources: Source[] }) {
  const { t } = useTranslation();
  return (
    <section className="intake-part">
      <h2>{t("sense.intake.sources")}</h2>
      <Table label={t("sense.intake.sources")} head={[t("sense.intake.stream"), t("sense.thing"), t("sense.intake.rate"), t("sense.intake.behind")]}>
        <tbody>
          {sources.map((one) => (
            <tr key={one.stream}>
              <th scope="row"><Link to={`/sense/streams/${one.stream}`}>{one.name}</Link></th>
              <td className="nowrap">{one.thing}</td>
              <td>{count(one.per_minute)}</td>
              <td>{one.behind === null ? "–" : span(one.behind, t)}</td>
            </tr>
          ))}
        </tbody>
      </Table>
    </section>
  );
}

function NotUnderstood({ rejects }: { rejects: { topic: string; text: string }[] }) {
  const { t } = useTranslation();
  return (
    <section className="intake-part">
      <h2>{t("sense.intake.notUnderstood")}</h2>
      <Table label={t("sense.intake.notUnderstood")} head={[t("sense.intake.topic"), t("sense.intake.said")]}>
        <tbody>
          {rejects.map((one, index) => (
            <tr key={index}>
              <td><code>{one.topic}</code></td>
              <td><code>{one.text}</code></td>
            </tr>
          ))}
        </tbody>
      </Table>
    </section>
  );
}
