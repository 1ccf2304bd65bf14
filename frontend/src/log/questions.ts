/** What the log's pages ask. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { ask, askJson } from "../api/client";
import type { Text } from "../words";

export type LogEvent = {
  position: number;
  type: string;
  says: Text;
  time: string;
  sealed: string;
  actor: string | null;
  subject: string | null;
  data: Record<string, unknown> | null;
};

/** What personal fields were read for, as it was stated; empty where it was not, null of events that state none. */
export function purposeOf(event: LogEvent): string | null {
  const told = event.data?.purpose;
  return typeof told === "string" ? told : null;
}

type Page = { size: number; events: LogEvent[]; before: number | null };
export type Search = { type?: string; subject?: string; actor?: string };

export function useLog(search: Search) {
  return useInfiniteQuery({
    queryKey: ["log", search],
    queryFn: ({ signal, pageParam }) =>
      askJson<Page>("/api/log", { query: { ...search, before: pageParam, limit: 50 }, signal }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.before ?? undefined,
  });
}

export function useTypes() {
  return useQuery({
    queryKey: ["log-types"],
    queryFn: ({ signal }) => askJson<Record<string, Text>>("/api/log/types", { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useEvent(position: string) {
  return useQuery({
    queryKey: ["log-event", position],
    queryFn: ({ signal }) => askJson<LogEvent>(`/api/log/${encodeURIComponent(position)}`, { signal }),
  });
}

export function useLogKey() {
  return useQuery({
    queryKey: ["log-key"],
    queryFn: ({ signal }) => askJson<{ opened: string; current: string }>("/api/log/key", { signal }),
  });
}

export async function receiptOf(position: number): Promise<string> {
  return (await ask(`/api/log/${position}/receipt`, { accept: "text/plain" })).text();
}
