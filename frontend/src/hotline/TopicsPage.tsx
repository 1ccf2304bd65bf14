/** What callers of each street speak of more than before, with the calls behind it. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { askJson } from "../api/client";
import { useAddress } from "../cases/filters";
import { Empty, Waiting } from "../design/States";
import { count as written, decimal } from "../words";

type Topic = {
  street: string;
  name: string | null;
  term: string;
  callers: number;
  of: number;
  before: number | null;
  of_before: number | null;
  weight: number;
  calls: string[];
};
type Topics = { monday: string; weeks: number; smallest: number; topics: Topic[] };

export function TopicsPage() {
  const { t } = useTranslation();
  const address = useAddress();
  const week = address.get("week");
  const weeks = address.get("weeks") || "4";
  const city = address.get("city") === "true";
  const found = useQuery({
    queryKey: ["hotline", "topics", week, weeks, city],
    queryFn: ({ signal }) => askJson<Topics>("/api/hotline/topics", { query: { week, weeks, by_street: !city }, signal }),
    placeholderData: keepPreviousData,
  });
  return (
    <>
      <p className="lead">{t("hotline.topics.lead", { n: found.data?.smallest ?? 5 })}</p>
      <div className="filter-grid">
        <label className="input">
          <span className="small">{t("hotline.topics.week")}</span>
          <input type="date" className="choice" value={week || (found.data?.monday ?? "")} onChange={(event) => address.put({ week: event.target.value })} />
        </label>
        <label className="input">
          <span className="small">{t("hotline.topics.weeks")}</span>
          <select className="choice" value={weeks} onChange={(event) => address.put({ weeks: event.target.value })}>
            {["1", "4", "8", "26"].map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
      </div>
      <div className="chips" role="group" aria-label={t("hotline.topics.name")}>
        <button type="button" className="chip" aria-pressed={!city} onClick={() => address.put({ city: "" })}>
          {t("hotline.topics.byStreet")}
        </button>
        <button type="button" className="chip" aria-pressed={city} onClick={() => address.put({ city: "true" })}>
          {t("hotline.topics.city")}
        </button>
      </div>
      <Waiting of={found} lines={6} />
      {found.isSuccess && found.data.topics.length === 0 && <Empty title={t("hotline.topics.none")}>{t("hotline.topics.noneMend")}</Empty>}
      {found.data && found.data.topics.length > 0 && (
        <ul className="rows card hotline-list">
          {found.data.topics.map((one) => (
            <li key={`${one.street}${one.term}`}>
              <div>
                <b className="topic">{one.term}</b>
                {one.street && <span className="badge">{one.name ?? one.street}</span>}
                <span className="small">
                  {t("hotline.topics.callers", { n: written(one.callers), of: written(one.of) })} ·{" "}
                  {one.before === null || one.of_before === null
                    ? t("hotline.topics.few")
                    : t("hotline.topics.before", { n: written(one.before), of: written(one.of_before) })}
                </span>
                <span className="small quiet">{t("hotline.topics.weight", { n: decimal(one.weight, 3) })}</span>
              </div>
              {one.calls.length > 0 && (
                <Link className="button" to={`/hotline/calls?${new URLSearchParams(one.calls.slice(0, 100).map((call) => ["number", call]))}`}>
                  {t("hotline.topics.calls", { count: one.calls.length })}
                </Link>
              )}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
