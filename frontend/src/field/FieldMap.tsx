/** The map of the pages in the field: tasks or things around, oneself, and the way that one went. */
import type { FeatureCollection } from "geojson";
import type { MapMouseEvent } from "maplibre-gl";
import { useEffect, useMemo, useRef } from "react";
import { useCity } from "../api/questions";
import { token, useLook } from "../app/mode";
import { BaseMap, useMap } from "../map/BaseMap";
import { type DrawnLayer, GeoJsonLayer } from "../map/GeoJsonLayer";
import { useGround } from "../map/ground";
import { LABEL_FONTS } from "../map/style";
import type { Here } from "./here";

export type Spot = { id: string; lon: number; lat: number; kind: string; label: string };
type Point = [lon: number, lat: number];

/** Pixels around a spot that count as it: a thumb is wide. */
const THUMB = 24;

export function FieldMap({ label, spots, here, way, pick }: {
  label: string;
  spots: Spot[];
  here: Here | null;
  way?: Point[];
  pick?: (id: string) => void;
}) {
  const ground = useGround();
  const city = useCity();
  const first = useRef<[number, number, number, number] | undefined>(undefined);
  first.current ??= around([...spots.map((one): Point => [one.lon, one.lat]), ...(here ? [[here.lon, here.lat] as Point] : []), ...(way ?? [])]);
  const bounds = first.current ?? city.data?.bounds ?? undefined;
  return (
    <BaseMap label={label} ground={bounds ? ground : null} bounds={bounds}>
      <Drawn spots={spots} here={here} way={way ?? NOTHING} pick={pick} />
    </BaseMap>
  );
}

/** A map whose middle is the place: one draws the map under the mark, with a thumb or the arrow keys. */
export function PlaceMap({ label, start, moved }: { label: string; start: Point; moved: (place: Point) => void }) {
  const ground = useGround();
  const first = useRef(start);
  return (
    <div className="field-place-map">
      <BaseMap label={label} ground={ground} centre={first.current} zoom={17}>
        <Middle moved={moved} />
      </BaseMap>
      <span className="field-place-mark" aria-hidden />
    </div>
  );
}

function Middle({ moved }: { moved: (place: Point) => void }) {
  const map = useMap();
  const newest = useRef(moved);
  newest.current = moved;
  useEffect(() => {
    const told = () => {
      const { lng, lat } = map.getCenter();
      newest.current([Math.round(lng * 1e7) / 1e7, Math.round(lat * 1e7) / 1e7]);
    };
    map.on("moveend", told);
    return () => {
      map.off("moveend", told);
    };
  }, [map]);
  return null;
}

const NOTHING: Point[] = [];
/** Degrees that are shown around a single point. */
const ROOM = 0.002;

function around(points: Point[]): [number, number, number, number] | undefined {
  if (!points.length) return undefined;
  const lon = points.map((one) => one[0]);
  const lat = points.map((one) => one[1]);
  return [Math.min(...lon) - ROOM, Math.min(...lat) - ROOM, Math.max(...lon) + ROOM, Math.max(...lat) + ROOM];
}

function Drawn({ spots, here, way, pick }: { spots: Spot[]; here: Here | null; way: Point[]; pick?: (id: string) => void }) {
  const map = useMap();
  const look = useLook();
  const newest = useRef(pick);
  newest.current = pick;

  useEffect(() => {
    const click = (event: MapMouseEvent) => {
      const { x, y } = event.point;
      const found = map.queryRenderedFeatures([[x - THUMB, y - THUMB], [x + THUMB, y + THUMB]], { layers: ["field-spots"] });
      const id = found[0]?.properties.id as string | undefined;
      if (id) newest.current?.(id);
    };
    map.on("click", click);
    return () => {
      map.off("click", click);
    };
  }, [map]);

  const data = useMemo<FeatureCollection>(
    () => ({
      type: "FeatureCollection",
      features: [
        ...(way.length > 1 ? [{ type: "Feature" as const, properties: { is: "way" }, geometry: { type: "LineString" as const, coordinates: way } }] : []),
        ...spots.map((one) => ({
          type: "Feature" as const,
          properties: { is: "spot", ...one },
          geometry: { type: "Point" as const, coordinates: [one.lon, one.lat] },
        })),
        ...(here ? [{ type: "Feature" as const, properties: { is: "here" }, geometry: { type: "Point" as const, coordinates: [here.lon, here.lat] } }] : []),
      ],
    }),
    [spots, here, way],
  );
  const layers = useMemo<DrawnLayer[]>(() => {
    void look;
    return [
      {
        id: "field-way",
        type: "line",
        filter: ["==", ["get", "is"], "way"],
        layout: { "line-cap": "round", "line-join": "round" },
        paint: { "line-color": token("--accent"), "line-width": 4 },
      },
      {
        // A ring below the spots: who stands at one sees both.
        id: "field-here",
        type: "circle",
        filter: ["==", ["get", "is"], "here"],
        paint: {
          "circle-radius": 20,
          "circle-color": token("--focus"),
          "circle-opacity": 0.25,
          "circle-stroke-color": token("--focus"),
          "circle-stroke-width": 3,
        },
      },
      {
        id: "field-spots",
        type: "circle",
        filter: ["==", ["get", "is"], "spot"],
        paint: {
          "circle-radius": 14,
          "circle-color": ["match", ["get", "kind"], "handling", token("--weft"), token("--accent")],
          "circle-stroke-color": token("--map-halo"),
          "circle-stroke-width": 2.5,
        },
      },
      {
        id: "field-labels",
        type: "symbol",
        filter: ["==", ["get", "is"], "spot"],
        layout: { "text-field": ["get", "label"], "text-font": LABEL_FONTS, "text-size": 14, "text-allow-overlap": true },
        paint: { "text-color": token("--on-accent") },
      },
    ];
  }, [look]);
  return <GeoJsonLayer id="field" data={data} layers={layers} />;
}
