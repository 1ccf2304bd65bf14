/** The questions that several pages ask. */
import { useQueries, useQuery } from "@tanstack/react-query";
import type { FeatureCollection } from "geojson";
import { askJson } from "./client";
import type { City, Dataset, DatasetDetail, Likeness } from "./types";

export function useCity() {
  return useQuery({
    queryKey: ["city"],
    queryFn: ({ signal }) => askJson<City>("/api/city", { signal }),
    staleTime: 300_000,
  });
}

/** The city's time zone, in which every page shows times; until the city has answered, the one a pack has by default. */
export function useZone(): string {
  return useCity().data?.time_zone ?? "Asia/Shanghai";
}

export function useBoundary() {
  return useQuery({
    queryKey: ["boundary"],
    queryFn: ({ signal }) => askJson<FeatureCollection>("/api/city/boundary", { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useLikeness(wanted: boolean) {
  return useQuery({
    queryKey: ["likeness"],
    queryFn: ({ signal }) => askJson<Likeness[]>("/api/city/likeness", { signal }),
    enabled: wanted,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useDatasets() {
  return useQuery({
    queryKey: ["datasets"],
    queryFn: async ({ signal }) => {
      const found: Dataset[] = [];
      let after: string | null = null;
      do {
        const page: { datasets: Dataset[]; after: string | null } = await askJson("/api/datasets", {
          query: { after },
          signal,
        });
        found.push(...page.datasets);
        after = page.after;
      } while (after);
      return found;
    },
  });
}

const aboutDataset = (id: string) => ({
  queryKey: ["dataset", id],
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    askJson<DatasetDetail>(`/api/datasets/${encodeURIComponent(id)}`, { signal }),
});

export function useDataset(id: string) {
  return useQuery(aboutDataset(id));
}

/** Whether of any of these datasets more is shown to who says what for. */
export function useAsksPurpose(ids: string[]): boolean {
  const answers = useQueries({ queries: [...new Set(ids)].map((id) => ({ ...aboutDataset(id), staleTime: 300_000 })) });
  return answers.some((one) => one.data?.asks_purpose);
}
