/** A GeoJSON source and its layers on the map around it. */
import type { GeoJSON } from "geojson";
import type { GeoJSONSource, LayerSpecification } from "maplibre-gl";
import { useEffect } from "react";
import { useMap } from "./BaseMap";

type WithoutSource<L> = L extends { source: string } ? Omit<L, "source"> : never;
export type DrawnLayer = WithoutSource<LayerSpecification>;

export function GeoJsonLayer({ id, data, layers, before }: {
  id: string;
  data: GeoJSON;
  /** Must keep its identity between renders; a new list replaces the layers. */
  layers: DrawnLayer[];
  before?: string;
}) {
  const map = useMap();

  useEffect(() => {
    map.addSource(id, { type: "geojson", data: { type: "FeatureCollection", features: [] } });
    for (const layer of layers) {
      map.addLayer({ ...layer, source: id } as LayerSpecification, before && map.getLayer(before) ? before : undefined);
    }
    return () => {
      if (!map.style) return; // the map itself has gone
      for (const layer of layers) if (map.getLayer(layer.id)) map.removeLayer(layer.id);
      if (map.getSource(id)) map.removeSource(id);
    };
  }, [map, id, layers, before]);

  useEffect(() => {
    (map.getSource(id) as GeoJSONSource | undefined)?.setData(data);
  }, [map, id, data, layers]);

  return null;
}
