/** One record: what it is called, where and when it is, and which row of which file it was read from. */
import { FileText } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useCity } from "../api/questions";
import type { Fact } from "../api/types";
import { instant, type Precision } from "../words";

/** The first values of a record that has no name, so that one can tell it from the others. */
function lead(fact: Fact): string {
  const values = Object.values(fact.values).filter((value) => value !== null && value !== "");
  return values.slice(0, 3).map(String).join(" · ").slice(0, 120);
}

export function FactItem({ dataset, fact }: { dataset: string; fact: Fact }) {
  const { t } = useTranslation();
  const zone = useCity().data?.time_zone ?? "Asia/Shanghai";
  return (
    <li className="fact">
      <div className="fact-head">
        <Link to={`/data/${dataset}/records/${fact.fact}`}>{fact.name ?? (lead(fact) || t("map.record"))}</Link>
        {fact.relation && fact.relation !== "within" && (
          <span className="badge" title={t(`map.relationNote.${fact.relation}`)}>
            {t(`map.relation.${fact.relation}`)}
          </span>
        )}
      </div>
      <p className="fact-foot small quiet">
        {fact.time && <span>{instant(fact.time.start, zone, fact.time.precision as Precision)}</span>}
        {fact.source && (
          <span className="fact-source" title={fact.source.file}>
            <FileText aria-hidden />
            {fact.source.file}
            {fact.source.layer ? ` / ${fact.source.layer}` : ""} · {t("map.row", { row: fact.source.row })}
          </span>
        )}
      </p>
    </li>
  );
}
