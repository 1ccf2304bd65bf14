/** What pages of cases ask, and what they are told. Instants in lists are microseconds since 1970 UTC. */
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { askJson } from "../api/client";
import { useEvents } from "../api/events";
import type { Text } from "../words";

export type CaseRow = {
  number: string;
  step: number;
  state: string;
  ended: boolean;
  kind: Kind;
  type: string;
  description: string;
  source: string;
  area: string;
  where: string | null;
  lon: number | null;
  lat: number | null;
  department: string | null;
  handler: string | null;
  open_parts: string[];
  main: string | null;
  others: number;
  reported: number;
  due: number | null;
  risk_at: number | null;
  reworks: number;
  extensions: number;
  orders_open: number;
  asked: string | null;
};
export type Kind = "component" | "matter";
export type CasePageAnswer = { cases: CaseRow[]; count: number; next: string | null; previous: string | null };
export type StateCount = { state: string; count: number; overdue: number; at_risk: number; asked: number; ordered: number };

export type Step = { action: string; says: Text; roles: string[]; needs: string[]; takes: string[]; may: boolean; hindered: Text | null };
export type Clock = {
  stage: string;
  owner: string;
  unit: string;
  amount: number;
  extensions: number;
  running: boolean;
  ended: string;
  started: string;
  due: string;
  risk: string;
  share: number;
  on_time: boolean;
};
export type Happening = {
  step: number;
  action: string;
  at: string;
  actor: string | null;
  was: string;
  to: string;
  data: Record<string, unknown>;
  words: Record<string, string>;
};
export type CaseDetail = {
  number: string;
  step: number;
  state: string;
  says: Text;
  kind: Kind;
  type: string;
  type_name: Text;
  source: string;
  area: string;
  where: string;
  cell: string | null;
  lon: number | null;
  lat: number | null;
  component: string | null;
  rule: string | null;
  department: string | null;
  handler: string | null;
  parts: { department: string; state: string }[];
  main: string | null;
  others: string[];
  clocks: Clock[];
  possible: Step[];
  timeline: Happening[];
};

export type State = { key: string; says: Text; phase: string; stage: string | null; terminal: boolean };
export type Transition = Omit<Step, "may" | "hindered"> & { sources: string[]; target: string | null; axis: string };
export type Lifecycle = {
  roles: Record<string, Text>;
  states: State[];
  transitions: Transition[];
  sources: Record<string, Text>;
  inputs: Record<string, Text>;
  choices: Record<string, string[]>;
};
export type CaseType = { kind: Kind; code: string; name: Text; major: Text; code_2013: string | null; local: boolean };
export type Rule = { id: string; condition: string; closing: string; unit: string; amount: number };
export type Alike = { number: string; score: number; metres: number; state: string; why: Text };
export type Proposals = {
  departments: { department: string; weight: number; why: Text[] }[];
  rules: Rule[];
  place: Text | null;
  duplicates: Alike[];
};
export type Named = { id: string; name: string };
export type CaseNames = { people: Record<string, string>; departments: Record<string, string> };

/** Which cases: as it stands in the address, and as the list, the map and the counts are asked. */
export type Filters = URLSearchParams;

const EVERY = Number.POSITIVE_INFINITY;
/** Milliseconds: what changes by time alone, and what was missed while the network was away. */
const LOOK_AGAIN = 60_000;
/** Milliseconds between two looks when much happens at once. */
const REST = 800;

export function useLifecycle() {
  return useQuery({
    queryKey: ["case-lifecycle"],
    queryFn: ({ signal }) => askJson<Lifecycle>("/api/cases/lifecycle", { signal }),
    staleTime: EVERY,
  });
}

export function useTypes() {
  return useQuery({
    queryKey: ["case-types"],
    queryFn: ({ signal }) => askJson<CaseType[]>("/api/cases/types", { signal }),
    staleTime: 300_000,
  });
}

export function useCases(filters: Filters, more: Record<string, string> = {}) {
  const asked = withMore(filters, more).toString();
  return useQuery({
    queryKey: ["cases", "list", asked],
    queryFn: ({ signal }) => askJson<CasePageAnswer>(`/api/cases?${asked}`, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: LOOK_AGAIN,
  });
}

export function useStates(filters: Filters) {
  const asked = filters.toString();
  return useQuery({
    queryKey: ["cases", "states", asked],
    queryFn: ({ signal }) => askJson<StateCount[]>(`/api/cases/states?${asked}`, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: LOOK_AGAIN,
  });
}

export function useCase(number: string) {
  return useQuery({
    queryKey: ["cases", "one", number],
    queryFn: ({ signal }) => askJson<CaseDetail>(`/api/cases/${encodeURIComponent(number)}`, { signal }),
    refetchInterval: LOOK_AGAIN,
  });
}

export function useCaseNames(number: string, step: number | undefined) {
  return useQuery({
    queryKey: ["case-names", number, step],
    queryFn: ({ signal }) => askJson<CaseNames>(`/api/cases/${encodeURIComponent(number)}/names`, { signal }),
    enabled: step !== undefined,
    placeholderData: keepPreviousData,
    staleTime: EVERY,
  });
}

export function proposalsOf(number: string, step: number) {
  return {
    queryKey: ["case-proposals", number, step],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      askJson<Proposals>(`/api/cases/${encodeURIComponent(number)}/proposals`, { signal }),
    staleTime: 60_000,
  };
}

/** The titles of departments by code: those of a list are asked for together. */
export function useTitles(codes: (string | null)[]): Record<string, string> {
  const wanted = [...new Set(codes.filter((code): code is string => !!code))].sort().slice(0, 50);
  const found = useQuery({
    queryKey: ["case-departments", wanted.join(",")],
    queryFn: ({ signal }) =>
      askJson<Named[]>(`/api/cases/departments?${new URLSearchParams(wanted.map((code) => ["code", code]))}`, { signal }),
    enabled: wanted.length > 0,
    placeholderData: keepPreviousData,
    staleTime: 300_000,
  });
  return Object.fromEntries((found.data ?? []).map((one) => [one.id, one.name]));
}

export function takeStep(number: string, action: string, fields: Record<string, unknown>, seen: number): Promise<CaseDetail> {
  return askJson<CaseDetail>(`/api/cases/${encodeURIComponent(number)}/steps`, {
    method: "POST",
    body: { action, fields, seen },
  });
}

export function withMore(filters: Filters, more: Record<string, string>): URLSearchParams {
  const asked = new URLSearchParams(filters);
  for (const [name, value] of Object.entries(more)) asked.set(name, value);
  return asked;
}

/** Keeps open pages of cases fresh: what happens is asked for again, at most about once a second. */
export function useCaseNews(): void {
  const client = useQueryClient();
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEvents(["case"], () => {
    waiting.current ??= setTimeout(() => {
      waiting.current = undefined;
      void client.invalidateQueries({ queryKey: ["cases"] });
    }, REST);
  });
  useEffect(
    () => () => {
      clearTimeout(waiting.current);
      waiting.current = undefined;
    },
    [],
  );
}

/** The time in milliseconds, anew every half minute: for remaining times. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
