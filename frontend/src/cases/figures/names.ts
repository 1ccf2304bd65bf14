/** The names of those by whom figures are grouped. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { askJson } from "../../api/client";
import { say } from "../../words";
import { useLifecycle, useTitles, useTypes } from "../questions";
import { dated } from "./figures";

/** The names of people by identifier: those of a table are asked for together. */
export function usePeople(ids: string[]): Record<string, string> {
  const wanted = [...new Set(ids.filter((id) => id.startsWith("person/")))].sort().slice(0, 200);
  const found = useQuery({
    queryKey: ["case-people", wanted.join(",")],
    queryFn: ({ signal }) => askJson<{ id: string; name: string }[]>(`/api/cases/people?${new URLSearchParams(wanted.map((id) => ["id", id]))}`, { signal }),
    enabled: wanted.length > 0,
    placeholderData: keepPreviousData,
    staleTime: 300_000,
  });
  return Object.fromEntries((found.data ?? []).map((one) => [one.id, one.name]));
}

/** How a group of a dimension is called. */
export function useGroupNames(by: string, groups: { by: (string | number | null)[] }[]): (value: string | number | null) => string {
  const { t } = useTranslation();
  const table = useLifecycle().data;
  const types = useTypes().data;
  const values = groups.map((group) => (group.by[0] === null ? "" : String(group.by[0])));
  const titles = useTitles(by === "department" ? values : []);
  const people = usePeople(values);
  return (value) => {
    if (value === null || value === "") return t("cases.figures.unknown");
    const text = String(value);
    if (by === "department") return titles[text] ?? text;
    if (by === "source") return say(table?.sources[text]) || text;
    if (by === "type") return say(types?.find((one) => `${one.kind}/${one.code}` === text)?.name) || text;
    if (by === "major") return say(types?.find((one) => `${one.kind}/${one.code.slice(0, 2)}` === text)?.major) || text;
    return people[text] ?? dated(by, text);
  };
}
