/** Days and hours of a city's own time zone, wherever the reader's device is. */

/** The day on which an instant falls, as `2026-11-22`. */
export function dayIn(zone: string, instant: Date): string {
  return localIn(zone, instant).slice(0, 10);
}

/** An instant as a field of the browser writes it: `2026-11-22T08:30`. */
export function localIn(zone: string, instant: Date): string {
  const shown = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
  return shown.format(instant).replace(" ", "T");
}

/** Midnight at which a day begins, as an instant. */
export function midnight(day: string, zone: string): string {
  return instantOf(`${day}T00:00`, zone);
}

/** The instant at which the city's clocks show `2026-11-22T08:30`, the first where they show it twice. */
export function instantOf(local: string, zone: string): string {
  const shown = Date.parse(`${local}Z`);
  const day = 86_400_000;
  // What the clocks may be ahead of UTC: as they are a day before, and a day after.
  const ahead = [shown - day, shown + day].map((at) => Date.parse(`${localIn(zone, new Date(at))}Z`) - at);
  const found = ahead.map((offset) => shown - offset).filter((at) => Date.parse(`${localIn(zone, new Date(at))}Z`) === shown);
  return new Date(Math.min(...(found.length ? found : [shown - Math.min(...ahead)]))).toISOString();
}
