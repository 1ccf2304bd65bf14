/** Sensors at fault: which, by what it is told, beside what their neighbours say. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { askJson } from "../api/client";
import { useZone } from "../api/questions";
import { Fault as Problem } from "../design/Form";
import { Empty, Failure, Loading, Waiting } from "../design/States";
import { dayOfYear, instant, say } from "../words";
import { Chart } from "./Chart";

export const FAULTS = ["silent", "stuck", "drifting", "noisy", "implausible"] as const;
type Kind = (typeof FAULTS)[number];
type Fault = {
  id: number;
  stream: number;
  stream_name: string;
  thing: number;
  thing_name: string;
  kind: Kind;
  since: string;
  until: string | null;
  says: { zh: string; en: string };
  case: string;
  mark: "" | "true" | "false";
};
type Page = { faults: Fault[]; before: number | null; lasting: Partial<Record<Kind, number>> };
type Drawn = { fault: Fault; points: [string, number | null, number | null][] };

export function Faults() {
  const { t } = useTranslation();
  const [kind, setKind] = useState("");
  const [lasting, setLasting] = useState(true);
  const found = useInfiniteQuery({
    queryKey: ["sense", "faults", kind, lasting],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) =>
      askJson<Page>("/api/sense/faults", { query: { kind: kind || undefined, lasting: lasting || undefined, before: pageParam || undefined }, signal }),
    getNextPageParam: (page) => page.before ?? undefined,
    refetchInterval: 60_000,
  });
  const pages = found.data?.pages;
  const faults = pages?.flatMap((one) => one.faults) ?? [];
  const counts = pages?.[0]?.lasting ?? {};
  return (
    <>
      <p className="quiet">{t("sense.faults.lead")}</p>
      <div className="sense-tools">
        <select className="choice" aria-label={t("sense.faults.kind")} value={kind} onChange={(event) => setKind(event.target.value)}>
          <option value="">{`${t("sense.faults.kind")} · ${t("sense.any")}`}</option>
          {FAULTS.map((one) => (
            <option key={one} value={one}>{`${t(`sense.faults.kinds.${one}`)} (${counts[one] ?? 0})`}</option>
          ))}
        </select>
        <label className="sense-check">
          <input type="checkbox" checked={lasting} onChange={(event) => setLasting(event.target.checked)} />
          {t("sense.faults.lasting")}
        </label>
      </div>
      <Waiting of={found} lines={6} />
      {pages && faults.length === 0 && <Empty title={t("sense.faults.none")}>{t("sense.faults.noneMend")}</Empty>}
      <ul className="sense-faults">
        {faults.map((one) => (
          <li key={one.id} className="card">
            <One fault={one} />
          </li>
        ))}
      </ul>
      {found.hasNextPage && (
        <button type="button" className="button" disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t("sense.next")}
        </button>
      )}
    </>
  );
}

export function FaultBadge({ kind }: { kind: string }) {
  const { t } = useTranslation();
  return <span className="badge bad">{t(`sense.faults.kinds.${kind}`)}</span>;
}

function One({ fault }: { fault: Fault }) {
  const { t } = useTranslation();
  const zone = useZone();
  const [open, setOpen] = useState(false);
  const until = fault.until ? instant(fault.until, zone, "minute") : t("sense.faults.still");
  return (
    <>
      <h2 className="sense-fault-name">
        <FaultBadge kind={fault.kind} />
        <Link to={`/sense/streams/${fault.stream}`}>{`${fault.thing_name} · ${fault.stream_name}`}</Link>
        {fault.mark && <span className="badge">{t(`sense.faults.marks.${fault.mark}`)}</span>}
      </h2>
      <p>{say(fault.says)}</p>
      <p className="small quiet">
        {`${instant(fault.since, zone, "minute")} – ${until}`}
        {fault.case && (
          <>
            {" · "}
            <Link to={`/cases/${fault.case}`}>{t("sense.faults.case", { number: fault.case })}</Link>
          </>
        )}
      </p>
      <button type="button" className="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        {t("sense.faults.evidence")}
      </button>
      {open && <Evidence number={fault.id} />}
    </>
  );
}

function Evidence({ number }: { number: number }) {
  const { t } = useTranslation();
  const zone = useZone();
  const questions = useQueryClient();
  const found = useQuery({
    queryKey: ["sense", "fault", number],
    queryFn: ({ signal }) => askJson<Drawn>(`/api/sense/faults/${number}`, { signal }),
  });
  const mark = useMutation({
    mutationFn: (said: string) => askJson(`/api/sense/faults/${number}/mark`, { method: "POST", body: { mark: said } }),
    onSuccess: () => questions.invalidateQueries({ queryKey: ["sense"] }),
  });
  if (found.error) return <Failure error={found.error} retry={() => found.refetch()} />;
  if (!found.data) return <Loading lines={4} />;
  const { points } = found.data;
  const line = (at: 1 | 2) => points.map((one) => ({ x: Date.parse(one[0]), y: one[at] }));
  return (
    <>
      {points.length > 1 && (
        <Chart
          label={t("sense.faults.chart")}
          lines={[
            { name: t("sense.faults.own"), points: line(1) },
            { name: t("sense.faults.expected"), points: line(2) },
          ]}
          xText={(x) => instant(new Date(x).toISOString(), zone, "minute")}
          xTick={(x) => dayOfYear(x, zone)}
          yText={(y) => String(Number(y.toPrecision(5)))}
        />
      )}
      <div className="sense-tools">
        <button type="button" className="button" disabled={mark.isPending} onClick={() => mark.mutate("true")}>{t("sense.faults.isTrue")}</button>
        <button type="button" className="button" disabled={mark.isPending} onClick={() => mark.mutate("false")}>{t("sense.faults.isFalse")}</button>
      </div>
      {mark.error && <Problem error={mark.error} />}
    </>
  );
}
