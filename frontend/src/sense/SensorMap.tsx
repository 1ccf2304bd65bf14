/** Sensors on the map and in a list, with what they say at this moment. */
import type { FeatureCollection } from "geojson";
import type { MapMouseEvent } from "maplibre-gl";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useCityNow } from "../api/clock";
import { useCity, useZone } from "../api/questions";
import { textScale, token, useLook } from "../app/mode";
import { SearchField } from "../design/SearchField";
import { Empty, Failure, Loading } from "../design/States";
import { BaseMap, useMap } from "../map/BaseMap";
import { type DrawnLayer, GeoJsonLayer } from "../map/GeoJsonLayer";
import { useGround } from "../map/ground";
import { LABEL_FONTS } from "../map/style";
import { count, instant } from "../words";
import { Spark } from "./Chart";
import { FaultBadge } from "./Faults";
import { HOUR, resultText, type Sensor, useLive, useSensors, useSensorsAt, useSparks } from "./questions";
import { Replay, StatesThen } from "./Replay";

const LISTED = 60;
const NEAR = 14;

type How = "fresh" | "stale" | "silent" | "faulty";

/** A sensor with its newest readings, those that came since the page was opened among them. */
function useNewest(): { sensors: Sensor[] | undefined; more: boolean; wire: string; error: unknown; again: () => void } {
  const { data, error, refetch } = useSensors();
  const { newest, wire } = useLive();
  const sensors = useMemo(
    () =>
      data?.sensors.map((one) => ({
        ...one,
        streams: one.streams.map((stream) => {
          const told = newest.get(stream.id);
          return told && (stream.time === null || told.time >= stream.time) ? { ...stream, time: told.time, result: told.result } : stream;
        }),
      })),
    [data, newest],
  );
  // A stream that is told live and is not on the map is new: the map is asked for again.
  const known = useMemo(() => new Set(data?.sensors.flatMap((one) => one.streams.map((stream) => stream.id))), [data]);
  const strange = [...newest.keys()].filter((one) => !known.has(one)).length;
  useEffect(() => {
    if (strange > 0) void refetch();
  }, [strange, refetch]);
  return { sensors, more: data?.more ?? false, wire, error, again: () => void refetch() };
}

/** A sensor at fault is never shown as a normal one. */
function howOf(sensor: Sensor, now: number): How {
  if (sensor.streams.some((one) => one.faults.length > 0)) return "faulty";
  const last = Math.max(...sensor.streams.map((one) => (one.time ? Date.parse(one.time) : Number.NEGATIVE_INFINITY)));
  return last === Number.NEGATIVE_INFINITY ? "silent" : now - last > HOUR ? "stale" : "fresh";
}

export function SensorMap() {
  const { t } = useTranslation();
  const live = useNewest();
  const { more, wire, error, again } = live;
  const [at, setAt] = useState<number | null>(null);
  const then = at === null ? null : new Date(at).toISOString();
  const past = useSensorsAt(then).data?.sensors;
  const sensors = at === null ? live.sensors : (past ?? live.sensors);
  const ground = useGround();
  const city = useCity().data;
  const [picked, setPicked] = useState<number | null>(null);
  const [needle, setNeedle] = useState("");
  const present = useCityNow(30_000);
  const now = at ?? present;
  const found = useMemo(
    () => (sensors ?? []).filter((one) => !needle || one.name.includes(needle) || one.streams.some((stream) => stream.name.includes(needle))),
    [sensors, needle],
  );
  const bounds = useMemo<[number, number, number, number] | undefined>(() => {
    if (!sensors?.length) return city?.bounds ?? undefined;
    const lons = sensors.map((one) => one.lon);
    const lats = sensors.map((one) => one.lat);
    const low = (all: number[]) => all.reduce((a, b) => Math.min(a, b));
    const high = (all: number[]) => all.reduce((a, b) => Math.max(a, b));
    return [low(lons) - 0.01, low(lats) - 0.01, high(lons) + 0.01, high(lats) + 0.01];
    // biome-ignore lint: the map starts where the sensors first were
  }, [sensors === undefined, city]);

  if (error) return <Failure error={error} retry={again} />;
  if (!sensors) return <Loading lines={8} />;
  if (sensors.length === 0) return <Empty title={t("sense.none")}>{t("sense.noneMend")}</Empty>;
  const listed = found.slice(0, LISTED);
  return (
    <div className="sense-split">
      <div className="sense-map card">
        <BaseMap label={t("sense.mapLabel")} ground={city ? ground : null} bounds={bounds}>
          {then && <StatesThen at={then} />}
          <Drawn sensors={found} picked={picked} pick={setPicked} now={now} />
        </BaseMap>
      </div>
      <section className="sense-list card" aria-label={t("sense.list")}>
        <div className="sense-list-head">
          <p className="sense-wire small" data-wire={wire} role="status">
            <i aria-hidden />
            {at !== null ? t("sense.replay.past") : t(wire === "on" ? "sense.liveOn" : wire === "off" ? "sense.liveOff" : "sense.connecting")}
            <span className="quiet">{t("sense.sensors", { count: found.length, shown: count(found.length) })}</span>
          </p>
          <Replay at={at} present={present} show={setAt} />
          <SearchField label={t("sense.find")} value={needle} most={80} set={setNeedle} />
        </div>
        {found.length === 0 ? (
          <Empty title={t("sense.noSuch")} compact />
        ) : (
          <SensorList sensors={listed} picked={picked} pick={setPicked} now={now} />
        )}
        {(more || found.length > LISTED) && <p className="small quiet sense-more">{t("sense.more", { count: LISTED })}</p>}
      </section>
    </div>
  );
}

function SensorList({ sensors, picked, pick, now }: { sensors: Sensor[]; picked: number | null; pick: (id: number) => void; now: number }) {
  const { t } = useTranslation();
  const zone = useZone();
  const sparks = useSparks(sensors.flatMap((one) => one.streams.slice(0, 4).map((stream) => stream.id)).slice(0, 240)).data;
  const drawn = new Map(sparks?.map((one) => [one.stream, one.values]));
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (picked !== null) row.current?.scrollIntoView({ block: "nearest" });
  }, [picked]);
  return (
    <ul className="sense-rows">
      {sensors.map((one) => (
        <li key={one.id} ref={one.id === picked ? row : undefined} data-picked={one.id === picked} data-how={howOf(one, now)}>
          <button type="button" className="sense-name" aria-pressed={one.id === picked} onClick={() => pick(one.id)}>
            <i className="sense-dot" aria-hidden />
            <b>{one.name}</b>
            <span className="hidden-visually">{t(`sense.states.${howOf(one, now)}`)}</span>
            {!one.exact && <span className="badge" title={t("sense.about")}>≈</span>}
          </button>
          <ul className="sense-streams">
            {one.streams.map((stream) => (
              <li key={stream.id}>
                <span>
                  <Link to={`/sense/streams/${stream.id}`} aria-label={t("sense.seriesOf", { name: `${one.name} ${stream.name}` })}>
                    {stream.name}
                  </Link>{" "}
                  {stream.faults.map((kind) => (
                    <FaultBadge key={kind} kind={kind} />
                  ))}
                </span>
                <Spark values={drawn.get(stream.id) ?? []} label={t("sense.spark")} />
                <span className="sense-value" data-stream={stream.id} title={stream.time ? instant(stream.time, zone) : ""}>
                  {resultText(stream.result, stream.symbol, t("sense.noReading"))}
                </span>
              </li>
            ))}
          </ul>
        </li>
      ))}
    </ul>
  );
}

function Drawn({ sensors, picked, pick, now }: { sensors: Sensor[]; picked: number | null; pick: (id: number) => void; now: number }) {
  const map = useMap();
  const look = useLook();
  const newest = useRef(pick);
  newest.current = pick;
  useEffect(() => {
    const click = ({ point: { x, y } }: MapMouseEvent) => {
      const [hit] = map.queryRenderedFeatures([[x - NEAR, y - NEAR], [x + NEAR, y + NEAR]], { layers: ["sensor-points"] });
      if (hit) newest.current(Number(hit.properties.id));
    };
    map.on("click", click);
    return () => {
      map.off("click", click);
    };
  }, [map]);
  const target = sensors.find((one) => one.id === picked);
  const lon = target?.lon;
  const lat = target?.lat;
  useEffect(() => {
    if (lon !== undefined && lat !== undefined && !map.getBounds().contains([lon, lat])) map.easeTo({ center: [lon, lat], duration: 300 });
  }, [map, lon, lat]);

  const data = useMemo<FeatureCollection>(
    () => ({
      type: "FeatureCollection",
      features: sensors.map((one) => {
        const first = one.streams.find((stream) => typeof stream.result === "number");
        return {
          type: "Feature" as const,
          properties: {
            id: one.id,
            how: howOf(one, now),
            picked: one.id === picked,
            text: first ? resultText(first.result, first.symbol, "") : "",
          },
          geometry: { type: "Point" as const, coordinates: [one.lon, one.lat] },
        };
      }),
    }),
    [sensors, picked, now],
  );
  const layers = useMemo<DrawnLayer[]>(() => {
    void look;
    const large = textScale();
    return [
      {
        id: "sensor-points",
        type: "circle",
        paint: {
          "circle-radius": ["case", ["get", "picked"], 10, 6.5],
          "circle-color": ["match", ["get", "how"], "fresh", token("--good"), "stale", token("--warn"), "faulty", token("--bad"), token("--ink-3")],
          "circle-stroke-color": ["case", ["get", "picked"], token("--weft"), token("--map-halo")],
          "circle-stroke-width": ["case", ["get", "picked"], 4, 1.5],
        },
      },
      {
        id: "sensor-values",
        type: "symbol",
        layout: {
          "text-field": ["get", "text"],
          "text-font": LABEL_FONTS,
          "text-size": 12 * large,
          "text-offset": [0, -1.3],
          "text-optional": true,
        },
        paint: { "text-color": token("--ink"), "text-halo-color": token("--map-halo"), "text-halo-width": 1.5 },
      },
    ];
  }, [look]);
  return <GeoJsonLayer id="sensors" data={data} layers={layers} />;
}
