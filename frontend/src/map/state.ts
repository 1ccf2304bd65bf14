/** What a view of the map is, kept in its address, so that an address shares the view. */
import { startTransition, useCallback, useMemo, useOptimistic, useRef } from "react";
import { useHref, useLocation, useSearchParams } from "react-router";
import type { Dataset } from "../api/types";
import { firstLayers, type Layer, missingOf, readLayers, writeLayers } from "./layers";

export type View = { lat: number; lon: number; zoom: number };

/** Points that were picked: records of one place of a dataset. */
export type PickedPoints = { dataset: string; role: string; facts: number[]; more: boolean };

export type MapState = {
  view: View | null;
  layers: Layer[];
  /** Datasets that the address names and the city does not, or no longer, have. */
  missing: string[];
  /** The city's own map service that is the ground; null shows the city's own layers. */
  base: string | null;
  points: PickedPoints | null;
  /** The cell that is looked into, as a code. */
  cell: string | null;
  /** Start and end of the time window, seconds since 1970; null shows all times. */
  time: [number, number] | null;
  list: boolean;
  /** Whether cells in which alarms last are shown. */
  alarms: boolean;
};

function readView(text: string | null): View | null {
  const [lat, lon, zoom] = (text ?? "").split(",").map(Number);
  if (lat === undefined || lon === undefined || zoom === undefined) return null;
  const good = Math.abs(lat) <= 85 && Math.abs(lon) <= 180 && zoom >= 0 && zoom <= 24;
  return good ? { lat, lon, zoom } : null;
}

function readTime(text: string | null): [number, number] | null {
  const [start, end] = (text ?? "").split("~").map((part) => Date.parse(part) / 1000);
  return start !== undefined && end !== undefined && start < end ? [start, end] : null;
}

/** `stops@origin:3.4.5`, with `+` at its end where more were hit than are named. */
function readPoints(text: string | null): PickedPoints | null {
  const [, dataset, role = "", facts, more] = (text ?? "").match(/^([a-z][a-z0-9_]*)(?:@([a-z0-9_]+))?:(\d{1,15}(?:\.\d{1,15}){0,19})(\+?)$/) ?? [];
  return dataset && facts ? { dataset, role, facts: facts.split(".").map(Number), more: more === "+" } : null;
}

function writePoints({ dataset, role, facts, more }: PickedPoints): string {
  return `${role ? `${dataset}@${role}` : dataset}:${facts.join(".")}${more ? "+" : ""}`;
}

const second = (time: number) => new Date(time * 1000).toISOString().slice(0, 19).concat("Z");

export function useMapState(datasets: Dataset[]): [MapState, (changes: Partial<MapState>) => void] {
  const [address, setAddress] = useSearchParams();
  // The address follows a moment later; what a control was set to shows at once, or the control would spring back.
  const [parameters, setParameters] = useOptimistic(address);
  // Several changes may come before the address has followed the first.
  const newest = useRef(parameters);
  newest.current = parameters;
  const here = useHref(useLocation().pathname);

  const layersText = parameters.get("layers");
  const layers = useMemo(
    () => (layersText === null ? firstLayers(datasets) : readLayers(layersText, datasets)),
    [layersText, datasets],
  );
  const timeText = parameters.get("time");
  const time = useMemo(() => readTime(timeText), [timeText]);
  const viewText = parameters.get("at");
  const view = useMemo(() => readView(viewText), [viewText]);

  const missing = useMemo(() => missingOf(layersText ?? "", datasets), [layersText, datasets]);
  const pointsText = parameters.get("points");
  const points = useMemo(() => readPoints(pointsText), [pointsText]);

  const state: MapState = {
    view,
    layers,
    missing,
    base: parameters.get("base"),
    points,
    cell: parameters.get("cell"),
    time,
    list: parameters.has("list"),
    alarms: parameters.get("alarms") !== "0",
  };

  const change = useCallback(
    (changes: Partial<MapState>) => {
      const next = new URLSearchParams(newest.current);
      const put = (name: string, value: string | null | undefined) => {
        if (value === null || value === undefined) next.delete(name);
        else next.set(name, value);
      };
      if (changes.view) {
        const { lat, lon, zoom } = changes.view;
        put("at", `${lat.toFixed(5)},${lon.toFixed(5)},${zoom.toFixed(2)}`);
      }
      if (changes.layers) put("layers", writeLayers(changes.layers));
      if ("base" in changes) put("base", changes.base);
      if ("points" in changes) put("points", changes.points && writePoints(changes.points));
      if ("cell" in changes) put("cell", changes.cell);
      if ("time" in changes) put("time", changes.time ? changes.time.map(second).join("~") : null);
      if ("list" in changes) put("list", changes.list ? "1" : null);
      if ("alarms" in changes) put("alarms", changes.alarms ? null : "0");
      newest.current = next;
      // While the next page is fetched the map is still there; were it to write its address, it would call the reader back.
      if (window.location.pathname !== here) return;
      startTransition(() => {
        setParameters(next);
        setAddress(next, { replace: true });
      });
    },
    [setParameters, setAddress, here],
  );
  return [state, change];
}
