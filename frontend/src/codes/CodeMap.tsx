/** Draws a cell, the cells it lies in and the eight around it. */
import type { Feature, FeatureCollection } from "geojson";
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Bounds, CodeStep, Explanation } from "../api/types";
import { token, useLook } from "../app/mode";
import { BaseMap, useMap } from "../map/BaseMap";
import { type DrawnLayer, GeoJsonLayer } from "../map/GeoJsonLayer";
import { useGround } from "../map/ground";
import { LABEL_FONTS } from "../map/style";

function ring([west, south, east, north]: Bounds): number[][] {
  return [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
}

function box(bounds: Bounds, properties: Record<string, unknown>): Feature {
  return { type: "Feature", properties, geometry: { type: "Polygon", coordinates: [ring(bounds)] } };
}

function point([west, , east, north]: Bounds, properties: Record<string, unknown>): Feature {
  return { type: "Feature", properties, geometry: { type: "Point", coordinates: [(west + east) / 2, north] } };
}

/** MapLibre shows latitudes up to 85 degrees. */
function drawable([west, south, east, north]: Bounds): Bounds {
  const limit = (lat: number) => Math.max(-85, Math.min(85, lat));
  return [west, limit(south), east, limit(north)];
}

/** The view that leaves room for the neighbours around a cell. */
function around([west, south, east, north]: Bounds, share = 1.4): [number, number, number, number] {
  const w = (east - west) * share;
  const h = (north - south) * share;
  return [Math.max(-180, west - w), Math.max(-85, south - h), Math.min(180, east + w), Math.min(85, north + h)];
}

export function CodeMap({ found, steps, step }: { found: Explanation; steps: CodeStep[]; step: number | null }) {
  const { t } = useTranslation();
  const ground = useGround();
  return (
    <BaseMap label={t("codes.drawing")} ground={ground} bounds={around(found.bounds)} padding={8}>
      <Drawn found={found} steps={steps} step={step} />
    </BaseMap>
  );
}

function Drawn({ found, steps, step }: { found: Explanation; steps: CodeStep[]; step: number | null }) {
  const map = useMap();
  const look = useLook();

  const lit = step === null ? undefined : steps[step];
  useEffect(() => {
    const target = lit && lit.bounds[2] - lit.bounds[0] < 300 ? lit.bounds : found.bounds;
    map.fitBounds(around(drawable(target), lit ? 0.5 : 1.4), { padding: 8, duration: 300, maxZoom: 24, essential: false });
  }, [map, found, lit]);

  const data = useMemo<FeatureCollection>(() => {
    const features: Feature[] = [];
    for (const neighbour of found.neighbours) features.push(box(neighbour.bounds, { kind: "neighbour", text: neighbour.text }));
    for (const [index, one] of steps.entries()) {
      if (one.bounds[2] - one.bounds[0] >= 180) continue;
      features.push(box(one.bounds, { kind: "parent", lit: index === step, thread: index % 2 }));
      features.push(point(one.bounds, { kind: "label", text: one.text, lit: index === step }));
    }
    features.push(box(found.bounds, { kind: "cell" }));
    return { type: "FeatureCollection", features };
  }, [found, steps, step]);

  const layers = useMemo<DrawnLayer[]>(() => {
    void look;
    return [
      {
        id: "code-neighbours",
        type: "line",
        filter: ["==", ["get", "kind"], "neighbour"],
        paint: { "line-color": token("--line-strong"), "line-width": 1, "line-dasharray": [3, 3] },
      },
      {
        id: "code-cell",
        type: "fill",
        filter: ["==", ["get", "kind"], "cell"],
        paint: { "fill-color": token("--accent"), "fill-opacity": 0.18 },
      },
      {
        id: "code-lit",
        type: "fill",
        filter: ["all", ["==", ["get", "kind"], "parent"], ["get", "lit"]],
        paint: { "fill-color": token("--weft"), "fill-opacity": 0.14 },
      },
      {
        id: "code-parents",
        type: "line",
        filter: ["==", ["get", "kind"], "parent"],
        paint: {
          "line-color": ["match", ["get", "thread"], 0, token("--accent"), token("--weft")],
          "line-width": ["case", ["get", "lit"], 2.5, 1.25],
        },
      },
      {
        id: "code-edge",
        type: "line",
        filter: ["==", ["get", "kind"], "cell"],
        paint: { "line-color": token("--accent"), "line-width": 2.5 },
      },
      {
        id: "code-labels",
        type: "symbol",
        filter: ["==", ["get", "kind"], "label"],
        layout: {
          "text-field": ["get", "text"],
          "text-font": LABEL_FONTS,
          "text-size": 12,
          "text-anchor": "top",
          "text-offset": [0, 0.3],
          "symbol-sort-key": ["case", ["get", "lit"], 0, 1],
        },
        paint: { "text-color": token("--ink"), "text-halo-color": token("--map-halo"), "text-halo-width": 1.5 },
      },
    ];
  }, [look]);

  return <GeoJsonLayer id="code" data={data} layers={layers} />;
}
