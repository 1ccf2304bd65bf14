/** The datasets on the map: cells and points by deck.gl, lines and areas by MapLibre's vector tiles. */
import type { Layer as DeckLayer } from "@deck.gl/core";
import { DataFilterExtension } from "@deck.gl/extensions";
import { ScatterplotLayer, SolidPolygonLayer } from "@deck.gl/layers";
import { MapboxOverlay } from "@deck.gl/mapbox";
import { keepPreviousData, useQueries } from "@tanstack/react-query";
import type { LayerSpecification } from "maplibre-gl";
import { useEffect, useMemo, useRef } from "react";
import { address } from "../api/client";
import type { Bounds, Dataset } from "../api/types";
import { useLook } from "../app/mode";
import { useMap } from "./BaseMap";
import { breaksOf, classColours, classOf, css, hue } from "./colours";
import { decode } from "./decode";
import type { Cells, Points } from "./decode.worker";
import { BELOW_LABELS, tilesOf } from "./ground";
import { finestLevel, keyOf, type Layer, levelAt, sideOf, snapped } from "./layers";

/** Up to this many points a dataset is fetched once and whole; larger ones by the view. */
const WHOLE = 250_000;

export type Loaded = {
  layer: Layer;
  level: number;
  breaks: number[];
  cells?: Cells;
  points?: Points;
  loading: boolean;
  error: unknown;
};

/** A box some way around the view, so that a small pan needs nothing new. */
function around([west, south, east, north]: Bounds, share = 0.25): Bounds {
  const w = (east - west) * share;
  const h = (north - south) * share;
  return [west - w, south - h, east + w, north + h];
}

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

/** What the shown layers need for this view, fetched, decoded and kept. */
export function useLoaded(
  layers: Layer[],
  datasets: Dataset[],
  bounds: Bounds | null,
  zoom: number,
  time: [number, number] | null,
): Loaded[] {
  const breaks = useRef(new Map<string, number[]>());
  const shown = layers.filter((one) => one.as !== "shapes");
  const questions = shown.map((layer) => {
    const dataset = datasets.find((one) => one.id === layer.dataset)!;
    const level = levelAt(zoom, finestLevel(dataset, layer.role));
    const path = `/api/datasets/${encodeURIComponent(dataset.id)}`;
    const common = { role: layer.role || undefined, v: dataset.version };
    if (layer.as === "density") {
      const box = bounds ? snapped(bounds, sideOf(Math.max(3, level - 3))) : null;
      const within = time && dataset.period ? { from: iso(time[0]), to: iso(time[1] - 1) } : {};
      const url = address(`${path}/density`, { ...common, level, bbox: box?.join(","), ...within });
      return { layer, level, url, kind: "cells" as const };
    }
    const whole = (dataset.counts?.addressed ?? 0) <= WHOLE;
    const box = bounds && !whole ? snapped(around(bounds), sideOf(level) * 64) : null;
    return { layer, level, url: address(`${path}/points`, { ...common, bbox: box?.join(",") }), kind: "points" as const };
  });
  const answers = useQueries({
    queries: questions.map(({ url, kind }) => ({
      queryKey: ["layer", kind, url],
      queryFn: ({ signal }: { signal: AbortSignal }) => decode(kind, url, signal),
      enabled: bounds !== null,
      placeholderData: keepPreviousData,
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: 120_000,
    })),
  });
  return questions.map(({ layer, level, kind }, number) => {
    const answer = answers[number]!;
    const result = answer.data as Cells | Points | undefined;
    const loaded: Loaded = { layer, level, breaks: [], loading: answer.isFetching, error: answer.error };
    if (kind === "cells" && result?.kind === "cells") {
      // The classes of a level stay as they were first drawn, so that a pan does not repaint the city.
      const key = `${keyOf(layer)}/${level}`;
      let classes = breaks.current.get(key);
      if (!classes && !answer.isPlaceholderData && result.length) {
        classes = breaksOf(result.densities);
        breaks.current.set(key, classes);
      }
      loaded.breaks = classes ?? breaksOf(result.densities);
      loaded.cells = result;
    } else if (kind === "points" && result?.kind === "points") loaded.points = result;
    return loaded;
  });
}

export function DataLayers({ loaded, shapes, datasets, time, hues }: {
  loaded: Loaded[];
  shapes: Layer[];
  datasets: Dataset[];
  time: [number, number] | null;
  hues: Map<string, number>;
}) {
  return (
    <>
      {shapes.map((layer) => (
        <ShapeLayer
          key={keyOf(layer)}
          layer={layer}
          version={datasets.find((one) => one.id === layer.dataset)?.version ?? null}
          number={hues.get(keyOf(layer)) ?? 0}
        />
      ))}
      <DeckLayers loaded={loaded} time={time} hues={hues} />
    </>
  );
}

function ShapeLayer({ layer, version, number }: { layer: Layer; version: number | null; number: number }) {
  const map = useMap();
  const look = useLook();
  const id = `shapes-${layer.dataset}`;
  const colour = css(hue(look, number));

  useEffect(() => {
    const before = map.getLayer(BELOW_LABELS) ? BELOW_LABELS : undefined;
    map.addSource(id, { type: "vector", tiles: [tilesOf(layer.dataset, version)], maxzoom: 15 });
    const common = { source: id, "source-layer": "shapes" } as const;
    const drawn: LayerSpecification[] = [
      { id: `${id}-fill`, type: "fill", ...common, filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": colour } },
      {
        id: `${id}-line`,
        type: "line",
        ...common,
        layout: { "line-join": "round", "line-cap": "round" },
        paint: { "line-color": colour, "line-width": ["interpolate", ["linear"], ["zoom"], 8, 0.8, 14, 2.2] },
      },
    ];
    for (const one of drawn) map.addLayer(one, before);
    return () => {
      if (!map.style) return;
      for (const one of drawn) if (map.getLayer(one.id)) map.removeLayer(one.id);
      if (map.getSource(id)) map.removeSource(id);
    };
  }, [map, id, layer.dataset, version, colour]);

  useEffect(() => {
    map.setPaintProperty(`${id}-fill`, "fill-opacity", (layer.opacity / 100) * 0.28);
    map.setPaintProperty(`${id}-line`, "line-opacity", layer.opacity / 100);
  }, [map, id, layer.opacity, colour, version, layer.dataset]);

  return null;
}

function DeckLayers({ loaded, time, hues }: { loaded: Loaded[]; time: [number, number] | null; hues: Map<string, number> }) {
  const map = useMap();
  const look = useLook();
  const overlay = useRef<MapboxOverlay | null>(null);

  useEffect(() => {
    const made = new MapboxOverlay({ interleaved: true, layers: [] });
    map.addControl(made);
    overlay.current = made;
    return () => {
      overlay.current = null;
      if (map.style) map.removeControl(made);
    };
  }, [map]);

  const layers = useMemo(
    () =>
      loaded.flatMap((one): DeckLayer[] => {
        const number = hues.get(keyOf(one.layer)) ?? 0;
        if (one.cells?.length) return [cellLayer(one, one.cells, look)];
        if (one.points?.length) return [pointLayer(one, one.points, hue(look, number), time)];
        return [];
      }),
    [loaded, look, hues, time],
  );
  useEffect(() => overlay.current?.setProps({ layers }), [layers]);
  return null;
}

function cellLayer(one: Loaded, cells: Cells, look: "light" | "dark") {
  const colours = classColours(look, one.breaks.length + 1);
  const fill = new Uint8Array(16 * cells.length);
  for (let i = 0; i < cells.length; i++) {
    const [r, g, b] = colours[classOf(cells.densities[i]!, one.breaks)]!;
    for (let v = 0; v < 4; v++) fill.set([r, g, b, 255], 16 * i + 4 * v);
  }
  return new SolidPolygonLayer({
    id: `cells-${keyOf(one.layer)}`,
    beforeId: BELOW_LABELS,
    data: {
      length: cells.length,
      startIndices: cells.starts,
      attributes: {
        getPolygon: { value: cells.corners, size: 2 },
        indices: { value: cells.indices, size: 1 },
        getFillColor: { value: fill, size: 4, normalized: true },
      },
    },
    _normalize: false,
    opacity: one.layer.opacity / 100,
    pickable: false,
  });
}

function pointLayer(one: Loaded, points: Points, colour: [number, number, number], time: [number, number] | null) {
  const filtered = time !== null && points.seconds !== null;
  return new ScatterplotLayer({
    id: `points-${keyOf(one.layer)}`,
    beforeId: BELOW_LABELS,
    data: {
      length: points.length,
      attributes: {
        getPosition: { value: points.positions, size: 2 },
        ...(filtered ? { getFilterValue: { value: points.seconds!, size: 1 } } : {}),
      },
    },
    getFillColor: colour,
    getRadius: 1,
    radiusUnits: "meters",
    // A few points are sought one by one, many are seen as a whole.
    radiusMinPixels: points.length < 500 ? 4 : points.length < 5000 ? 2.8 : 1.8,
    radiusMaxPixels: 7,
    radiusScale: 12,
    opacity: one.layer.opacity / 100,
    pickable: true,
    extensions: filtered ? [new DataFilterExtension({ filterSize: 1 })] : [],
    ...(filtered ? { filterRange: [time[0] - points.epoch, time[1] - points.epoch] } : {}),
  });
}
