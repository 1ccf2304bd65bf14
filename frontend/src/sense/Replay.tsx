/** An hour as it was: a slider over its minutes, and the cells in which alarms lasted then. */
import type { FeatureCollection } from "geojson";
import { ChevronLeft, ChevronRight, History } from "lucide-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useZone } from "../api/questions";
import { token, useLook } from "../app/mode";
import { type DrawnLayer, GeoJsonLayer } from "../map/GeoJsonLayer";
import { instant } from "../words";
import { useStatesAt } from "./alarms";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LEVEL = 17;

type Props = {
  /** The moment that is shown, milliseconds; null while what is shown is now. */
  at: number | null;
  /** The present of the city, milliseconds. */
  present: number;
  show: (at: number | null) => void;
};

export function Replay({ at, present, show }: Props) {
  const { t } = useTranslation();
  const zone = useZone();
  const now = Math.floor(present / MINUTE) * MINUTE;
  if (at === null)
    return (
      <button type="button" className="button" onClick={() => show(now - HOUR)}>
        <History aria-hidden />
        {t("sense.replay.start")}
      </button>
    );
  const hour = Math.floor(at / HOUR) * HOUR;
  const go = (moment: number) => show(Math.min(moment, now));
  return (
    <div className="sense-replay" role="group" aria-label={t("sense.replay.name")}>
      <button type="button" className="button" aria-label={t("sense.replay.earlier")} onClick={() => go(at - HOUR)}>
        <ChevronLeft aria-hidden />
      </button>
      <input
        type="range"
        min={0}
        max={59}
        value={(at - hour) / MINUTE}
        aria-label={t("sense.replay.minute")}
        aria-valuetext={instant(new Date(at).toISOString(), zone, "minute")}
        onChange={(event) => go(hour + Number(event.target.value) * MINUTE)}
      />
      <button type="button" className="button" aria-label={t("sense.replay.later")} disabled={at >= now} onClick={() => go(at + HOUR)}>
        <ChevronRight aria-hidden />
      </button>
      <output>{instant(new Date(at).toISOString(), zone, "minute")}</output>
      <button type="button" className="button" onClick={() => show(null)}>{t("sense.replay.end")}</button>
    </div>
  );
}

export function StatesThen({ at }: { at: string }) {
  const look = useLook();
  const states = useStatesAt(LEVEL, at).data?.states;
  const data = useMemo<FeatureCollection>(
    () => ({
      type: "FeatureCollection",
      features: (states ?? []).map(({ severity, bounds: [west, south, east, north] }) => ({
        type: "Feature" as const,
        properties: { severity },
        geometry: { type: "Polygon" as const, coordinates: [[[west, south], [east, south], [east, north], [west, north], [west, south]]] },
      })),
    }),
    [states],
  );
  const layers = useMemo<DrawnLayer[]>(() => {
    void look;
    return [
      {
        id: "states-then",
        type: "fill",
        paint: {
          "fill-color": ["match", ["get", "severity"], "alarm", token("--bad"), "warning", token("--warn"), token("--accent")],
          "fill-opacity": 0.35,
        },
      },
    ];
  }, [look]);
  return <GeoJsonLayer id="states-then" data={data} layers={layers} />;
}
