/** What the server answers, as the OpenAPI document describes it. 64-bit codes are strings. */
import type { Text } from "../words";

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

export type Direction = "n" | "ne" | "e" | "se" | "s" | "sw" | "w" | "nw";

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

export type City = {
  id: string;
  name: Text;
  adcode: string;
  time_zone: string;
  bounds: Bounds | null;
  generated: boolean;
  description: Text | null;
  ground: GroundDataset[];
  map_services: MapService[];
};

/** One row of what was measured of a fictional city beside real ones. */
export type Likeness = { what: Text; source: Text; real: Text; demo: Text; measure: Text; value: number };

export type GroundKind = "border" | "water" | "green" | "building" | "road" | "rail" | "line";
export type GroundDataset = { dataset: string; version: number; kind: GroundKind; label: boolean };

/** A map service of the city's own; `layers` holds the tile addresses of each layer, from the ground up. */
export type MapService = {
  id: string;
  title: Text;
  attribution: Text;
  crs: string;
  layers: string[][];
  min_zoom: number;
  max_zoom: number;
  tile_size: number;
  problem: Text | null;
};

export type Counts = {
  read: number;
  published: number;
  addressed: number;
  without_place: number;
  quarantined: number;
};

export type PlaceRole = { role: string; kind: "point" | "geometry" | "reference"; levels: number[] };

export type Dataset = {
  id: string;
  title: Text;
  owner: string;
  sharing: string;
  update_cycle: string;
  state: "published" | "held" | "failed";
  changed: string;
  version: number | null;
  counts: Counts | null;
  bounds: Bounds | null;
  period: [string, string] | null;
  places: PlaceRole[];
  has_geometry: boolean;
  named: boolean;
  rights: ("read" | "count" | "export" | "inspect" | "publish")[];
  /** The finest level that a map may show: 32 places as they are, 0 none. */
  map_level: number;
  problem: Record<string, unknown> | null;
};

export type Column = {
  name: string;
  type: string;
  nulls: number | null;
  distinct: number | null;
  minimum: string | null;
  maximum: string | null;
  key: boolean;
};

export type SourceFile = { path: string; layer: string; size: number; digest: string };

export type DatasetDetail = Dataset & {
  /** Whether more is shown to who states what for. */
  asks_purpose: boolean;
  columns: Column[];
  rules: Record<string, number>;
  findings: { rule: string; text: Text; rows: number; examples: number[] }[];
  evidence: Record<string, unknown>[];
  sources: SourceFile[];
};

export type Read = {
  dataset: string;
  title: Text;
  version: number;
  how: "place" | "area" | "boundary" | "anchor" | "rule" | "declared" | "stated";
};

export type Version = {
  number: number;
  published: string;
  counts: Counts;
  seconds: number;
  sources: SourceFile[];
  reads: Read[] | null;
  fingerprint: string;
  dropped: string | null;
  by: string | null;
  event: string | null;
};

export type QuarantinedRow = { file: string; row: number; rule: string; reason: Text; text: string | null };

export type Place = {
  role: string;
  cell: string;
  beidou: string | null;
  stored: string;
  level: number;
  lon: number;
  lat: number;
};

export type Fact = {
  fact: number;
  /** Identifier of the object that it is about, where the dataset's rows are identified. */
  object: string | null;
  name: string | null;
  relation: "within" | "crosses" | "around" | null;
  places: Place[];
  time: { start: string; end: string | null; precision: string } | null;
  source: { version: number; file: string; layer: string; row: number } | null;
  values: Record<string, unknown>;
};

export type CellGroup = {
  dataset: string;
  title: Text;
  owner: string;
  version: number;
  total: number;
  /** Of these, only known to lie in a larger cell around. */
  around: number;
  records: Fact[];
};

export type CellAnswer = { cell: Explanation; groups: CellGroup[]; total: number; around: number };

export type FactPage = { dataset: string; version: number; after: number | null; records: Fact[] };

export type Hit = {
  kind: "code" | "coordinate" | "name" | "address";
  title: string;
  code: string | null;
  bounds: Bounds | null;
  centre: [number, number] | null;
  dataset: string | null;
  dataset_title: Text | null;
  fact: number | null;
  facts: number | null;
};
