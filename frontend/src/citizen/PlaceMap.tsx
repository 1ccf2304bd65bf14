/** The map on which a citizen says where it is: loaded only when it is asked for. A cross in the middle is the place. */
import type { FeatureCollection } from "geojson";
import { useEffect, useMemo, useState } from "react";
import type { GroundDataset } from "../api/types";
import { useLook } from "../app/mode";
import { BaseMap, useMap } from "../map/BaseMap";
import { groundOf } from "../map/ground";
import "../words";
import { json, type Place } from "./ask";
import { t } from "./words";

type PublicGround = { ground: GroundDataset[]; boundary: FeatureCollection | null };
const CLOSE = 17;

export function usePublicGround() {
  const [told, setTold] = useState<PublicGround>();
  const look = useLook();
  useEffect(() => {
    json<PublicGround>("/ground").then(setTold, () => setTold({ ground: [], boundary: null }));
  }, []);
  return useMemo(() => {
    void look;
    return told ? groundOf(told.ground, told.boundary, tiles) : null;
  }, [told, look]);
}

function tiles(dataset: string): string {
  return `${location.origin}/api/public/tiles/${encodeURIComponent(dataset)}/{z}/{x}/{y}`;
}

export default function PlaceMap({ bounds, start, pick }: { bounds: [number, number, number, number] | null; start: Place | null; pick: (place: Place) => void }) {
  const ground = usePublicGround();
  return (
    <div className="place-map">
      <BaseMap label={t("onMap")} ground={ground} bounds={bounds ?? undefined} centre={start ? [start.lon, start.lat] : undefined} zoom={CLOSE}>
        <Cross pick={pick} />
      </BaseMap>
      <span className="cross" aria-hidden="true" />
      <p className="hint">{t("mapHint")}</p>
    </div>
  );
}

function Cross({ pick }: { pick: (place: Place) => void }) {
  const map = useMap();
  useEffect(() => {
    const moved = () => {
      const { lng, lat } = map.getCenter();
      pick({ lon: lng, lat });
    };
    map.on("moveend", moved);
    const tapped = (event: { lngLat: { lng: number; lat: number } }) => map.easeTo({ center: event.lngLat });
    map.on("click", tapped);
    return () => {
      map.off("moveend", moved);
      map.off("click", tapped);
    };
    // eslint-disable-next-line -- the newest `pick` does the same
  }, [map]);
  return null;
}
