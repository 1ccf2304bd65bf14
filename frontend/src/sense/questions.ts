/** What the pages of sensors ask the server, and the readings that come by themselves. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ask, askJson, Problem, problemOf } from "../api/client";

export type Stream = { id: number; name: string; symbol: string; multi: boolean; time: string | null; result: unknown; faults: string[] };
export type Sensor = {
  id: number;
  name: string;
  lon: number;
  lat: number;
  exact: boolean;
  kind: string;
  state: string;
  streams: Stream[];
};
export type Reading = { stream: number; time: string; result: unknown };
export type Point = [time: string, value: number | null];
export type Series = {
  stream: number;
  name: string;
  symbol: string;
  thing: number;
  thing_name: string;
  points: Point[];
  count: number;
  other: number;
  usual: number | null;
};
export type Bucket = { start: string; count: number; mean: number | null; min: number | null; max: number | null };
export type Day = { day: string; buckets: Bucket[] };
export type Device = {
  id: number;
  identifier: string;
  key: string;
  name: string;
  kind: string;
  state: string;
  owner: string;
  lon: number | null;
  lat: number | null;
  exact: boolean;
  cell: string | null;
  height: number | null;
  height_datum: string | null;
  battery: number | null;
  calibrated: string | null;
  calibration_due: string | null;
  last_seen: string | null;
  signed_off: string | null;
  signed_off_by: string | null;
  streams: number;
};
export type Work = { at: string; kind: string; note: string; by: string };
export type WholeDevice = {
  device: Device;
  owner_title: string;
  streams: { id: number; name: string; unit: { symbol?: string } | null }[];
  works: Work[];
  may_keep: boolean;
};
export type Imported = {
  new: number;
  changed: number;
  same: number;
  findings: { row: number; column: string; says: { zh: string; en: string } }[];
  findings_count: number;
};

export const HOUR = 3_600_000;

export const useSensors = () =>
  useQuery({
    queryKey: ["sense", "map"],
    queryFn: ({ signal }) => askJson<{ sensors: Sensor[]; more: boolean }>("/api/sense/map", { signal }),
  });

/** The sensors as they were at a moment, ISO 8601; nothing is asked where there is none. */
export const useSensorsAt = (at: string | null) =>
  useQuery({
    queryKey: ["sense", "map", at],
    queryFn: ({ signal }) => askJson<{ sensors: Sensor[]; more: boolean }>("/api/sense/map", { query: { at: at ?? undefined }, signal }),
    enabled: at !== null,
    staleTime: 60_000,
    placeholderData: (before) => before,
  });

export const useSparks = (streams: number[]) =>
  useQuery({
    queryKey: ["sense", "sparks", streams],
    queryFn: ({ signal }) =>
      askJson<{ stream: number; values: (number | null)[] }[]>(
        `/api/sense/sparklines?${streams.map((one) => `stream=${one}`).join("&")}`,
        { signal },
      ),
    enabled: streams.length > 0,
    refetchInterval: 60_000,
  });

export const useSeries = (stream: number, from: string, to: string) =>
  useQuery({
    queryKey: ["sense", "series", stream, from, to],
    queryFn: ({ signal }) =>
      askJson<Series>(`/api/sense/streams/${stream}/series`, { query: { from, to, points: 800 }, signal }),
    placeholderData: (before) => before,
  });

export const useBuckets = (stream: number, from: string, to: string, interval: number, enabled: boolean) =>
  useQuery({
    queryKey: ["sense", "buckets", stream, from, to, interval],
    queryFn: ({ signal }) =>
      askJson<Bucket[]>(`/api/sense/streams/${stream}/aggregates`, { query: { from, to, interval }, signal }),
    enabled,
  });

export const useDays = (stream: number, days: string[], enabled: boolean) =>
  useQuery({
    queryKey: ["sense", "days", stream, days],
    queryFn: ({ signal }) =>
      askJson<Day[]>(`/api/sense/streams/${stream}/days?${days.map((one) => `day=${one}`).join("&")}`, { signal }),
    enabled,
  });

export const useStream = (stream: number) =>
  useQuery({
    queryKey: ["sense", "stream", stream],
    queryFn: ({ signal }) => askJson<Record<string, unknown>>(`/api/sense/streams/${stream}`, { signal }),
  });

export const useDevice = (device: number) =>
  useQuery({
    queryKey: ["sense", "device", device],
    queryFn: ({ signal }) => askJson<WholeDevice>(`/api/sense/devices/${device}`, { signal }),
  });

export type Wire = "connecting" | "on" | "off";

/** The newest reading of each stream since this page is open, and whether it is being told. */
export function useLive(): { newest: ReadonlyMap<number, Reading>; wire: Wire } {
  const [newest, setNewest] = useState<ReadonlyMap<number, Reading>>(new Map());
  const [wire, setWire] = useState<Wire>("connecting");
  useEffect(() => {
    const source = new EventSource("/api/sense/live");
    source.onopen = () => setWire("on");
    source.onerror = () => setWire("off");
    source.onmessage = (message) => {
      setWire("on");
      const told = JSON.parse(message.data as string) as Reading[];
      setNewest((before) => new Map([...before, ...told.map((one) => [one.stream, one] as const)]));
    };
    source.addEventListener("end", () => source.close());
    return () => source.close();
  }, []);
  return { newest, wire };
}

export async function importTable(file: File, crs: string, owner: string): Promise<Imported> {
  const query = new URLSearchParams({ name: file.name, crs, owner });
  let response: Response;
  try {
    response = await fetch(`/api/sense/devices/table?${query}`, {
      method: "PUT",
      body: file,
      headers: { "Content-Type": "application/octet-stream", "Accept-Language": document.documentElement.lang },
    });
  } catch {
    throw new Problem({ code: "unreachable" });
  }
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as Imported;
}

export const keepWork = (device: number, body: { kind: string; note: string }) =>
  ask(`/api/sense/devices/${device}/works`, { method: "POST", body });

export const signOff = (device: number) => ask(`/api/sense/devices/${device}/sign-off`, { method: "POST" });

/** A reading as a page writes it: a number with its unit, anything else as text. */
export function resultText(result: unknown, symbol: string, none: string): string {
  if (result === null || result === undefined) return none;
  if (typeof result === "number") return `${Number(result.toPrecision(6))}${symbol ? ` ${symbol}` : ""}`;
  return typeof result === "string" ? result : JSON.stringify(result);
}
