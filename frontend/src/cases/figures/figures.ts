/** Figures about cases: what they are, how they are written, and which cases they count. */
import { count as written, decimal, share, type Text } from "../../words";
import { dayIn, midnight } from "../../words/days";

export type Indicator = { key: string; says: Text; said: Text; waits: Text | null };
export type Figure = { top: number; bottom: number | null; value: number | null; change?: number | null; year_change?: number | null };
export type Group = { by: (string | number | null)[]; figures: Record<string, Figure> };

/** The dimensions by which a list of cases can be asked for, too. */
export const LEADS = ["department", "street", "community", "source", "collector", "acceptor", "dispatcher", "handler", "type", "major"];
/** What is counted in hours, or in multiples of the limit; all other quotients are shares. */
const HOURS = ["avg_handle_time", "avg_accept_time"];
const MULTIPLES = ["dispose_overtime_times"];

/** Whether a figure is a share of something, of which both numbers can be told. */
export function isShare(key: string, figure: Figure | undefined): figure is Figure & { bottom: number } {
  return figure !== undefined && figure.bottom !== null && !HOURS.includes(key) && !MULTIPLES.includes(key);
}

export function shown(key: string, figure: Figure | undefined, hours: (n: string) => string): string {
  if (!figure || figure.value === null) return "–";
  if (HOURS.includes(key)) return hours(decimal(figure.value, 3));
  if (MULTIPLES.includes(key)) return decimal(figure.value, 3);
  return figure.bottom === null ? written(figure.value) : share(figure.value);
}

/** A difference with its sign: of shares in percentage points, which `points` writes. */
export function differs(key: string, figure: Figure | undefined, change: number | null | undefined, points: (n: string) => string): string {
  if (change === null || change === undefined) return "–";
  const sign = change > 0 ? "+" : change < 0 ? "−" : "±";
  const size = Math.abs(change);
  return isShare(key, figure) ? points(`${sign}${decimal(size * 100, 3)}`) : `${sign}${decimal(size, 4)}`;
}

/** Where a period begins and ends, in days of the city. */
export function period(name: string, zone: string): { since?: string; until?: string } {
  const today = dayIn(zone, new Date());
  const [year, month] = today.split("-").map(Number) as [number, number];
  const first = (y: number, m: number) => midnight(`${m < 1 ? y - 1 : y}-${String(m < 1 ? m + 12 : m).padStart(2, "0")}-01`, zone);
  const tomorrow = new Date(Date.parse(midnight(today, zone)) + 86_400_000).toISOString();
  if (name === "month") return { since: first(year, month), until: tomorrow };
  if (name === "lastMonth") return { since: first(year, month - 1), until: first(year, month) };
  if (name === "year") return { since: first(year, 1), until: tomorrow };
  return {};
}

export function dated(name: string, text: string): string {
  if (name === "month") return `${text.slice(0, 4)}-${text.slice(4)}`;
  if (name === "day") return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`;
  return text;
}

/** How the cases of a group are asked for: types and classes are told with their kind. */
export function chosenBy(dimension: string, value: string | number): Record<string, string> {
  const [kind, code] = String(value).split("/");
  return ["type", "major"].includes(dimension) && code ? { kind: kind!, [dimension]: code } : { [dimension]: String(value) };
}

/** The address of the list of cases that a figure counts. */
export function casesOf(asked: URLSearchParams, more: Record<string, string>): string {
  const to = new URLSearchParams(asked);
  to.set("scope", "all");
  for (const [name, value] of Object.entries(more)) to.set(name, value);
  return `/cases?${to}`;
}
