/** One record: what it is called, where and when it is, and which row of which file it was read from. */
import { ChevronDown, FileText, MapPin } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useZone } from "../api/questions";
import type { Fact } from "../api/types";
import { instant, langOf, type Precision } from "../words";

/** The first values of a record that has no name, so that one can tell it from the others. */
function lead(fact: Fact): string {
  const values = Object.values(fact.values).filter((value) => value !== null && value !== "");
  return values.slice(0, 3).map(String).join(" · ").slice(0, 120);
}

export function FactItem({ dataset, fact, values, locate }: {
  dataset: string;
  fact: Fact;
  /** Whether the record's own values are shown beneath it. */
  values?: "open" | "closed";
  /** Points the record out on the map. */
  locate?: () => void;
}) {
  const { t } = useTranslation();
  const zone = useZone();
  const title = fact.name ?? (lead(fact) || t("map.record"));
  return (
    <li className="fact">
      <div className="fact-head">
        <Link to={`/data/${dataset}/records/${fact.fact}`} lang={langOf(title)}>{title}</Link>
        {fact.relation && fact.relation !== "within" && (
          <span className="badge" title={t(`map.relationNote.${fact.relation}`)}>
            {t(`map.relation.${fact.relation}`)}
          </span>
        )}
        {locate && (
          <button
            type="button"
            className="icon-button small-button"
            aria-label={t("map.locate", { title })}
            title={t("map.locate", { title })}
            onClick={locate}
          >
            <MapPin aria-hidden />
          </button>
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
      {values && (
        <details className="fact-values" open={values === "open"}>
          <summary className="small">
            <ChevronDown aria-hidden />
            {t("data.values")}
          </summary>
          <dl className="facts">
            {Object.entries(fact.values).map(([name, value]) => (
              <div key={name}>
                <dt lang={langOf(name)}>{name}</dt>
                <dd lang={langOf(value)}>{value === null ? "–" : String(value)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </li>
  );
}
