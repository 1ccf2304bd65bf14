/** The ground under every map: graticule, the city's land, and what its pack names as water, streets and divisions. */
import type { Feature, FeatureCollection } from "geojson";
import type { ExpressionSpecification, LayerSpecification, SourceSpecification, SymbolLayerSpecification } from "maplibre-gl";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useBoundary, useCity } from "../api/questions";
import type { GroundDataset, GroundKind } from "../api/types";
import { textScale, token, useLook, useMode } from "../app/mode";
import { type Ground, LABEL_FONTS } from "./style";

/** Data layers are put below this one, so that names stay readable. */
export const BELOW_LABELS = "ground-top";

/** What lies lower is drawn first. */
const ORDER: GroundKind[] = ["green", "water", "building", "road", "rail", "line", "border"];

/** Meridians and parallels of the BeiDou grid's first level, 6 degrees by 4. */
function graticule(): FeatureCollection {
  const lines: Feature[] = [];
  const line = (coordinates: number[][]): Feature => ({
    type: "Feature",
    properties: {},
    geometry: { type: "LineString", coordinates },
  });
  for (let lon = -180; lon <= 180; lon += 6) lines.push(line([[lon, -84], [lon, 84]]));
  for (let lat = -84; lat <= 84; lat += 4) lines.push(line([[-180, lat], [0, lat], [180, lat]]));
  return { type: "FeatureCollection", features: lines };
}

export function tilesOf(dataset: string, version?: number | null): string {
  const tail = version ? `?v=${version}` : "";
  return `${location.origin}/api/datasets/${encodeURIComponent(dataset)}/tiles/{z}/{x}/{y}${tail}`;
}

export function useGround(): Ground | null {
  const look = useLook();
  const mode = useMode();
  const city = useCity();
  const land = useBoundary();
  const boundary = land.data;
  const known = !city.isPending && !land.isPending;
  const { i18n } = useTranslation();
  const named = city.data?.ground;
  return useMemo(() => {
    if (!known) return null;
    void look; // the tokens' values follow the look
    void mode; // and the size of text the mode
    void i18n.language;
    return groundOf(named ?? [], boundary ?? null, tilesOf);
  }, [known, look, mode, boundary, named, i18n.language]);
}

/** The ground as layers; `tiles` says where those of a dataset come from. */
export function groundOf(named: GroundDataset[], boundary: GeoJSON.GeoJSON | null, tiles: typeof tilesOf): Ground {
  const sources: Record<string, SourceSpecification> = { graticule: { type: "geojson", data: graticule() } };
  const layers: LayerSpecification[] = [
    {
      id: "graticule",
      type: "line",
      source: "graticule",
      paint: { "line-color": token("--map-line"), "line-width": 1, "line-opacity": 0.7 },
    },
  ];
  if (boundary) {
    sources.land = { type: "geojson", data: boundary };
    layers.push({ id: "land", type: "fill", source: "land", paint: { "fill-color": token("--map-land") } });
  }
  const drawn = [...named].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  // Of several sets of divisions the first is the coarsest: it is drawn strongest.
  const borders = drawn.filter((one) => one.kind === "border").map((one) => one.dataset);
  for (const one of drawn) {
    sources[sourceOf(one)] = { type: "vector", tiles: [tiles(one.dataset, one.version)], maxzoom: 15 };
  }
  for (const one of drawn) layers.push(...shapesOf(one, borders.indexOf(one.dataset)));
  layers.push({ id: BELOW_LABELS, type: "background", paint: { "background-opacity": 0 } });
  for (const one of drawn) if (one.label) layers.push(...namesOf(one, borders.indexOf(one.dataset)));
  return { sources, layers };
}

const sourceOf = (one: GroundDataset) => `ground-${one.dataset}`;
const byZoom = (...stops: number[]): ExpressionSpecification => ["interpolate", ["exponential", 1.5], ["zoom"], ...stops] as ExpressionSpecification;
const AREAS: ExpressionSpecification = ["==", ["geometry-type"], "Polygon"];
const LINES: ExpressionSpecification = ["==", ["geometry-type"], "LineString"];

/** The layers that draw the lines and areas of a dataset as its kind; `rank` counts divisions from the coarsest. */
function shapesOf(one: GroundDataset, rank: number): LayerSpecification[] {
  const common = { source: sourceOf(one), "source-layer": "shapes" } as const;
  const id = (part: string) => `${sourceOf(one)}-${part}`;
  const round = { "line-join": "round", "line-cap": "round" } as const;
  switch (one.kind) {
    case "green":
    case "water":
      return [
        { id: id("fill"), type: "fill", ...common, filter: AREAS, paint: { "fill-color": token(`--map-${one.kind}`) } },
        {
          id: id("lines"),
          type: "line",
          ...common,
          filter: LINES,
          layout: round,
          paint: { "line-color": token(`--map-${one.kind}`), "line-width": byZoom(9, 0.6, 14, 3) },
        },
      ];
    case "building":
      return [
        {
          id: id("fill"),
          type: "fill",
          ...common,
          filter: AREAS,
          minzoom: 12.5,
          paint: {
            "fill-color": token("--map-building"),
            "fill-outline-color": token("--map-building-edge"),
            "fill-opacity": ["interpolate", ["linear"], ["zoom"], 12.5, 0, 13.5, 1],
          },
        },
      ];
    case "road":
      return [
        {
          id: id("edge"),
          type: "line",
          ...common,
          layout: round,
          paint: { "line-color": token("--map-road-edge"), "line-width": byZoom(9, 0.5, 13, 2.4, 17, 14) },
        },
        {
          id: id("way"),
          type: "line",
          ...common,
          layout: round,
          minzoom: 12,
          paint: { "line-color": token("--map-road"), "line-width": byZoom(12, 0.4, 13, 1.2, 17, 11.5) },
        },
      ];
    case "rail":
      return [
        {
          id: id("line"),
          type: "line",
          ...common,
          paint: { "line-color": token("--map-rail"), "line-width": byZoom(8, 0.8, 14, 2) },
        },
        {
          id: id("ties"),
          type: "line",
          ...common,
          minzoom: 12,
          paint: { "line-color": token("--map-land"), "line-width": byZoom(12, 0.4, 14, 1), "line-dasharray": [6, 6] },
        },
      ];
    case "line":
      return [
        {
          id: id("line"),
          type: "line",
          ...common,
          layout: round,
          paint: {
            "line-color": token("--map-line"),
            "line-width": byZoom(9, 0.4, 14, 1.4),
            "line-opacity": ["interpolate", ["linear"], ["zoom"], 9, 0.2, 12, 0.75],
          },
        },
      ];
    case "border":
      return [
        {
          id: id("line"),
          type: "line",
          ...common,
          ...(rank > 0 ? { minzoom: 9 + rank } : {}),
          layout: { "line-join": "round" },
          paint: {
            "line-color": token("--map-border"),
            "line-width": rank > 0 ? 0.8 : byZoom(8, 0.7, 13, 1.6),
            ...(rank > 0 ? { "line-dasharray": [4, 3] } : {}),
          },
        },
      ];
  }
}

/** The layers that write the names of a dataset: along its lines, and once in each area. */
function namesOf(one: GroundDataset, rank: number): LayerSpecification[] {
  const scale = textScale();
  const own = one.kind === "water" || one.kind === "green";
  const size = one.kind === "border" && rank === 0 ? byZoom(8, 12 * scale, 13, 16 * scale) : one.kind === "border" ? byZoom(10, 11 * scale, 14, 14 * scale) : 11.5 * scale;
  const paint: SymbolLayerSpecification["paint"] = {
    "text-color": token(own ? `--map-${one.kind}-label` : "--map-label"),
    "text-halo-color": token("--map-halo"),
    "text-halo-width": 1.5 * scale,
  };
  const layout: SymbolLayerSpecification["layout"] = {
    "text-field": ["get", "name"],
    "text-font": LABEL_FONTS,
    "text-size": size,
    "text-letter-spacing": one.kind === "border" ? 0.08 : 0.04,
    "text-max-width": 8,
  };
  const from = one.kind === "border" ? 0 : own ? 11.5 : 13;
  return [
    {
      id: `${sourceOf(one)}-line-names`,
      type: "symbol",
      source: sourceOf(one),
      "source-layer": "shapes",
      filter: LINES,
      minzoom: Math.max(from, 12),
      layout: { ...layout, "symbol-placement": "line", "symbol-spacing": 420, "text-max-angle": 30 },
      paint,
    },
    {
      id: `${sourceOf(one)}-names`,
      type: "symbol",
      source: sourceOf(one),
      "source-layer": "labels",
      minzoom: one.kind === "border" && rank > 0 ? 9.5 + rank : from,
      layout,
      paint,
    },
  ];
}
