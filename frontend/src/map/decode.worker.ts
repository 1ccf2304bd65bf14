/** Fetches and decodes Arrow streams away from the page's own thread, and hands over bare arrays. */
import { type Table, tableFromIPC } from "apache-arrow";

export type Job = { id: number; kind: "points" | "cells"; url: string; headers: Record<string, string> };
export type Order = Job | { id: number; stop: true };

export type Points = {
  kind: "points";
  length: number;
  /** Longitude and latitude in degrees, in turn. */
  positions: Float64Array;
  facts: Uint32Array;
  /** Seconds since `epoch`, where the dataset has time. */
  seconds: Float32Array | null;
  epoch: number;
  complete: boolean;
};

export type Cells = {
  kind: "cells";
  length: number;
  /** Four corners of each cell, longitude and latitude in turn. */
  corners: Float64Array;
  /** Two triangles of each cell. */
  indices: Uint32Array;
  starts: Uint32Array;
  counts: Int32Array;
  /** Facts per square kilometre. */
  densities: Float32Array;
};

export type Answer =
  | { id: number; result: Points | Cells; started: number; received: number; decoded: number }
  | { id: number; problem: { status: number; body: string } }
  | { id: number; unreachable: true };

const E7 = 1e7;
const running = new Map<number, AbortController>();

self.onmessage = async (event: MessageEvent<Order>) => {
  const order = event.data;
  if ("stop" in order) {
    running.get(order.id)?.abort();
    running.delete(order.id);
    return;
  }
  const control = new AbortController();
  running.set(order.id, control);
  try {
    await work(order, control.signal);
  } catch {
    if (!control.signal.aborted) self.postMessage({ id: order.id, unreachable: true } satisfies Answer);
  } finally {
    running.delete(order.id);
  }
};

async function work(job: Job, signal: AbortSignal): Promise<void> {
  const started = performance.timeOrigin + performance.now();
  const response = await fetch(job.url, {
    signal,
    headers: { Accept: "application/vnd.apache.arrow.stream", ...job.headers },
  });
  if (!response.ok) {
    const body = await response.text();
    self.postMessage({ id: job.id, problem: { status: response.status, body } } satisfies Answer);
    return;
  }
  const bytes = new Uint8Array(await response.arrayBuffer());
  const received = performance.timeOrigin + performance.now();
  const table = tableFromIPC(bytes);
  const result = job.kind === "points" ? points(table) : cells(table);
  const decoded = performance.timeOrigin + performance.now();
  const transfer = Object.values(result).flatMap((one) => (ArrayBuffer.isView(one) ? [one.buffer as ArrayBuffer] : []));
  self.postMessage({ id: job.id, result, started, received, decoded } satisfies Answer, { transfer });
}

// biome-ignore lint: the column's type is known from the API
function column<T>(table: Table, name: string): T {
  return table.getChild(name)?.toArray() as T;
}

function points(table: Table): Points {
  const lon = column<Int32Array>(table, "lon");
  const lat = column<Int32Array>(table, "lat");
  const length = table.numRows;
  const positions = new Float64Array(2 * length);
  for (let i = 0; i < length; i++) {
    positions[2 * i] = lon[i]! / E7;
    positions[2 * i + 1] = lat[i]! / E7;
  }
  const second = table.getChild("second");
  const metadata = table.schema.metadata;
  return {
    kind: "points",
    length,
    positions,
    facts: factsOf(table),
    seconds: second ? new Float32Array(length ? (second.toArray() as Int32Array) : []) : null,
    epoch: Number(metadata.get("epoch") ?? 0),
    complete: metadata.get("complete") !== "false",
  };
}

/** The facts of the points: as sent, or counted up from the first. */
function factsOf(table: Table): Uint32Array {
  const first = table.schema.metadata.get("fact");
  if (first === undefined) return table.numRows ? column<Uint32Array>(table, "fact").slice() : new Uint32Array();
  const facts = new Uint32Array(table.numRows);
  const start = Number(first);
  for (let i = 0; i < facts.length; i++) facts[i] = start + i;
  return facts;
}

function cells(table: Table): Cells {
  const length = table.numRows;
  const [west, south, east, north] = ["west", "south", "east", "north"].map((edge) => column<Int32Array>(table, edge));
  const n = column<Int32Array>(table, "n");
  const area = column<Float32Array>(table, "area_m2");
  const corners = new Float64Array(8 * length);
  const indices = new Uint32Array(6 * length);
  const starts = new Uint32Array(length + 1);
  const densities = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const w = west![i]! / E7;
    const s = south![i]! / E7;
    const e = east![i]! / E7;
    const t = north![i]! / E7;
    const c = 8 * i;
    corners[c] = corners[c + 6] = w;
    corners[c + 1] = corners[c + 3] = s;
    corners[c + 2] = corners[c + 4] = e;
    corners[c + 5] = corners[c + 7] = t;
    const v = 4 * i;
    const k = 6 * i;
    indices[k] = indices[k + 3] = v;
    indices[k + 1] = v + 1;
    indices[k + 2] = indices[k + 4] = v + 2;
    indices[k + 5] = v + 3;
    starts[i + 1] = v + 4;
    densities[i] = (n[i]! / area[i]!) * 1e6;
  }
  return { kind: "cells", length, corners, indices, starts, counts: length ? n.slice() : new Int32Array(), densities };
}
