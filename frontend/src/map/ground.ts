/** The ground under every map: the graticule, and the city's own boundary and base layers. */
import type { Feature, FeatureCollection } from "geojson";
import { useMemo } from "react";
import { token, useLook } from "../app/mode";
import type { Ground } from "./style";

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

export function useGround(): Ground {
  const look = useLook();
  return useMemo(() => {
    void look;
    return {
      sources: { graticule: { type: "geojson", data: graticule() } },
      layers: [
        {
          id: "graticule",
          type: "line",
          source: "graticule",
          paint: { "line-color": token("--map-line"), "line-width": 1 },
        },
      ],
    };
  }, [look]);
}
