/** Where the telephone is, and how far things are from there. */
import { useEffect, useState } from "react";
import { distance } from "../map/geodesy";

export type Here = { lon: number; lat: number; accuracy: number; at: number };
/** `asking` until the telephone says; `denied` and `unknown` where it does not. */
export type Position = { here: Here | null; state: "asking" | "known" | "denied" | "unknown" };

/** Follows the position while a page shows; a new one is told when it is some metres away, or better. */
export function usePosition(): Position {
  const [position, setPosition] = useState<Position>({ here: null, state: "geolocation" in navigator ? "asking" : "unknown" });
  useEffect(() => {
    if (!("geolocation" in navigator)) return;
    const watch = navigator.geolocation.watchPosition(
      ({ coords, timestamp }) => {
        const here = { lon: coords.longitude, lat: coords.latitude, accuracy: coords.accuracy, at: timestamp };
        setPosition((before) => (before.here && !moved(before.here, here) ? before : { here, state: "known" }));
      },
      (error) =>
        setPosition((before) =>
          before.here ? before : { here: null, state: error.code === error.PERMISSION_DENIED ? "denied" : "unknown" },
        ),
      { enableHighAccuracy: true, maximumAge: 10_000, timeout: 30_000 },
    );
    return () => navigator.geolocation.clearWatch(watch);
  }, []);
  return position;
}

const STEP = 5;
const HALF_A_MINUTE = 30_000;

function moved(before: Here, now: Here): boolean {
  const better = now.accuracy < before.accuracy / 2;
  return better || now.at - before.at > HALF_A_MINUTE || distance([before.lon, before.lat], [now.lon, now.lat]) >= STEP;
}

export function away(here: Here | null, place: { lon: number | null; lat: number | null }): number | null {
  if (!here || place.lon === null || place.lat === null) return null;
  return distance([here.lon, here.lat], [place.lon, place.lat]);
}
