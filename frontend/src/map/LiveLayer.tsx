/** The running city on the map: its sensors with what they say at this moment, and the cases that are born. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { FeatureCollection } from "geojson";
import { useEffect, useMemo, useRef } from "react";
import { askJson } from "../api/client";
import { useEvents } from "../api/events";
import { textScale, token, useLook } from "../app/mode";
import type { CasePageAnswer, CaseRow } from "../cases/questions";
import { resultText, type Sensor, useLive, useSensors } from "../sense/questions";
import { type DrawnLayer, GeoJsonLayer } from "./GeoJsonLayer";
import { LABEL_FONTS } from "./style";

/** From which value on a sensor of a kind is shown as uneasy, and as bad; a speed is bad when it is low. */
const EDGES: Record<string, [uneasy: number, bad: number]> = {
  underpass_gauge: [0.15, 0.27],
  rain_gauge: [5, 30],
  drain_gauge: [1.0, 1.6],
  air_station: [75, 150],
  traffic_counter: [20, 10],
};
/** What makes the symbol of a kind grow, and how far: from nothing to this value. */
const GROWS: Record<string, number> = { footfall_counter: 1200, traffic_counter: 80, rain_gauge: 60, underpass_gauge: 0.6 };
const LEAST = 3.5;
const MOST = 11;
const REST = 1500;
const KEPT = 40;

type Mood = "calm" | "uneasy" | "bad";

export function moodOf(kind: string, value: number | null): Mood {
  const edges = EDGES[kind];
  if (!edges || value === null) return "calm";
  const beyond = (edge: number) => (edges[0] > edges[1] ? value <= edge : value >= edge);
  return beyond(edges[1]) ? "bad" : beyond(edges[0]) ? "uneasy" : "calm";
}

export function radiusOf(kind: string, value: number | null): number {
  const most = GROWS[kind];
  if (!most || value === null) return LEAST + 1;
  return LEAST + (MOST - LEAST) * Math.sqrt(Math.min(1, Math.max(0, value / most)));
}

/** The newest cases since the page was opened; none for who may not see cases. */
export function useBorn(wanted: boolean): CaseRow[] {
  const questions = useQueryClient();
  const before = useRef<Set<string> | null>(null);
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEvents(["case.reported"], () => {
    waiting.current ??= setTimeout(() => {
      waiting.current = undefined;
      void questions.invalidateQueries({ queryKey: ["cases", "born"] });
    }, REST);
  });
  useEffect(() => () => clearTimeout(waiting.current), []);
  const { data } = useQuery({
    queryKey: ["cases", "born"],
    queryFn: ({ signal }) => askJson<CasePageAnswer>("/api/cases", { query: { sort: "-reported", limit: KEPT }, signal }),
    enabled: wanted,
    retry: false,
  });
  return useMemo(() => {
    if (!data) return [];
    before.current ??= new Set(data.cases.map((one) => one.number));
    const known = before.current;
    return data.cases.filter((one) => !known.has(one.number));
  }, [data]);
}

function valueOf(sensor: Sensor, newest: ReadonlyMap<number, { result: unknown }>): [number | null, string] {
  const stream = sensor.streams[0];
  if (!stream) return [null, ""];
  const result = newest.get(stream.id)?.result ?? stream.result;
  return [typeof result === "number" ? result : null, resultText(result, stream.symbol, "")];
}

export function LiveLayer({ born }: { born: CaseRow[] }) {
  const look = useLook();
  const sensors = useSensors().data?.sensors;
  const { newest } = useLive();
  const data = useMemo<FeatureCollection>(
    () => ({
      type: "FeatureCollection",
      features: [
        ...(sensors ?? []).map((one) => {
          const [value, text] = valueOf(one, newest);
          return {
            type: "Feature" as const,
            properties: { is: "sensor", mood: moodOf(one.kind, value), radius: radiusOf(one.kind, value), text },
            geometry: { type: "Point" as const, coordinates: [one.lon, one.lat] },
          };
        }),
        ...born
          .filter((one) => one.lon !== null && one.lat !== null)
          .map((one) => ({
            type: "Feature" as const,
            properties: { is: "case", mood: "bad", radius: 9, text: "" },
            geometry: { type: "Point" as const, coordinates: [one.lon!, one.lat!] },
          })),
      ],
    }),
    [sensors, newest, born],
  );
  const layers = useMemo<DrawnLayer[]>(() => {
    void look;
    return [
      {
        id: "live-points",
        type: "circle",
        filter: ["==", ["get", "is"], "sensor"],
        paint: {
          "circle-radius": ["get", "radius"],
          "circle-color": ["match", ["get", "mood"], "bad", token("--bad"), "uneasy", token("--warn"), token("--accent")],
          "circle-opacity": 0.85,
          "circle-stroke-color": token("--map-halo"),
          "circle-stroke-width": 1.2,
        },
      },
      {
        id: "live-born",
        type: "circle",
        filter: ["==", ["get", "is"], "case"],
        paint: {
          "circle-radius": ["get", "radius"],
          "circle-color": "rgba(0, 0, 0, 0)",
          "circle-stroke-color": token("--weft"),
          "circle-stroke-width": 3,
        },
      },
      {
        id: "live-values",
        type: "symbol",
        minzoom: 14.5,
        filter: ["==", ["get", "is"], "sensor"],
        layout: {
          "text-field": ["get", "text"],
          "text-font": LABEL_FONTS,
          "text-size": 11 * textScale(),
          "text-offset": [0, -1.4],
          "text-optional": true,
        },
        paint: { "text-color": token("--ink"), "text-halo-color": token("--map-halo"), "text-halo-width": 1.5 },
      },
    ];
  }, [look]);
  return <GeoJsonLayer id="live" data={data} layers={layers} />;
}
