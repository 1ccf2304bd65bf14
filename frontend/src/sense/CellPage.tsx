/** The state of one cell: whether it is as it should be, by which rules and readings, and how it was. */
import { MapPin } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { useZone } from "../api/questions";
import { useTitle } from "../app/title";
import { Empty, Failure, Loading } from "../design/States";
import { Table } from "../design/Table";
import { instant } from "../words";
import { AlarmItem } from "./AlarmItem";
import { type CellState, TONES, useCellState, useFreshAlarms } from "./alarms";
import { resultText } from "./questions";

export function CellPage() {
  const { t } = useTranslation();
  const { code = "" } = useParams();
  useFreshAlarms();
  const found = useCellState(code);
  useTitle(`${t("alarms.cell.name")} ${code}`);
  return (
    <div className="page">
      <nav className="small quiet" aria-label={t("alarms.name")}>
        <Link to="/sense/events">{t("alarms.title")}</Link>
      </nav>
      {found.error && !found.data ? (
        <Failure error={found.error} retry={() => found.refetch()} />
      ) : found.data ? (
        <Known state={found.data} />
      ) : (
        <Loading lines={8} />
      )}
    </div>
  );
}

export function StateBadge({ severity }: { severity: CellState["severity"] }) {
  const { t } = useTranslation();
  if (severity === "") return <span className="badge good">{t("alarms.cell.good")}</span>;
  if (severity === "unknown") return <span className="badge">{t("alarms.cell.unknown")}</span>;
  return <span className={`badge ${TONES[severity]}`}>{t(`alarms.cell.states.${severity}`)}</span>;
}

function Known({ state }: { state: CellState }) {
  const { t } = useTranslation();
  const zone = useZone();
  const [west, south, east, north] = state.bounds;
  const at = `${((south + north) / 2).toFixed(5)},${((west + east) / 2).toFixed(5)},15`;
  return (
    <>
      <header className="sense-head">
        <h1>
          {t("alarms.cell.name")} <StateBadge severity={state.severity} />
        </h1>
        <Link className="button" to={`/?alarms=1&cell=${encodeURIComponent(state.code)}&at=${at}`}>
          <MapPin aria-hidden />
          {t("alarms.cell.onMap")}
        </Link>
      </header>
      <p className="small code">{t("alarms.cell.about", { code: state.code, level: state.level })}</p>
      <h2>{t("alarms.cell.now")}</h2>
      {state.alarms.length === 0 ? (
        <Empty title={t("alarms.cell.noneNow")} compact />
      ) : (
        <ul className="alarm-list">
          {state.alarms.map((one) => (
            <AlarmItem key={one.id} alarm={one} />
          ))}
        </ul>
      )}
      <h2>{t("alarms.cell.streams")}</h2>
      {state.streams.length === 0 ? (
        <Empty title={t("alarms.cell.noStreams")} compact />
      ) : (
        <Table label={t("alarms.cell.streams")} head={[t("sense.thing"), t("sense.intake.stream"), t("alarms.cell.newest"), t("sense.at")]}>
          <tbody>
            {state.streams.map((one) => (
              <tr key={one.id}>
                <th scope="row">{one.thing}</th>
                <td><Link to={`/sense/streams/${one.id}`}>{one.name}</Link></td>
                <td className="nowrap">{resultText(one.result, one.symbol, t("sense.noReading"))}</td>
                <td className="nowrap">{one.time ? instant(one.time, zone) : t("sense.never")}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      <h2>{t("alarms.cell.past")}</h2>
      {state.past.length === 0 ? (
        <Empty title={t("alarms.cell.nonePast")} compact />
      ) : (
        <ul className="alarm-list">
          {state.past.map((one) => (
            <AlarmItem key={one.id} alarm={one} />
          ))}
        </ul>
      )}
    </>
  );
}
