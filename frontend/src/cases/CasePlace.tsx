/** Where a case is, on a small map. */
import type { FeatureCollection } from "geojson";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { token, useLook } from "../app/mode";
import { BaseMap } from "../map/BaseMap";
import { type DrawnLayer, GeoJsonLayer } from "../map/GeoJsonLayer";
import { useGround } from "../map/ground";

export function CasePlace({ lon, lat }: { lon: number; lat: number }) {
  const { t } = useTranslation();
  const ground = useGround();
  const look = useLook();
  const data = useMemo<FeatureCollection>(
    () => ({ type: "FeatureCollection", features: [{ type: "Feature", properties: {}, geometry: { type: "Point", coordinates: [lon, lat] } }] }),
    [lon, lat],
  );
  const layers = useMemo<DrawnLayer[]>(() => {
    void look;
    return [
      {
        id: "case-place",
        type: "circle",
        paint: { "circle-radius": 8, "circle-color": token("--weft"), "circle-stroke-color": token("--map-halo"), "circle-stroke-width": 2.5 },
      },
    ];
  }, [look]);
  return (
    <div className="place-map">
      <BaseMap label={t("cases.place.map")} ground={ground} centre={[lon, lat]} zoom={15.5}>
        <GeoJsonLayer id="case-place" data={data} layers={layers} />
      </BaseMap>
    </div>
  );
}
