/** Which cases are looked at, kept in the address: what is sent on can be opened by another. */
import { useSearchParams } from "react-router";
import type { Filters } from "./questions";

/** What the list, the map and the counts understand. */
const ASKED = [
  "state",
  "kind",
  "type",
  "source",
  "area",
  "street",
  "community",
  "major",
  "department",
  "handler",
  "collector",
  "acceptor",
  "dispatcher",
  "since",
  "until",
  "ended",
  "overdue",
  "at_risk",
  "asked",
  "ordered",
  "waiting",
  "box",
  "search",
  "indicator",
];
/** Which page: the mark after or before which it begins, and how many cases come before it. */
const LEAF = ["after", "before", "from"];
export const PAGE = 50;
export const URGENT = ["overdue", "at_risk", "asked", "ordered"] as const;

export type Address = {
  get: (name: string) => string;
  all: (name: string) => string[];
  /** Puts values in place of those that stood there; whoever chooses anew begins on the first page. */
  put: (values: Record<string, string | string[] | null>) => void;
  filters: Filters;
};

/** What a list is asked beside the filters: its order and its page. */
export function pageOf(address: Address, sort: string): Record<string, string> {
  const asked: Record<string, string> = { sort: address.get("sort") || sort, limit: String(PAGE) };
  for (const name of ["after", "before"]) if (address.get(name)) asked[name] = address.get(name);
  return asked;
}

/** `preset` holds where the address says nothing of it. */
export function useAddress(preset: Record<string, string | string[]> = {}): Address {
  const [parameters, setParameters] = useSearchParams();
  const filters = new URLSearchParams();
  for (const name of ASKED) {
    const given = parameters.getAll(name);
    const held = preset[name];
    for (const value of given.length ? given : held === undefined ? [] : [held].flat()) filters.append(name, value);
  }
  if (parameters.get("scope") === "all") filters.delete("waiting");
  return {
    get: (name) => parameters.get(name) ?? "",
    all: (name) => parameters.getAll(name),
    put: (values) =>
      setParameters(
        (now) => {
          const next = new URLSearchParams(now);
          if (!("case" in values)) for (const name of LEAF) next.delete(name);
          for (const [name, value] of Object.entries(values)) {
            next.delete(name);
            for (const one of [value ?? []].flat()) if (one !== "") next.append(name, one);
          }
          return next;
        },
        { replace: true },
      ),
    filters,
  };
}
