/** The city's own map service as the ground of the map, in the place of the city's layers. */
import { useEffect } from "react";
import type { MapService } from "../api/types";
import { useMap } from "./BaseMap";
import { BELOW_LABELS } from "./ground";

export const SERVICE = "service";

/** Draws the tiles of a service above the plain background, and hides the city's own ground as long as they lie there. */
export function BaseService({ service }: { service: MapService }) {
  const map = useMap();

  useEffect(() => {
    const own = map
      .getStyle()
      .layers.map((layer) => layer.id)
      .filter((id) => id === "land" || id === "graticule" || (id.startsWith("ground-") && id !== BELOW_LABELS));
    const first = own[0] ?? BELOW_LABELS;
    const ids = service.layers.map((_, number) => `${SERVICE}-${number}`);
    service.layers.forEach((tiles, number) => {
      const id = ids[number]!;
      map.addSource(id, {
        type: "raster",
        tiles,
        tileSize: service.tile_size,
        minzoom: service.min_zoom,
        maxzoom: service.max_zoom,
      });
      map.addLayer({ id, type: "raster", source: id, paint: { "raster-fade-duration": 0 } }, first);
    });
    for (const id of own) map.setLayoutProperty(id, "visibility", "none");
    return () => {
      if (!map.style) return; // the map itself has gone
      for (const id of ids) {
        if (map.getLayer(id)) map.removeLayer(id);
        if (map.getSource(id)) map.removeSource(id);
      }
      for (const id of own) if (map.getLayer(id)) map.setLayoutProperty(id, "visibility", "visible");
    };
  }, [map, service]);

  return null;
}
