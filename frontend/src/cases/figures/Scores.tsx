/** Scoreboards: weighted indicators as one score, with what it is made of. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { askJson } from "../../api/client";
import { Empty, Failure, Loading } from "../../design/States";
import { Table } from "../../design/Table";
import { decimal, list, say, type Text } from "../../words";
import type { Address } from "../filters";
import { casesOf, chosenBy, type Figure, type Indicator, LEADS, shown } from "./figures";
import { useGroupNames } from "./names";

type Board = { key: string; says: Text; dimension: string; indicators: { key: string; weight: number; less: boolean }[] };
type Score = { by: string | number; rank: number | null; score: number | null; grade: Text | null; figures: Record<string, Figure> };

export function Scores({ address, asked, table }: { address: Address; asked: URLSearchParams; table: Indicator[] }) {
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
        <Table label={say(board.says)}>
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
        </Table>
      )}
    </>
  );
}
