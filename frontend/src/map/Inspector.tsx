/** Everything in one cell: its codes, its size, and all records in it grouped by dataset. */
import { useQuery } from "@tanstack/react-query";
import { ChevronDown, ExternalLink, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { askJson } from "../api/client";
import type { CellAnswer, CellGroup } from "../api/types";
import { Empty, Waiting } from "../design/States";
import { CellStateBox } from "../sense/CellStateBox";
import { count, langOf, metres, say, squareMetres } from "../words";
import { FactItem } from "./FactItem";

export function useCell(code: string | null) {
  return useQuery({
    queryKey: ["cell", code],
    queryFn: ({ signal }) => askJson<CellAnswer>(`/api/cells/${encodeURIComponent(code!)}`, { query: { limit: 20 }, signal }),
    enabled: code !== null,
  });
}

export function Inspector({ code, close, go, alarms }: {
  code: string;
  close: () => void;
  go: (code: string) => void;
  /** Whether the state of the cell is told, too. */
  alarms?: boolean;
}) {
  const { t } = useTranslation();
  const answer = useCell(code);
  const cell = answer.data?.cell;
  return (
    <section className="panel inspector" aria-label={t("map.cell")}>
      <header className="panel-head">
        <div>
          <h2>{t("map.cell")}</h2>
          {cell && (
            <p className="small quiet">
              {metres(cell.width_m)} × {metres(cell.height_m)} · {squareMetres(cell.area_m2)}
            </p>
          )}
        </div>
        <button type="button" className="icon-button" aria-label={t("map.close")} onClick={close}>
          <X aria-hidden />
        </button>
      </header>
      <div className="panel-body">
        <Waiting of={answer} lines={6} compact />
        {cell && (
          <>
            <dl className="cell-codes">
              {cell.beidou && (
                <div>
                  <dt>{cell.beidou.same_cell ? t("codes.beidou") : t("map.beidouAround")}</dt>
                  <dd className="code">{cell.beidou.text}</dd>
                </div>
              )}
              {cell.geosot && (
                <div>
                  <dt>
                    {t("codes.geosot")} · {t("codes.levelOf", { level: cell.geosot.level })}
                  </dt>
                  <dd className="code">{cell.geosot.text}</dd>
                </div>
              )}
              <div>
                <dt>{t("codes.bounds")}</dt>
                <dd className="numbers small">
                  {cell.bounds[1].toFixed(5)}–{cell.bounds[3].toFixed(5)}, {cell.bounds[0].toFixed(5)}–{cell.bounds[2].toFixed(5)}
                </dd>
              </div>
            </dl>
            <div className="cell-links">
              <button type="button" className="button" disabled={!cell.coarser} onClick={() => cell.coarser && go(cell.coarser)}>
                {t("codes.coarser")}
              </button>
              <Link className="button" to={`/codes?q=${encodeURIComponent(code)}`}>
                <ExternalLink aria-hidden />
                {t("map.explainCode")}
              </Link>
            </div>
            {alarms && cell.geosot && <CellStateBox code={cell.geosot.text} />}
            <h3 className="cell-total">{t("map.records", { count: certain(answer.data!), n: count(certain(answer.data!)) })}</h3>
            {answer.data!.around > 0 && (
              <p className="small quiet">{t("map.aroundToo", { count: answer.data!.around, n: count(answer.data!.around) })}</p>
            )}
            {answer.data!.groups.length === 0 && <Empty title={t("map.nothing")} compact />}
            {answer.data!.groups.map((group) => (
              <Group key={group.dataset} group={group} open={answer.data!.groups.length <= 3} />
            ))}
          </>
        )}
      </div>
    </section>
  );
}

/** How many of the records surely lie in the cell, or cross it. */
const certain = ({ total, around }: { total: number; around: number }) => total - around;

function Group({ group, open }: { group: CellGroup; open: boolean }) {
  const { t } = useTranslation();
  return (
    <details className="group" open={open}>
      <summary>
        <ChevronDown aria-hidden />
        <span lang={langOf(say(group.title))}>{say(group.title)}</span>
        {certain(group) > 0 && <span className="badge numbers">{count(certain(group))}</span>}
        {group.around > 0 && (
          <span className="quiet small numbers" title={t("map.relationNote.around")}>
            {t("map.maybe", { n: count(group.around) })}
          </span>
        )}
      </summary>
      <p className="small quiet group-owner">{group.owner}</p>
      <ul className="facts-list">
        {group.records.map((fact) => (
          <FactItem key={fact.fact} dataset={group.dataset} fact={fact} />
        ))}
      </ul>
      {group.total > group.records.length && (
        <p className="small quiet group-more">{t("map.first", { shown: group.records.length, count: group.total })}</p>
      )}
    </details>
  );
}
