/** The map of cases for the public: how many are where; loaded only when it is shown. */
import type { FeatureCollection } from "geojson";
import type { MapMouseEvent } from "maplibre-gl";
import { useEffect, useMemo, useRef, useState } from "react";
import { textScale, token, useLook } from "../app/mode";
import { BaseMap, useMap } from "../map/BaseMap";
import { type DrawnLayer, GeoJsonLayer } from "../map/GeoJsonLayer";
import { LABEL_FONTS } from "../map/style";
import "../words";
import { Fault, json, type Place, type PublicCases } from "./ask";
import { go } from "./main";
import { usePublicGround } from "./PlaceMap";
import { t } from "./words";

type Cell = { cell: string; count: number; lon: number | null; lat: number | null };
/** Cells of about forty pixels: 512 degrees halved so often, on a world of 512 pixels doubled so often. */
const FINER = 4;
const FINEST = 24;
const NEAR = 12;
const CLOSEST = 18;

type Props = { bounds: [number, number, number, number] | null; known: boolean; asked: string; within: (box: string) => void };

export default function AroundMap({ bounds, known, ...rest }: Props) {
  const ground = usePublicGround();
  return (
    <div className="place-map">
      <BaseMap label={t("map")} ground={known ? ground : null} bounds={bounds ?? undefined}>
        <Cases {...rest} />
      </BaseMap>
      <p className="hint">{t("aroundHint")}</p>
    </div>
  );
}

const joined = (asked: string, more: Record<string, string>) => {
  const given = new URLSearchParams(asked);
  for (const [name, value] of Object.entries(more)) given.set(name, value);
  return `?${given}`;
};

function Cases({ asked, within }: Pick<Props, "asked" | "within">) {
  const map = useMap();
  const look = useLook();
  const [cells, setCells] = useState<Cell[]>([]);
  const [fault, setFault] = useState("");
  const newest = useRef({ asked, within });
  newest.current = { asked, within };

  useEffect(() => {
    let stop = new AbortController();
    const read = () => {
      stop.abort();
      stop = new AbortController();
      const seen = map.getBounds();
      const box = [Math.max(-180, seen.getWest()), Math.max(-90, seen.getSouth()), Math.min(180, seen.getEast()), Math.min(90, seen.getNorth())];
      const level = Math.max(1, Math.min(FINEST, Math.round(map.getZoom()) + FINER));
      json<Cell[]>(`/cases/map${joined(asked, { level: String(level), box: box.map((one) => one.toFixed(5)).join(",") })}`, { signal: stop.signal }).then(
        (told) => {
          setCells(told);
          setFault("");
        },
        (error: unknown) => error instanceof Fault && setFault(error.status ? error.message : t("unreachable")),
      );
    };
    read();
    map.on("moveend", read);
    return () => {
      stop.abort();
      map.off("moveend", read);
    };
  }, [map, asked]);

  // A tap opens the case under it; where several lie together it comes nearer, at last it lists them.
  useEffect(() => {
    const tapped = async (event: MapMouseEvent) => {
      const { x, y } = event.point;
      const [cell] = map.queryRenderedFeatures([[x - NEAR, y - NEAR], [x + NEAR, y + NEAR]], { layers: ["public-cells"] });
      if (!cell) return;
      const alone = Number(cell.properties.count) === 1;
      if (!alone && map.getZoom() < CLOSEST) {
        map.easeTo({ center: event.lngLat, zoom: map.getZoom() + 2, duration: 300 });
        return;
      }
      const from = map.unproject([x - 2 * NEAR, y + 2 * NEAR]);
      const to = map.unproject([x + 2 * NEAR, y - 2 * NEAR]);
      const box = [from.lng, from.lat, to.lng, to.lat].map((one) => one.toFixed(6)).join(",");
      if (!alone) return newest.current.within(box);
      const found = await json<PublicCases>(`/cases${joined(newest.current.asked, { box, limit: "1" })}`).catch(() => undefined);
      if (found?.cases[0]) go(`/report/around/${found.cases[0].number}`);
    };
    const listener = (event: MapMouseEvent) => void tapped(event);
    map.on("click", listener);
    return () => {
      map.off("click", listener);
    };
  }, [map]);

  const data = useMemo<FeatureCollection>(
    () => ({
      type: "FeatureCollection",
      features: cells
        .filter((one) => one.lon !== null && one.lat !== null)
        .map((one) => ({
          type: "Feature" as const,
          properties: { count: one.count, text: one.count > 1 ? String(one.count) : "" },
          geometry: { type: "Point" as const, coordinates: [one.lon as number, one.lat as number] },
        })),
    }),
    [cells],
  );
  const layers = useMemo<DrawnLayer[]>(() => {
    void look;
    return marks("public");
  }, [look]);
  return (
    <>
      <GeoJsonLayer id="public" data={data} layers={layers} />
      {fault && (
        <p className="note bad over" role="alert">
          {fault}
        </p>
      )}
    </>
  );
}

function marks(id: string): DrawnLayer[] {
  const large = textScale();
  return [
    {
      id: `${id}-cells`,
      type: "circle",
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["ln", ["get", "count"]], 0, 6 * large, 3, 13 * large, 9, 26 * large],
        "circle-color": token("--accent"),
        "circle-opacity": 0.4,
        "circle-stroke-color": token("--accent"),
        "circle-stroke-width": 1.5,
      },
    },
    {
      id: `${id}-counts`,
      type: "symbol",
      layout: { "text-field": ["get", "text"], "text-font": LABEL_FONTS, "text-size": 12 * large },
      paint: { "text-color": token("--ink"), "text-halo-color": token("--map-halo"), "text-halo-width": 1.5 },
    },
  ];
}

/** A small map of one place. */
export function PlaceShown({ place }: { place: Place }) {
  const ground = usePublicGround();
  const look = useLook();
  const data = useMemo<FeatureCollection>(
    () => ({ type: "FeatureCollection", features: [{ type: "Feature", properties: { count: 1, text: "" }, geometry: { type: "Point", coordinates: [place.lon, place.lat] } }] }),
    [place.lon, place.lat],
  );
  const layers = useMemo<DrawnLayer[]>(() => {
    void look;
    return marks("place");
  }, [look]);
  return (
    <div className="place-map small">
      <BaseMap label={t("where")} ground={ground} centre={[place.lon, place.lat]} zoom={16}>
        <GeoJsonLayer id="place" data={data} layers={layers} />
      </BaseMap>
    </div>
  );
}
