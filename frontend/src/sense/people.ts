/** Who did something; whoever is at this machine in open mode has no name. */
export function by(person: string | null, t: (key: string) => string): string {
  return person === "local" ? t("open.local") : (person ?? "");
}
