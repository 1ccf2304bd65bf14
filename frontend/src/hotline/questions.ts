/** What the hotline's pages ask the server. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { askJson } from "../api/client";
import type { Text } from "../words";

export type Limit = [unit: string, amount: number];
export type Named = { key: string; zh: string; en: string };
export type ReplyClock = { kind: string; urgency: string; dispatch: Limit; reply: Limit };
export type SheetItem = Named & { most: number };
export type Content = {
  kinds: Named[];
  urgencies: Named[];
  clocks: ReplyClock[];
  sheet: SheetItem[];
  answer_seconds: number;
  keep_number_days: number;
  department: string;
};
export type Settings = { version: number; content: Content; channels: Record<string, Text>; answers: string[] };

export type ShortCase = { number: string; step: number; state: string; title: Text; type: Text; department: string | null; ended: boolean };
export type CallLine = {
  number: string;
  step: number;
  state: "taken" | "answered" | "in_case" | "dismissed" | "lost";
  channel: string;
  caller: string | null;
  began: string;
  taker: string | null;
  kind: string;
  urgency: string;
  area: string;
  words: string;
  case: ShortCase | null;
  due: string | null;
  late: boolean;
  replied: boolean;
  asked: boolean;
  to_be_asked: boolean;
  reviewed: boolean;
  exempt: boolean;
  lost: string;
};
export type Call = CallLine & {
  lon: number | null;
  lat: number | null;
  joined: boolean;
  waited: number | null;
  hands: string[];
  articles: [number, number, boolean | null][];
  backs: { at: string; by: string; reached: boolean; solved: string; satisfied: string; reopened: boolean }[];
  reviews: { at: string; by: string; sheet: number; scores: Record<string, number>; points: number; most: number }[];
  written: { step: number; field: string; words: string }[];
  names: Record<string, string>;
  earlier: CallLine[];
  code: string | null;
};
export type Calls = { calls: CallLine[]; next: number | null };

export type Article = {
  id: number;
  version: number;
  title: string;
  body: string;
  questions: string[];
  department: string;
  department_title: string;
  since: string;
  until: string | null;
  holds: boolean;
  written: string;
  by: string;
  note: string;
  used: number;
  helped: number;
  failed: number;
  may_write: boolean;
};
export type Articles = { articles: Article[]; count: number };

export const CALLS = ["hotline", "calls"];
export const ARTICLES = ["hotline", "articles"];

export function useSettings() {
  return useQuery({
    queryKey: ["hotline", "settings"],
    queryFn: ({ signal }) => askJson<Settings>("/api/hotline/settings", { signal }),
  });
}

/** Articles that fit what is written; asked while one writes. */
export function useArticles(search: string, more: { limit?: number; all?: boolean; skip?: number } = {}, enabled = true) {
  return useQuery({
    queryKey: [...ARTICLES, search, more],
    queryFn: ({ signal }) => askJson<Articles>("/api/hotline/articles", { query: { search, ...more }, signal }),
    placeholderData: keepPreviousData,
    enabled,
  });
}

/** The clock of a demand: that of the entry that says most about it, as the server chooses. */
export function clockOf(content: Content, kind: string, urgency: string): ReplyClock | undefined {
  const weight = (one: ReplyClock) => (one.kind ? 2 : 0) + (one.urgency ? 2 : 0) + (one.urgency ? 1 : 0);
  return content.clocks
    .filter((one) => ["", kind].includes(one.kind) && ["", urgency].includes(one.urgency))
    .reduce<ReplyClock | undefined>((best, one) => (!best || weight(one) > weight(best) ? one : best), undefined);
}

/** A value that rests a moment before it is asked for. */
export function useSettled<T>(value: T, milliseconds = 250): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}
