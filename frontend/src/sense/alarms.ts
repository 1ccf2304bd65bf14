/** What the pages of incidents, alarms, rules and the state of cells ask, and how they stay fresh. */
import { type QueryClient, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { askJson } from "../api/client";
import { onEvent } from "../api/events";
import type { Bounds } from "../api/types";
import type { Text } from "../words";

export type Severity = "notice" | "warning" | "alarm";
export type Kind = "above" | "below" | "rising" | "falling" | "frozen" | "silent";
export type Mark = "" | "true" | "false";

export type Sign = {
  observes: string;
  kind: Kind;
  unit?: string | null;
  value?: number | null;
  until?: number | null;
  seconds?: number;
  gap?: number;
  tolerance?: number;
  least?: number;
};
/** What must be so in a dataset at the place where the signs are. */
export type DatasetSign = {
  dataset: string;
  kind?: "has" | "lacks";
  where?: string | null;
  metres?: number | null;
  valid?: boolean;
  count?: number;
};
/** What a dataset said at the place of an alarm; of rows that the reader may not be told there is no count. */
export type Ground = {
  sign: number;
  dataset: string;
  title: Text;
  version: number;
  time: string;
  told: boolean;
  count: number | null;
  rows: { row: number; name: string; object: string; metres: number | null }[];
};
export type Reason = {
  sign: number;
  stream: number;
  name: string;
  thing: string;
  symbol: string;
  since: string;
  time: string;
  value: number | null;
};
/** How the state of an alarm came to a cell over a network. */
export type Way = {
  dataset: string;
  title: Text;
  stream: number;
  metres: number;
  steps: number;
  lines: { name: string; object: string }[];
};
export type Alarm = {
  id: number;
  rule: number;
  version: number;
  title: Text;
  owner: string;
  subject: string;
  severity: Severity;
  cell: string | null;
  level: number;
  code: string;
  lon: number | null;
  lat: number | null;
  began: string;
  ended: string | null;
  signs: Sign[];
  reasons: Reason[];
  ended_by: Reason[];
  hidden: number;
  datasets: DatasetSign[];
  grounds: Ground[];
  ended_grounds: Ground[];
  incident: number;
  called: string | null;
  case: string;
  mark: Mark;
  way: Way | null;
};
export type Incident = {
  id: number;
  title: Text;
  cause: string;
  severity: Severity;
  began: string;
  last: string;
  ended: string | null;
  alarms: number;
  lasting: number;
  cases: string[];
};
export type State = { cell: string; code: string; bounds: Bounds; severity: Severity; alarms: Alarm[] };
export type CellStream = { id: number; name: string; thing: string; symbol: string; time: string | null; result: unknown };
export type CellState = {
  code: string;
  level: number;
  bounds: Bounds;
  severity: Severity | "" | "unknown";
  alarms: Alarm[];
  past: Alarm[];
  streams: CellStream[];
};

export type Quiet = { from: string; to: string; days?: number[] };
export type Escalation = { minutes: number; to: string };
export type Downstream = { dataset: string; metres: number; from?: string; to?: string; near?: number };
export type RuleBody = {
  zh: string;
  en: string;
  signs: Sign[];
  datasets?: DatasetSign[];
  together?: "stream" | "thing" | "zone";
  level?: number;
  within?: string[];
  severity?: Severity;
  spread?: number;
  downstream?: Downstream;
  cause?: string;
  quiet?: Quiet[];
  escalation?: Escalation[];
};
export type Rule = {
  id: number;
  version: number;
  owner: string;
  on: boolean;
  rule: RuleBody;
  by: string;
  changed: string;
  may_write: boolean;
  /** Why it cannot ask its datasets, so that it raises nothing. */
  broken: Text | null;
};
export type WholeRule = { rule: Rule; versions: { version: number; rule: RuleBody; by: string; at: string }[] };
export type Trial = {
  streams: number;
  readings: number;
  alarms: number;
  false: number;
  found: { subject: string; began: string; ended: string | null; reasons: Reason[]; mark: Mark; grounds: Ground[] }[];
  datasets: {
    dataset: string;
    title: Text;
    version: number;
    published: string;
    since: string;
    until: string;
    assumed: boolean;
    trouble: Text | null;
  }[];
};

/** The key of every answer that an alarm may change. */
const ALARMS = ["sense", "alarms"];
const AGAIN = 15_000;

export const useIncidents = (lasting: boolean, enabled = true) =>
  useInfiniteQuery({
    queryKey: [...ALARMS, "incidents", lasting],
    queryFn: ({ pageParam, signal }) =>
      askJson<{ incidents: Incident[]; before: number | null }>("/api/sense/incidents", {
        query: { before: pageParam, lasting: lasting || undefined },
        signal,
      }),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.before,
    refetchInterval: AGAIN,
    enabled,
  });

export const useAlarms = (query: { incident?: number; rule?: number; lasting?: boolean }, limit: number, enabled = true) =>
  useInfiniteQuery({
    queryKey: [...ALARMS, "list", query, limit],
    queryFn: ({ pageParam, signal }) =>
      askJson<{ alarms: Alarm[]; before: number | null }>("/api/sense/alarms", {
        query: { ...query, before: pageParam, limit },
        signal,
      }),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.before,
    refetchInterval: AGAIN,
    enabled,
  });

/** The cells in which alarms lasted at a moment, ISO 8601. */
export const useStatesAt = (level: number, at: string | null) =>
  useQuery({
    queryKey: [...ALARMS, "states", level, at],
    queryFn: ({ signal }) => askJson<{ level: number; states: State[] }>("/api/sense/states", { query: { level, at: at ?? undefined }, signal }),
    enabled: at !== null,
    placeholderData: (before) => before,
  });

export const useStates = (level: number, enabled: boolean) =>
  useQuery({
    queryKey: [...ALARMS, "states", level],
    queryFn: ({ signal }) => askJson<{ level: number; states: State[] }>("/api/sense/states", { query: { level }, signal }),
    refetchInterval: AGAIN,
    placeholderData: (before) => before,
    enabled,
  });

export const useCellState = (code: string) =>
  useQuery({
    queryKey: [...ALARMS, "cell", code],
    queryFn: ({ signal }) => askJson<CellState>(`/api/sense/states/${encodeURIComponent(code)}`, { signal }),
    refetchInterval: AGAIN,
  });

export const useRules = () =>
  useQuery({
    queryKey: ["sense", "rules"],
    queryFn: ({ signal }) => askJson<{ rules: Rule[]; may_write: boolean }>("/api/sense/rules", { signal }),
  });

export const useRule = (number: number | null) =>
  useQuery({
    queryKey: ["sense", "rules", number],
    queryFn: ({ signal }) => askJson<WholeRule>(`/api/sense/rules/${number}`, { signal }),
    enabled: number !== null,
  });

export const useObserved = () =>
  useQuery({
    queryKey: ["sense", "observed"],
    queryFn: async ({ signal }) => {
      const told = await askJson<{ value: { name: string }[] }>("/sta/v1.1/ObservedProperties", {
        query: { $select: "name", $orderby: "name", $top: 1000 },
        signal,
      });
      return [...new Set(told.value.map((one) => one.name))];
    },
    staleTime: 300_000,
  });

export const markAlarm = (id: number, mark: Mark) => askJson<Alarm>(`/api/sense/alarms/${id}/mark`, { method: "POST", body: { mark } });

export const switchRule = (id: number, to: "on" | "off" | "deleted") =>
  askJson<Rule>(`/api/sense/rules/${id}/switch`, { method: "POST", body: { to } });

export const saveRule = (number: number | null, rule: RuleBody, owner: string) =>
  number === null
    ? askJson<Rule>("/api/sense/rules", { method: "POST", body: { rule, owner } })
    : askJson<Rule>(`/api/sense/rules/${number}`, { method: "PUT", body: { rule } });

export const tryRule = (body: { rule: RuleBody; owner: string; number?: number; since: string; until: string }) =>
  askJson<Trial>("/api/sense/rule-trials", { method: "POST", body });

export function forgetAlarms(questions: QueryClient): void {
  void questions.invalidateQueries({ queryKey: ALARMS });
}

/** Shortest time between two askings, so that a storm does not keep a page asking. */
const REST = 700;

/** Has what was asked of alarms asked anew when the log tells of any: at once, then no oftener than a page can show. */
export function useFreshAlarms(enabled = true): void {
  const questions = useQueryClient();
  const last = useRef(0);
  useEffect(() => {
    if (!enabled) return;
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const tell = () => {
      waiting = undefined;
      last.current = Date.now();
      forgetAlarms(questions);
    };
    const end = onEvent(({ type }) => {
      if (type.startsWith("sense.alarm") || type.startsWith("sense.incident")) {
        waiting ??= setTimeout(tell, Math.max(0, last.current + REST - Date.now()));
      } else if (type.startsWith("sense.rule")) {
        void questions.invalidateQueries({ queryKey: ["sense", "rules"] });
      }
    });
    return () => {
      end();
      clearTimeout(waiting);
    };
  }, [questions, enabled]);
}

/** Seconds in the unit that suits them, as a key of words and a number. */
export function span(seconds: number): ["s" | "m" | "h" | "d", number] {
  if (seconds >= 86_400 && seconds % 86_400 === 0) return ["d", seconds / 86_400];
  if (seconds >= 3600 && seconds % 3600 === 0) return ["h", seconds / 3600];
  if (seconds >= 60 && seconds % 60 === 0) return ["m", seconds / 60];
  return ["s", seconds];
}

export const GRAVEST: Severity[] = ["alarm", "warning", "notice"];
export const TONES: Record<Severity, string> = { alarm: "bad", warning: "warn", notice: "accent" };
