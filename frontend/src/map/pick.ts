/** Which points lie under a place of the screen: asked of the arrays that are drawn, so that none hides another. */
import type { Map as MapLibre } from "maplibre-gl";
import type { Loaded } from "./DataLayers";
import { keyOf } from "./layers";

export type Picked = { layer: string; facts: number[]; more: boolean };

export const MOST_PICKED = 20;

/** The nearest points of the uppermost layer that has any within `radius` pixels, the nearest first. */
export function pointsAt(
  map: MapLibre,
  loaded: Loaded[],
  time: [number, number] | null,
  at: { x: number; y: number },
  radius: number,
): Picked | null {
  const low = map.unproject([at.x - radius, at.y + radius]);
  const high = map.unproject([at.x + radius, at.y - radius]);
  const middle = map.unproject([at.x, at.y]);
  const width = high.lng - low.lng;
  const height = high.lat - low.lat;
  for (const { layer, points } of [...loaded].reverse()) {
    if (!points) continue;
    const { positions, facts, seconds, epoch } = points;
    const found: { fact: number; distance: number }[] = [];
    for (let i = 0; i < points.length; i++) {
      const lon = positions[2 * i]!;
      const lat = positions[2 * i + 1]!;
      if (lon < low.lng || lon > high.lng || lat < low.lat || lat > high.lat) continue;
      if (time && seconds && (seconds[i]! + epoch < time[0] || seconds[i]! + epoch >= time[1])) continue;
      const distance = ((lon - middle.lng) / width) ** 2 + ((lat - middle.lat) / height) ** 2;
      if (distance <= 0.25) found.push({ fact: facts[i]!, distance });
    }
    if (!found.length) continue;
    found.sort((a, b) => a.distance - b.distance || a.fact - b.fact);
    return {
      layer: keyOf(layer),
      facts: found.slice(0, MOST_PICKED).map((one) => one.fact),
      more: found.length > MOST_PICKED,
    };
  }
  return null;
}
