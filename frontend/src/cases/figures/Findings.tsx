/** What stands out in the cases: what may have been done for the figures' sake. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { askJson } from "../../api/client";
import { useZone } from "../../api/questions";
import { Failure, Loading } from "../../design/States";
import { count as written, instant, say, type Text } from "../../words";
import { useTitles } from "../questions";
import { dated } from "./figures";
import { usePeople } from "./names";

type FindingKind = { key: string; says: Text; rule: string };
type Finding = { key: string; by: Record<string, string | number>; count: number; of: number; cases: string[] };

export function Findings({ asked }: { asked: URLSearchParams }) {
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
