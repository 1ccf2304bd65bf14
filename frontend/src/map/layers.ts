/** The layers of a map: which datasets are shown, how, and how they are written into an address. */
import type { Bounds, Dataset } from "../api/types";
import { textScale } from "../app/mode";

export type Showing = "density" | "points" | "shapes";

export type Layer = {
  dataset: string;
  role: string;
  as: Showing;
  /** 0 to 100. */
  opacity: number;
};

const LETTER: Record<Showing, string> = { density: "d", points: "p", shapes: "s" };
const SHOWING: Record<string, Showing> = { d: "density", p: "points", s: "shapes" };

export function keyOf(layer: { dataset: string; role: string }): string {
  return layer.role ? `${layer.dataset}@${layer.role}` : layer.dataset;
}

export function writeLayers(layers: Layer[]): string {
  return layers.map((one) => `${keyOf(one)}:${LETTER[one.as]}:${one.opacity}`).join(",") || "-";
}

/** Read layers from an address; what is malformed or names no dataset is left out. */
export function readLayers(text: string, datasets: Dataset[]): Layer[] {
  return text.split(",").flatMap((part) => {
    const [key = "", letter = "", opacity = ""] = part.split(":");
    const [id = "", role = ""] = key.split("@");
    const dataset = datasets.find((one) => one.id === id);
    const as = SHOWING[letter];
    if (!dataset || !as || !waysOf(dataset, role).includes(as)) return [];
    const percent = Number(opacity);
    return [{ dataset: id, role, as, opacity: percent >= 0 && percent <= 100 ? Math.round(percent) : 80 }];
  });
}

/** The datasets that an address names and the city does not have. */
export function missingOf(text: string, datasets: Dataset[]): string[] {
  const ids = text.split(",").map((part) => part.split(":")[0]!.split("@")[0]!);
  return [...new Set(ids)].filter((id) => /^[a-z][a-z0-9_]{0,59}$/.test(id) && !datasets.some((one) => one.id === id));
}

/** The level from which on places are shown as they are. */
export const EXACT = 32;

/** A place known to 12 cm or better is drawn as a point. */
const MEASURED = 29;

/** In which ways a dataset can be shown. */
export function waysOf(dataset: Dataset, role: string): Showing[] {
  const place = dataset.places.find((one) => one.role === role);
  if (!place || dataset.state === "failed" || dataset.version === null) return [];
  if (dataset.map_level === 0) return [];
  if (place.kind === "geometry") return dataset.map_level >= EXACT ? ["shapes"] : [];
  return Math.min(Math.max(...place.levels, 0), dataset.map_level) >= MEASURED ? ["density", "points"] : ["density"];
}

/** The finest level at which a layer is asked for: as its places are known, and as far as the policies let one see. */
export function finestLevel(dataset: Dataset, role: string): number {
  const known = Math.max(...(dataset.places.find((one) => one.role === role)?.levels ?? [EXACT]), 1);
  return Math.max(1, Math.min(known, dataset.map_level));
}

/** What a first visit shows, as a density: the most measured points, rather those of a dataset's own coordinates. */
export function firstLayers(datasets: Dataset[]): Layer[] {
  const candidates = datasets
    .flatMap((dataset) => dataset.places.map((place) => ({ dataset, place })))
    .filter(({ dataset, place }) => waysOf(dataset, place.role).includes("points"))
    .sort(
      (a, b) =>
        Number(b.place.kind === "point") - Number(a.place.kind === "point") ||
        (b.dataset.counts?.addressed ?? 0) - (a.dataset.counts?.addressed ?? 0),
    );
  const best = candidates[0];
  return best ? [{ dataset: best.dataset.id, role: best.place.role, as: "density", opacity: 85 }] : [];
}

/** Sides of the cells of each GeoSOT level in degrees (GB/T 40087, table 1). */
export function sideOf(level: number): number {
  if (level <= 9) return 2 ** (9 - level);
  if (level <= 15) return 2 ** (15 - level) / 60;
  return 2 ** (21 - level) / 3600;
}

const CELL_PIXELS = 13;

/** The level whose cells are about 13 pixels wide at a zoom, not finer than the places are known. */
export function levelAt(zoom: number, finest: number): number {
  const degrees = (CELL_PIXELS * textScale() * 360) / (512 * 2 ** zoom);
  let level = 3;
  while (level < 24 && sideOf(level) > degrees) level += 1;
  return Math.min(level, finest);
}

/** A box widened to whole blocks of cells, so that small moves ask the same question. */
export function snapped(bounds: Bounds, side: number): Bounds {
  const down = (x: number) => Math.floor(x / side) * side;
  const up = (x: number) => Math.ceil(x / side) * side;
  const round = (x: number) => Math.round(x * 1e6) / 1e6;
  const [west, south, east, north] = bounds;
  return [
    Math.max(-180, round(down(west))),
    Math.max(-85, round(down(south))),
    Math.min(180, round(up(east))),
    Math.min(85, round(up(north))),
  ];
}
