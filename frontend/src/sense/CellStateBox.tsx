/** The state of a cell beside the map, where there is anything that tells it: why, in short. */
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { say } from "../words";
import { Reasons, SeverityBadge, Span, WayText } from "./AlarmItem";
import { useCellState } from "./alarms";
import "./alarms.css";
import { StateBadge } from "./CellPage";

export function CellStateBox({ code }: { code: string }) {
  const { t } = useTranslation();
  const state = useCellState(code).data;
  if (!state || state.alarms.length + state.past.length + state.streams.length === 0) return null;
  return (
    <section className="cell-state" aria-label={t("alarms.cell.name")} data-severity={state.severity}>
      <h3>
        {t("alarms.cell.name")} <StateBadge severity={state.severity} />
      </h3>
      <ul className="alarm-list">
        {state.alarms.slice(0, 5).map((one) => (
          <li key={one.id} className="alarm" data-severity={one.severity} data-lasting="true">
            <div className="alarm-head">
              <SeverityBadge severity={one.severity} />
              <b>{say(one.title)}</b>
              <Span began={one.began} ended={one.ended} />
            </div>
            {one.way && <WayText way={one.way} />}
            <Reasons reasons={one.reasons} signs={one.signs} />
            {one.case && (
              <p className="alarm-links small">
                <Link to={`/cases/${one.case}`}>{t("alarms.toCase", { number: one.case })}</Link>
              </p>
            )}
          </li>
        ))}
      </ul>
      <p className="small">
        <Link to={`/sense/cell/${encodeURIComponent(code)}`}>{t("alarms.layer.state")}</Link>
      </p>
    </section>
  );
}
