/** The same cases as the list shows, on the map: how many are where, and those of the page one by one. */
import { useQuery } from "@tanstack/react-query";
import type { FeatureCollection } from "geojson";
import type { MapMouseEvent } from "maplibre-gl";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import { useCity } from "../api/questions";
import { textScale, token, useLook } from "../app/mode";
import { BaseMap, useMap } from "../map/BaseMap";
import { type DrawnLayer, GeoJsonLayer } from "../map/GeoJsonLayer";
import { useGround } from "../map/ground";
import { LABEL_FONTS } from "../map/style";
import { urgency } from "./Clock";
import { type CasePageAnswer, type CaseRow, type Filters, useNow, withMore } from "./questions";

type Cell = { cell: string; count: number; lon: number | null; lat: number | null };

/** Cells of about forty pixels: 512 degrees halved so often, on a world of 512 pixels doubled so often. */
const FINER = 4;
const NEAR = 12;

type Props = {
  filters: Filters;
  rows: CaseRow[];
  picked: string | null;
  pick: (number: string) => void;
  /** Has the list follow what the map shows, or not (`null`). */
  within: (box: string | null) => void;
};

export function CaseMap(props: Props) {
  const { t } = useTranslation();
  const ground = useGround();
  const city = useCity().data;
  return (
    <BaseMap label={t("cases.map.label")} ground={city ? ground : null} bounds={city?.bounds ?? undefined}>
      <Drawn {...props} />
    </BaseMap>
  );
}

function boxOf(map: ReturnType<typeof useMap>): string {
  const bounds = map.getBounds();
  return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()].map((one) => one.toFixed(6)).join(",");
}

function Drawn({ filters, rows, picked, pick, within }: Props) {
  const { t } = useTranslation();
  const map = useMap();
  const look = useLook();
  const now = useNow();
  const [level, setLevel] = useState(() => levelOf(map.getZoom()));
  const newest = useRef({ filters, rows, pick });
  newest.current = { filters, rows, pick };
  const asked = withMore(filters, { level: String(level) }).toString();
  const cells = useQuery({
    queryKey: ["cases", "map", asked],
    queryFn: ({ signal }) => askJson<Cell[]>(`/api/cases/map?${asked}`, { signal }),
    placeholderData: (before) => before,
  });

  useEffect(() => {
    const zoomed = () => setLevel(levelOf(map.getZoom()));
    map.on("zoomend", zoomed);
    return () => {
      map.off("zoomend", zoomed);
    };
  }, [map]);

  // A click takes the case under it; where several lie together it comes nearer.
  useEffect(() => {
    const click = async (event: MapMouseEvent) => {
      const { x, y } = event.point;
      const around = map.queryRenderedFeatures(
        [
          [x - NEAR, y - NEAR],
          [x + NEAR, y + NEAR],
        ],
        { layers: ["case-points", "case-cells"] },
      );
      const point = around.find((one) => one.layer.id === "case-points");
      if (point) return newest.current.pick(String(point.properties.number));
      const cell = around.find((one) => one.layer.id === "case-cells");
      if (!cell) return;
      if (Number(cell.properties.count) > 1) return map.easeTo({ center: event.lngLat, zoom: map.getZoom() + 2, duration: 300 });
      const from = map.unproject([x - 2 * NEAR, y + 2 * NEAR]);
      const to = map.unproject([x + 2 * NEAR, y - 2 * NEAR]);
      const box = [from.lng, from.lat, to.lng, to.lat].join(",");
      const found = await askJson<CasePageAnswer>(
        `/api/cases?${withMore(newest.current.filters, { box, limit: "1" })}`,
      ).catch(() => undefined);
      if (found?.cases[0]) newest.current.pick(found.cases[0].number);
    };
    const listener = (event: MapMouseEvent) => void click(event);
    map.on("click", listener);
    return () => {
      map.off("click", listener);
    };
  }, [map]);

  // What is picked in the list is brought into view.
  const target = rows.find((row) => row.number === picked);
  const lon = target?.lon ?? null;
  const lat = target?.lat ?? null;
  useEffect(() => {
    if (lon === null || lat === null) return;
    if (!map.getBounds().contains([lon, lat])) map.easeTo({ center: [lon, lat], duration: 300 });
  }, [map, lon, lat]);

  const data = useMemo<FeatureCollection>(() => {
    const shown = rows.filter((row) => row.lon !== null && row.lat !== null);
    return {
      type: "FeatureCollection",
      features: [
        ...(cells.data ?? [])
          .filter((one) => one.lon !== null && one.lat !== null)
          .map((one) => ({
            type: "Feature" as const,
            properties: { is: "cell", count: one.count, text: one.count > 1 ? String(one.count) : "" },
            geometry: { type: "Point" as const, coordinates: [one.lon as number, one.lat as number] },
          })),
        ...shown.map((row) => ({
          type: "Feature" as const,
          properties: {
            is: "case",
            number: row.number,
            picked: row.number === picked,
            how: row.due === null ? "calm" : urgency(row.due / 1000, row.risk_at === null ? null : row.risk_at / 1000, now),
          },
          geometry: { type: "Point" as const, coordinates: [row.lon as number, row.lat as number] },
        })),
      ],
    };
  }, [cells.data, rows, picked, now]);

  const layers = useMemo<DrawnLayer[]>(() => {
    void look;
    const large = textScale();
    return [
      {
        id: "case-cells",
        type: "circle",
        filter: ["==", ["get", "is"], "cell"],
        paint: {
          "circle-radius": ["interpolate", ["linear"], ["ln", ["get", "count"]], 0, 5 * large, 3, 13 * large, 9, 26 * large],
          "circle-color": token("--accent"),
          "circle-opacity": 0.32,
          "circle-stroke-color": token("--accent"),
          "circle-stroke-width": 1,
        },
      },
      {
        id: "case-points",
        type: "circle",
        filter: ["==", ["get", "is"], "case"],
        paint: {
          "circle-radius": ["case", ["get", "picked"], 11, 7.5],
          "circle-color": ["match", ["get", "how"], "late", token("--bad"), "risk", token("--warn"), token("--accent")],
          "circle-stroke-color": ["case", ["get", "picked"], token("--weft"), token("--map-halo")],
          "circle-stroke-width": ["case", ["get", "picked"], 4, 1.5],
        },
      },
      {
        id: "case-counts",
        type: "symbol",
        filter: ["==", ["get", "is"], "cell"],
        layout: { "text-field": ["get", "text"], "text-font": LABEL_FONTS, "text-size": 12 * large, "text-offset": [0, -1.4] },
        paint: { "text-color": token("--ink"), "text-halo-color": token("--map-halo"), "text-halo-width": 1.5 },
      },
      {
        id: "case-marks",
        type: "symbol",
        filter: ["==", ["get", "is"], "case"],
        layout: {
          "text-field": ["match", ["get", "how"], "late", "!", "risk", "·", ""],
          "text-font": LABEL_FONTS,
          "text-size": 13 * large,
          "text-allow-overlap": true,
        },
        paint: { "text-color": token("--surface") },
      },
    ];
  }, [look]);

  const held = filters.get("box");
  return (
    <>
      <GeoJsonLayer id="cases" data={data} layers={layers} />
      <button type="button" className="button case-within" aria-pressed={held !== null} onClick={() => within(held === null ? boxOf(map) : null)}>
        {held === null ? t("cases.map.within") : t("cases.map.everywhere")}
      </button>
    </>
  );
}

function levelOf(zoom: number): number {
  return Math.max(1, Math.min(26, Math.round(zoom) + FINER));
}
