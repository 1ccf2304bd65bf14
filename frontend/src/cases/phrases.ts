/** The phrases that a step offers to write: the city's, or those that come with the product. */
import { useQuery } from "@tanstack/react-query";
import type { i18n } from "i18next";
import { askJson } from "../api/client";

type Phrases = { version: number; phrases: Record<string, string[]> };

export function usePhrases() {
  return useQuery({
    queryKey: ["case-phrases"],
    queryFn: ({ signal }) => askJson<Phrases>("/api/cases/phrases", { signal }),
    staleTime: 60_000,
  });
}

export function phrasesOf(action: string, own: Record<string, string[]> | undefined, words: i18n): string[] {
  const mine = own?.[action];
  if (mine) return mine;
  const key = `cases.templates.${action}`;
  return words.exists(key) ? words.t(key).split("|") : [];
}
