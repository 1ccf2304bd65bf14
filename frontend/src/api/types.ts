/** What the server answers, as the OpenAPI document describes it. 64-bit codes are strings. */

export type Bounds = [west: number, south: number, east: number, north: number];

export type CodeStep = {
  level: number;
  /** Which characters of the code this level adds. */
  start: number;
  end: number;
  characters: string;
  meaning: string;
  text: string;
  bounds: Bounds;
  width_m: number;
  height_m: number;
};

export type Explanation = {
  read_as: "beidou" | "geosot" | "integer" | "coordinate";
  level: number;
  geosot: { text: string; level: number; integer: string; stored: string } | null;
  beidou: { text: string; level: number; same_cell: boolean } | null;
  bounds: Bounds;
  centre: [lon: number, lat: number];
  width_m: number;
  height_m: number;
  area_m2: number;
  cut: boolean;
  beidou_steps: CodeStep[];
  geosot_steps: CodeStep[];
  neighbours: { direction: Direction; text: string; bounds: Bounds }[];
  coarser: string | null;
  finer: string | null;
};

export type Direction = "n" | "ne" | "e" | "se" | "s" | "sw" | "w" | "nw";
