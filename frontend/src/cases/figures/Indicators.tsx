/** The indicators with their formulas, as a whole or side by side; every figure leads to its cases. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ArrowDownWideNarrow } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { askJson } from "../../api/client";
import { Empty, Waiting } from "../../design/States";
import { Table } from "../../design/Table";
import { count as written, say } from "../../words";
import type { Address } from "../filters";
import { casesOf, chosenBy, differs, type Figure, type Group, type Indicator, isShare, LEADS, shown } from "./figures";
import { useGroupNames } from "./names";

type ComparedGroup = { by: (string | number | null)[]; figures: Record<string, { now: Figure; change: number | null; year_change: number | null }> };

const FIRST = ["report_num", "inst_num", "dispose_rate", "intime_dispose_rate", "archive_rate", "rework_rate", "accur_dispatch_rate"];

export function Indicators({ address, asked, table }: { address: Address; asked: URLSearchParams; table: Indicator[] }) {
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
  if (!answer.data) return <Waiting of={answer} lines={10} />;
  return by ? (
    <Scoreboard groups={answer.data} table={table} keys={keys} by={by} asked={asked} address={address} />
  ) : (
    <Whole figures={answer.data[0]?.figures ?? {}} table={table} asked={asked} compares={compares} />
  );
}

function Whole({ figures, table, asked, compares }: {
  figures: Record<string, Figure>;
  table: Indicator[];
  asked: URLSearchParams;
  compares: boolean;
}) {
  const { t } = useTranslation();
  const points = (n: string) => t("cases.figures.points", { n });
  const hours = (n: string) => t("cases.figures.hours", { n });
  return (
    <Table
      label={t("cases.figures.name")}
      head={[
        t("cases.figures.indicator"),
        { end: t("cases.figures.value") },
        { end: t("cases.figures.counted") },
        compares && { end: t("cases.figures.before") },
        compares && { end: t("cases.figures.yearBefore") },
        t("cases.figures.formula"),
      ]}
    >
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
                {isShare(one.key, figure) ? `${written(figure.top)} / ${written(figure.bottom)}` : ""}
              </td>
              {compares && (
                <>
                  <td className="end">{differs(one.key, figure, figure?.change, points)}</td>
                  <td className="end">{differs(one.key, figure, figure?.year_change, points)}</td>
                </>
              )}
              <td className="small formula">{one.waits ? <span className="quiet">{t("cases.figures.waits", { what: say(one.waits) })}</span> : say(one.said)}</td>
            </tr>
          );
        })}
      </tbody>
    </Table>
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
      <Table label={t(`cases.figures.dimensions.${by}`)}>
        <thead>
          <tr>
            <th scope="col">{t(`cases.figures.dimensions.${by}`)}</th>
            {chosen.map((one) => (
              <th key={one.key} scope="col" className="end" aria-sort={order === one.key && !["month", "day"].includes(by) ? "descending" : undefined}>
                <button type="button" className="link-button" title={say(one.said)} onClick={() => address.put({ order: one.key })}>
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
      </Table>
    </>
  );
}
