/** The wall of the operations centre: what lasts, large, on a map and as a list that turns by itself; nothing to press. */
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { nowBy, useCityNow, useClock } from "../api/clock";
import { useCity, useZone } from "../api/questions";
import { lendWall, useMode } from "../app/mode";
import { useTitle } from "../app/title";
import { AlarmCells } from "../map/AlarmCells";
import { BaseMap } from "../map/BaseMap";
import { useGround } from "../map/ground";
import { count, instant, say } from "../words";
import { SeverityBadge, Span, useSignWords } from "./AlarmItem";
import { GRAVEST, type Incident, useAlarms, useFreshAlarms, useIncidents, useStates } from "./alarms";
import { resultText } from "./questions";

const ON_A_SCREEN = 5;
/** Milliseconds for which a screen of the list stays. */
const STAYS = 12_000;

function useTurning(screens: number): number {
  const [at, setAt] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setAt((before) => before + 1), STAYS);
    return () => clearInterval(timer);
  }, []);
  return screens ? at % screens : 0;
}

export function AlarmWall({ lent }: {
  /** Whether the wall is this page's, and ends with it; otherwise it is the reader's choice. */
  lent?: boolean;
}) {
  const { t } = useTranslation();
  const zone = useZone();
  const city = useCity().data;
  const clock = useClock();
  const ground = useGround();
  const go = useNavigate();
  const mode = useMode();
  const now = new Date(useCityNow());
  useTitle(t("alarms.title"));
  useFreshAlarms();
  const found = useIncidents(true);
  const states = useStates(17, true);
  const lasting = useMemo(() => sorted(found.data?.pages[0]?.incidents ?? []), [found.data]);
  const screens = Math.ceil(lasting.length / ON_A_SCREEN);
  const at = useTurning(screens);
  const shown = lasting.slice(at * ON_A_SCREEN, (at + 1) * ON_A_SCREEN);

  useEffect(() => (lent ? lendWall() : undefined), [lent]);
  const [begun, setBegun] = useState(false);
  useEffect(() => {
    if (!lent) return;
    if (mode === "wall") setBegun(true);
    else if (begun) void go("/sense/events");
  }, [lent, mode, begun, go]);
  useEffect(() => {
    if (!lent) return;
    const key = (event: KeyboardEvent) => event.key === "Escape" && void go("/sense/events");
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, [lent, go]);

  const alarms = lasting.reduce((sum, one) => sum + one.lasting, 0);
  const cases = lasting.reduce((sum, one) => sum + one.cases.length, 0);
  const lost = found.isError || states.isError;
  const told = instant(new Date(found.dataUpdatedAt ? nowBy(clock, found.dataUpdatedAt) : now).toISOString(), zone);
  return (
    <div className="alarm-wall" data-lasting={lasting.length}>
      <header>
        <h1>{say(city?.name)} · {t("alarms.title")}</h1>
        <time className="numbers" dateTime={now.toISOString()}>{instant(now.toISOString(), zone)}</time>
      </header>
      <dl className="wall-counts">
        <Count name={t("alarms.wall.lasting")} value={lasting.length} tone={lasting[0] ? lasting[0].severity : "good"} />
        <Count name={t("alarms.wall.alarms")} value={alarms} />
        <Count name={t("alarms.wall.cases")} value={cases} />
      </dl>
      <div className="wall-map">
        <BaseMap label={t("alarms.wall.map")} ground={city ? ground : null} bounds={city?.bounds ?? undefined} still>
          <AlarmCells states={states.data?.states ?? []} />
        </BaseMap>
      </div>
      <div className="wall-list" aria-live="polite">
        {found.data && lasting.length === 0 && (
          <div className="wall-clear">
            <b>{t("alarms.wall.clear")}</b>
            <span>{t("alarms.wall.clearMend")}</span>
          </div>
        )}
        <ul>
          {shown.map((one) => (
            <WallItem key={one.id} incident={one} />
          ))}
        </ul>
      </div>
      <footer className="small">
        <span role="status" className={lost ? "wall-lost" : "quiet"}>{t(lost ? "alarms.wall.lost" : "alarms.wall.fresh", { time: told })}</span>
        {screens > 1 && <span className="quiet">{t("alarms.wall.page", { at: at + 1, of: screens })}</span>}
        {lent && <span className="quiet">{t("alarms.wall.leave")}</span>}
      </footer>
    </div>
  );
}

function sorted(incidents: Incident[]): Incident[] {
  return [...incidents].sort((a, b) => GRAVEST.indexOf(a.severity) - GRAVEST.indexOf(b.severity) || b.id - a.id);
}

function Count({ name, value, tone }: { name: string; value: number; tone?: string }) {
  return (
    <div data-severity={tone}>
      <dt>{name}</dt>
      <dd className="numbers">{count(value)}</dd>
    </div>
  );
}

function WallItem({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  const words = useSignWords();
  const first = useAlarms({ incident: incident.id, lasting: true }, 1).data?.pages[0]?.alarms[0];
  const why = first?.reasons[0];
  const sign = why && first?.signs[why.sign];
  return (
    <li className="wall-item" data-severity={incident.severity}>
      <div className="alarm-head">
        <SeverityBadge severity={incident.severity} />
        <b>{say(incident.title)}</b>
        {incident.lasting > 0 && <span>{t("alarms.lasting", { count: incident.lasting, n: count(incident.lasting) })}</span>}
      </div>
      {why && (
        <p>
          {[why.thing, why.name].filter(Boolean).join(" · ")}
          {why.value !== null && <b className="numbers"> {resultText(why.value, why.symbol, "")}</b>}
          {sign && <span className="quiet"> {words(sign)}</span>}
        </p>
      )}
      <p className="small">
        <Span began={incident.began} ended={incident.ended} />
        {incident.cases.map((number) => (
          <span key={number} className="badge">{t("alarms.toCase", { number })}</span>
        ))}
      </p>
    </li>
  );
}
