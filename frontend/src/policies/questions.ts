/** What the policies' pages ask. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { askJson } from "../api/client";
import type { Text } from "../words";

export type Example = {
  says: string;
  action: string;
  resource: string;
  allowed: boolean;
  roles: string[];
  departments: string[];
  attributes: Record<string, string | number | boolean | string[]>;
  purpose: string;
  person: string;
  above: Record<string, string>;
};
export type VersionLine = { number: number; adopted: string | null; by: string; in_force: boolean };
export type Version = VersionLine & { text: string; examples: Example[] };
export type Check = { valid: boolean; faults: string[]; examples: { says: string; right: boolean; fault: string | null }[] };
export type DiffLine = { kind: "same" | "added" | "removed"; text: string };
export type Rule = { id: string; says: string | null; ask: string | null };
export type Explanation = {
  person: string;
  purpose: string;
  dataset: string;
  listed: boolean;
  rights: { action: string; says: Text; allowed: boolean; rules: Rule[] }[];
  rows: "all" | "none" | "some";
  rows_where: string | null;
  place_level: number;
  place_rules: Rule[];
  smallest: number | null;
  fields: { name: string; level: number | null; personal: boolean | null; shown: string; rules: Rule[] }[];
};
export type Vocabulary = {
  actions: { name: string; resources: string[]; says: Text }[];
  resources: { name: string; attributes: Record<string, string> }[];
  context: Record<string, string>;
  annotations: Record<string, Text>;
  schema_text: string;
};

export function usePolicies() {
  return useQuery({
    queryKey: ["policies"],
    queryFn: ({ signal }) => askJson<Version>("/api/policies", { signal }),
  });
}

export function useVersions() {
  return useInfiniteQuery({
    queryKey: ["policy-versions"],
    queryFn: ({ signal, pageParam }) =>
      askJson<{ versions: VersionLine[]; before: number | null }>("/api/policies/versions", {
        query: { before: pageParam },
        signal,
      }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.before ?? undefined,
  });
}

export function useDiff(old: number, fresh: number) {
  return useQuery({
    queryKey: ["policy-diff", old, fresh],
    queryFn: ({ signal }) =>
      askJson<{ lines: DiffLine[] }>("/api/policies/diff", { query: { old, new: fresh }, signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useVocabulary() {
  return useQuery({
    queryKey: ["policy-vocabulary"],
    queryFn: ({ signal }) => askJson<Vocabulary>("/api/policies/vocabulary", { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useExplanation(person: string, dataset: string, purpose: string) {
  return useQuery({
    queryKey: ["policy-explain", person, dataset, purpose],
    queryFn: ({ signal }) =>
      askJson<Explanation>(`/api/policies/explain/${encodeURIComponent(dataset)}`, { query: { person, purpose }, signal }),
    enabled: person !== "" && dataset !== "",
  });
}

export type Person = { id: string; name: string; login: string };

export function usePeople(search: string) {
  return useQuery({
    queryKey: ["policy-people", search],
    queryFn: async ({ signal }) => {
      const page = await askJson<{ people: Person[] }>("/api/people", { query: { search, limit: 50 }, signal });
      return page.people;
    },
  });
}
