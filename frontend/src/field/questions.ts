/** What the pages in the field ask; each answer is kept for when the network is away. Instants in lists are microseconds. */
import { useQuery } from "@tanstack/react-query";
import { askJson } from "../api/client";
import { useSession } from "../session/questions";
import type { Text } from "../words";
import type { Here } from "./here";
import { known, type Known } from "./store";

export type Task = {
  number: string;
  step: number;
  state: string;
  kind: string;
  type: string;
  area: string;
  lon: number | null;
  lat: number | null;
  due: number | null;
  reported: number;
  reworks: number;
};

export type Possible = { action: string; says: Text; may: boolean; hindered?: Text | null };
export type FieldCase = {
  number: string;
  step: number;
  state: string;
  says: Text;
  kind: string;
  type: string;
  type_name: Text;
  area: string;
  lon: number | null;
  lat: number | null;
  component: string | null;
  department: string | null;
  parts: { department: string; state: string }[];
  clocks: { stage: string; running: boolean; due: string }[];
  possible: Possible[];
  timeline: { step: number; action: string; at: string; data: Record<string, unknown>; words: Record<string, string> }[];
};
export type CaseType = { kind: string; code: string; name: Text; major: Text };
export type Lifecycle = { states: { key: string; says: Text }[]; transitions: { action: string; says: Text }[] };
export type Around = {
  area: string;
  where: string;
  rule: Text | null;
  components: { code: string; name: string; type: string; department: string; lon: number; lat: number; metres: number }[];
  cases: { number: string; state: string; metres: number; score: number; why: Text }[];
};
export type Phrases = { phrases: Record<string, string[]> };
export type Way = { day: string; days: number; fixes: { at: string; lon: number; lat: number; accuracy: number }[] };

/** The states in which somebody in the field has something to do. */
export const TASKS = ["pending_verify", "checking", "handling", "pending_handle", "handle_finish"];
const MOST = 100;
/** Tasks of which the whole case is kept for when the network is away. */
const KEPT = 20;
/** Degrees around oneself, some kilometres, where there are more tasks than can be listed. */
const NEAR = 0.03;
const LOOK_AGAIN = 30_000;

/** Who works here: what is kept on the telephone is kept for this person. */
export function usePerson(): string {
  return useSession().data?.person ?? "local";
}

type Answer = { cases: Task[]; count: number };

async function tasks(here: Here | null, signal: AbortSignal): Promise<Task[]> {
  const asked = new URLSearchParams({ waiting: "true", sort: "due", limit: String(MOST) });
  for (const state of TASKS) asked.append("state", state);
  const all = await askJson<Answer>(`/api/cases?${asked}`, { signal });
  if (all.count <= MOST || !here) return all.cases;
  asked.set("box", [here.lon - NEAR, here.lat - NEAR, here.lon + NEAR, here.lat + NEAR].join(","));
  const near = await askJson<Answer>(`/api/cases?${asked}`, { signal });
  return near.cases.length ? near.cases : all.cases;
}

const caseOf = (person: string, number: string, signal?: AbortSignal) =>
  known(person, `case ${number}`, () => askJson<FieldCase>(`/api/cases/${encodeURIComponent(number)}`, { signal }));

export function useTasks(person: string, here: Here | null) {
  return useQuery<Known<Task[]>>({
    queryKey: ["field", "tasks", person],
    queryFn: async ({ signal }) => {
      const found = await known(person, "tasks", () => tasks(here, signal));
      if (!found.away) void keepCases(person, found.answer.slice(0, KEPT));
      return found;
    },
    refetchInterval: LOOK_AGAIN,
  });
}

async function keepCases(person: string, list: Task[]): Promise<void> {
  for (const one of list) await caseOf(person, one.number).catch(() => undefined);
}

export function useFieldCase(person: string, number: string) {
  return useQuery<Known<FieldCase>>({
    queryKey: ["field", "case", person, number],
    queryFn: ({ signal }) => caseOf(person, number, signal),
    refetchInterval: LOOK_AGAIN,
  });
}

export function useTypes(person: string) {
  return useQuery<Known<CaseType[]>>({
    queryKey: ["field", "types", person],
    queryFn: ({ signal }) => known(person, "types", () => askJson<CaseType[]>("/api/cases/types", { signal })),
    staleTime: 300_000,
  });
}

export function useLifecycle(person: string) {
  return useQuery<Known<Lifecycle>>({
    queryKey: ["field", "lifecycle", person],
    queryFn: ({ signal }) => known(person, "lifecycle", () => askJson<Lifecycle>("/api/cases/lifecycle", { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function usePhrases(person: string) {
  return useQuery<Known<Phrases>>({
    queryKey: ["field", "phrases", person],
    queryFn: ({ signal }) => known(person, "phrases", () => askJson<Phrases>("/api/cases/phrases", { signal })),
    staleTime: 300_000,
  });
}

export function useAround(place: { lon: number; lat: number } | null, kind: string, type: string, words: string) {
  // Five decimals are a metre: who stands still asks once.
  const at = place && { lon: place.lon.toFixed(5), lat: place.lat.toFixed(5) };
  return useQuery<Around>({
    queryKey: ["field", "around", at, kind, type, words],
    queryFn: ({ signal }) => askJson("/api/cases/around", { query: { ...at, kind, type, words: words.slice(0, 400) }, signal }),
    enabled: at !== null,
    placeholderData: (before) => before,
  });
}

export const WAY = ["field", "way"];

export function useWay() {
  return useQuery<Way>({ queryKey: WAY, queryFn: ({ signal }) => askJson("/api/cases/track", { signal }) });
}
