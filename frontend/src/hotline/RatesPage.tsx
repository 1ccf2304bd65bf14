/** The rates of the hotline with their formulas, as a whole or side by side. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import { useAddress } from "../cases/filters";
import { Empty, Failure, Loading } from "../design/States";
import { Table } from "../design/Table";
import { count as written, decimal, say, share, type Text } from "../words";
import { useSettings } from "./questions";

type Rate = { key: string; says: Text; said: Text; share: boolean };
type Figure = { top: number; bottom: number | null; value: number | null };
type Group = { by: string | number | null; name: string | null; figures: Record<string, Figure> };

const DIMENSIONS = ["street", "community", "department", "kind", "urgency", "channel", "taker", "day", "week", "month"];
const DAYS: Record<string, number> = { week: 7, month: 30, quarter: 90, year: 365 };
const SIDE_BY_SIDE = ["call_num", "connect_rate", "direct_rate", "response_rate", "solution_rate", "satisfaction_rate"];

export function RatesPage() {
  const { t } = useTranslation();
  const address = useAddress();
  const by = address.get("by");
  const period = address.get("period") || "month";
  const formulas = useQuery({ queryKey: ["hotline", "formulas"], queryFn: ({ signal }) => askJson<Rate[]>("/api/hotline/rates/formulas", { signal }) });
  const found = useQuery({
    queryKey: ["hotline", "rates", by, period],
    queryFn: ({ signal }) => {
      const since = new Date(Date.now() - (DAYS[period] ?? 30) * 86_400_000).toISOString();
      return askJson<Group[]>("/api/hotline/rates", { query: { by, since }, signal });
    },
    placeholderData: keepPreviousData,
  });
  return (
    <>
      <div className="filter-grid">
        <label className="input">
          <span className="small">{t("hotline.rates.period")}</span>
          <select className="choice" value={period} onChange={(event) => address.put({ period: event.target.value })}>
            {Object.keys(DAYS).map((one) => (
              <option key={one} value={one}>
                {t(`hotline.rates.periods.${one}`)}
              </option>
            ))}
          </select>
        </label>
        <label className="input">
          <span className="small">{t("hotline.rates.by")}</span>
          <select className="choice" value={by} onChange={(event) => address.put({ by: event.target.value })}>
            <option value="">{t("hotline.rates.whole")}</option>
            {DIMENSIONS.map((one) => (
              <option key={one} value={one}>
                {t(`hotline.rates.dimensions.${one}`)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {(found.isPending || formulas.isPending) && <Loading lines={10} />}
      {(found.error ?? formulas.error) && <Failure error={found.error ?? formulas.error} retry={() => found.refetch()} />}
      {found.data && formulas.data && (by ? <Groups groups={found.data} rates={formulas.data} by={by} /> : <Whole figures={found.data[0]?.figures ?? {}} rates={formulas.data} />)}
    </>
  );
}

function shown(rate: Rate, figure: Figure | undefined): string {
  if (!figure || figure.value === null) return "–";
  return rate.share ? share(figure.value) : decimal(figure.value, 4);
}

function Whole({ figures, rates }: { figures: Record<string, Figure>; rates: Rate[] }) {
  const { t } = useTranslation();
  return (
    <Table
      label={t("hotline.rates.name")}
      head={[t("hotline.rates.rate"), { end: t("hotline.rates.value") }, { end: t("hotline.rates.counts") }, t("hotline.rates.formula")]}
    >
      <tbody>
        {rates.map((one) => {
          const figure = figures[one.key];
          return (
            <tr key={one.key}>
              <th scope="row">{say(one.says)}</th>
              <td className="end">{shown(one, figure)}</td>
              <td className="end">{figure && figure.bottom !== null ? `${written(figure.top)} / ${written(figure.bottom)}` : ""}</td>
              <td className="small formula">{say(one.said)}</td>
            </tr>
          );
        })}
      </tbody>
    </Table>
  );
}

function Groups({ groups, rates, by }: { groups: Group[]; rates: Rate[]; by: string }) {
  const { t } = useTranslation();
  const settings = useSettings().data;
  const table = rates.filter((one) => SIDE_BY_SIDE.includes(one.key));
  const named = (one: Group) => {
    if (one.by === null) return t("hotline.rates.unknown");
    if (by === "channel") return say(settings?.channels[String(one.by)]);
    const listed = by === "kind" ? settings?.content.kinds : by === "urgency" ? settings?.content.urgencies : undefined;
    return one.name ?? (say(listed?.find((each) => each.key === one.by)) || dated(by, String(one.by)));
  };
  if (groups.length === 0) return <Empty title={t("hotline.rates.none")} />;
  return (
    <Table label={t("hotline.rates.name")}>
      <thead>
        <tr>
          <th scope="col">{t(`hotline.rates.dimensions.${by}`)}</th>
          {table.map((one) => (
            <th key={one.key} scope="col" className="end" title={say(one.said)}>
              {say(one.says)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {groups.map((one) => (
          <tr key={String(one.by)}>
            <th scope="row">{named(one)}</th>
            {table.map((rate) => (
              <td key={rate.key} className="end">
                {shown(rate, one.figures[rate.key])}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

/** Days, weeks and months as they are written: 20261123 as 2026-11-23, 202648 as 2026-W48. */
function dated(by: string, value: string): string {
  if (by === "day") return `${value.slice(0, 4)}-${value.slice(4, 6)}-${value.slice(6)}`;
  if (by === "week") return `${value.slice(0, 4)}-W${value.slice(4)}`;
  return by === "month" ? `${value.slice(0, 4)}-${value.slice(4)}` : value;
}
