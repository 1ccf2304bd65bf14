/** What checking a dataset by its contract found: the score over time, the rules that are broken, their rows. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { CircleCheck, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { askJson } from "../api/client";
import { useZone } from "../api/questions";
import type { DatasetDetail } from "../api/types";
import { More } from "../design/More";
import { Empty, Failure, Waiting } from "../design/States";
import { Table } from "../design/Table";
import { count, instant, say, type Text } from "../words";
import { useMay } from "../session/questions";
import { Ask } from "./Ask";
import { Following } from "./Following";

type Rule = {
  id: string;
  kind: string;
  columns: string[];
  dimension: string;
  severity: "error" | "warning";
  text: Text;
  rows: number | null;
  failed: boolean;
  examples: number[];
  before: number | null;
};
export type Check = {
  id: string;
  version: number | null;
  contract: number;
  at: string;
  gated: boolean;
  score: number;
  rows: number;
  faulty: number;
  dimensions: Record<string, number>;
  rules: Rule[];
};

export function useChecks(dataset: DatasetDetail) {
  return useQuery({
    queryKey: ["checks", dataset.id, dataset.changed],
    queryFn: ({ signal }) => askJson<{ checks: Check[] }>(`/api/datasets/${dataset.id}/checks`, { signal }),
    enabled: dataset.rights.includes("inspect"),
  });
}

export function Checks({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useTranslation();
  const zone = useZone();
  const answer = useChecks(dataset);
  const mayAsk = useMay("correction.manage");
  const [events, setEvents] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  if (!dataset.rights.includes("inspect")) return null;
  if (!answer.data) return <Waiting of={answer} lines={4} />;
  const checks = answer.data.checks;
  const shown = checks.find((check) => check.id === chosen) ?? checks[0];
  const start = async () => {
    setError(null);
    try {
      setEvents((await askJson<{ events: string }>(`/api/datasets/${dataset.id}/checks`, { method: "POST" })).events);
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <section className="stack">
      <div className="dataset-head">
        <h2>{t("intake.checks")}</h2>
        <button type="button" className="button" onClick={start}>
          {t("intake.checkNow")}
        </button>
      </div>
      {error !== null && <Failure error={error} compact />}
      {events && <Following key={events} address={events} dataset={dataset.id} again={() => setEvents(null)} />}
      {checks.length === 0 && <Empty title={t("intake.noCheck")}>{t("intake.noCheckNote")}</Empty>}
      {checks.length > 0 && (
        <ol className="scores" aria-label={t("intake.overTime")}>
          {[...checks].reverse().map((check) => (
            <li key={check.id}>
              <button type="button" aria-pressed={check === shown} onClick={() => setChosen(check.id)}>
                <span className="bar" aria-hidden>
                  <span className={check.gated ? "gated" : ""} style={{ height: `${Math.max(4, check.score)}%` }} />
                </span>
                <b className="numbers">{check.score}</b>
                <span className="small quiet">
                  {check.version === null ? t("intake.heldBack") : t("data.versionNumber", { number: check.version })}
                </span>
              </button>
            </li>
          ))}
        </ol>
      )}
      {shown && (
        <>
          <p className="small quiet">
            {instant(shown.at, zone, "minute")} ·{" "}
            {shown.contract === 0 ? t("intake.byProposed") : t("intake.byContract", { number: shown.contract })} ·{" "}
            {t("intake.faulty", { faulty: count(shown.faulty), rows: count(shown.rows) })}
          </p>
          <dl className="figures numbers">
            {Object.entries(shown.dimensions).map(([name, score]) => (
              <div key={name}>
                <dt>{t(`intake.dimensions.${name}`, { defaultValue: name })}</dt>
                <dd>{score}</dd>
              </div>
            ))}
          </dl>
          <Rules dataset={dataset} check={shown} />
          {mayAsk && shown.contract > 0 && shown.rules.some((rule) => rule.failed) && (
            <Ask key={shown.id} dataset={dataset.id} check={shown.id} rules={shown.rules.filter((rule) => rule.failed)} />
          )}
        </>
      )}
    </section>
  );
}

function Rules({ dataset, check }: { dataset: DatasetDetail; check: Check }) {
  const { t } = useTranslation();
  const broken = check.rules.filter((rule) => rule.failed);
  if (broken.length === 0) {
    return (
      <div className="notice good">
        <CircleCheck aria-hidden />
        <p>{t("intake.allKept", { count: check.rules.length })}</p>
      </div>
    );
  }
  return (
    <ul className="findings">
      {broken.map((rule) => (
        <li key={rule.id} className="card">
          <TriangleAlert aria-hidden />
          <div>
            <p>{say(rule.text)}</p>
            <p className="small quiet">
              {t(`intake.dimensions.${rule.dimension}`, { defaultValue: rule.dimension })}
              {rule.severity === "warning" && ` · ${t("intake.warning")}`}
              {rule.before !== null && rule.rows !== null && ` · ${t("intake.before", { before: count(rule.before) })}`}
            </p>
            {rule.rows !== null && rule.rows > 0 && !rule.id.startsWith("quarantine:") && (
              <details>
                <summary>{t("intake.showRows")}</summary>
                <Rows dataset={dataset} check={check} rule={rule.id} />
              </details>
            )}
            {rule.id.startsWith("quarantine:") && (
              <p className="small">
                <Link to={`/data/${dataset.id}/quarantine`}>{t("data.tabs.quarantine")}</Link>
              </p>
            )}
          </div>
          <span className={rule.severity === "error" ? "badge bad numbers" : "badge warn numbers"}>
            {rule.rows === null ? t("intake.whole") : t("data.rowsCount", { count: rule.rows })}
          </span>
        </li>
      ))}
    </ul>
  );
}

type Finding = { rule: string; fact: number; row: number; value: string | null; lon: number | null; lat: number | null };

function Rows({ dataset, check, rule }: { dataset: DatasetDetail; check: Check; rule: string }) {
  const { t } = useTranslation();
  const answer = useInfiniteQuery({
    queryKey: ["findings", dataset.id, check.id, check.contract, rule],
    queryFn: ({ signal, pageParam }) =>
      askJson<{ findings: Finding[]; total: number; after: number | null }>(
        `/api/datasets/${dataset.id}/checks/${check.id}/findings`,
        { query: { rule, after: pageParam, limit: 20 }, signal },
      ),
    initialPageParam: 0,
    getNextPageParam: (page) => page.after ?? undefined,
  });
  if (!answer.data) return <Waiting of={answer} lines={3} compact />;
  const rows = answer.data.pages.flatMap((page) => page.findings);
  return (
    <>
      <Table label={t("intake.showRows")} head={[{ end: t("data.rowNumber") }, t("intake.value"), t("data.place")]}>
        <tbody>
          {rows.map((row) => (
            <tr key={row.fact}>
              <th scope="row" className="end">
                {check.version === dataset.version ? <Link to={`/data/${dataset.id}/records/${row.fact}`}>{row.row}</Link> : row.row}
              </th>
              <td className="clip">{row.value ?? "–"}</td>
              <td className="nowrap">
                {row.lon === null || row.lat === null ? (
                  "–"
                ) : (
                  <Link to={`/?at=${row.lat},${row.lon}`}>
                    {row.lat.toFixed(5)}, {row.lon.toFixed(5)}
                  </Link>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
      <More of={answer} />
    </>
  );
}
