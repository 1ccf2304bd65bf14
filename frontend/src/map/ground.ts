/** The ground under every map: graticule, the city's land, and the lines and areas people find their way by. */
import type { Feature, FeatureCollection } from "geojson";
import type { LayerSpecification, SourceSpecification } from "maplibre-gl";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useBoundary, useCity } from "../api/questions";
import { token, useLook } from "../app/mode";
import { type Ground, LABEL_FONTS } from "./style";

/** Data layers are put below this one, so that names stay readable. */
export const BELOW_LABELS = "ground-top";

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
  const city = useCity();
  const land = useBoundary();
  const boundary = land.data;
  const known = !city.isPending && !land.isPending;
  const { i18n } = useTranslation();
  const names = (city.data?.ground ?? []).join(",");
  return useMemo(() => {
    if (!known) return null;
    void look; // the tokens' values follow the look
    void i18n.language;
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
    const ids = names ? names.split(",") : [];
    for (const id of ids) {
      const source = `ground-${id}`;
      sources[source] = { type: "vector", tiles: [tilesOf(id)], maxzoom: 14 };
      layers.push({
        id: `${source}-lines`,
        type: "line",
        source,
        "source-layer": "shapes",
        filter: ["==", ["geometry-type"], "LineString"],
        paint: {
          "line-color": token("--map-line"),
          "line-width": ["interpolate", ["linear"], ["zoom"], 9, 0.4, 14, 1.4],
          "line-opacity": ["interpolate", ["linear"], ["zoom"], 9, 0.2, 12, 0.75],
        },
      });
    }
    for (const id of ids) {
      layers.push({
        id: `ground-${id}-areas`,
        type: "line",
        source: `ground-${id}`,
        "source-layer": "shapes",
        filter: ["==", ["geometry-type"], "Polygon"],
        paint: { "line-color": token("--map-border"), "line-width": ["interpolate", ["linear"], ["zoom"], 8, 0.6, 13, 1.4] },
      });
    }
    layers.push({ id: BELOW_LABELS, type: "background", paint: { "background-opacity": 0 } });
    for (const id of ids) {
      layers.push({
        id: `ground-${id}-names`,
        type: "symbol",
        source: `ground-${id}`,
        "source-layer": "labels",
        layout: {
          "text-field": ["get", "name"],
          "text-font": LABEL_FONTS,
          "text-size": ["interpolate", ["linear"], ["zoom"], 8, 12, 13, 16],
          "text-letter-spacing": 0.08,
          "text-max-width": 8,
        },
        paint: { "text-color": token("--map-label"), "text-halo-color": token("--map-halo"), "text-halo-width": 1.6 },
      });
    }
    return { sources, layers };
  }, [known, look, boundary, names, i18n.language]);
}
