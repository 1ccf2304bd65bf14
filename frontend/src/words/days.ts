/** Days of a city's own time zone, wherever the reader's device is. */

/** The day on which an instant falls, as `2026-11-22`. */
export function dayIn(zone: string, instant: Date): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" }).format(instant);
}

/** Midnight at which a day begins, as an instant. */
export function midnight(day: string, zone: string): string {
  const guess = new Date(`${day}T00:00:00Z`);
  const told = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(guess);
  const offset = told.find((part) => part.type === "timeZoneName")?.value.replace("GMT", "") || "+00:00";
  return new Date(`${day}T00:00:00${offset}`).toISOString();
}
