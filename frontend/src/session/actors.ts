/** Who did something, as people call it; a service and who is not known by name go by their identifier. */
export function actorOf(actor: string | null, t: (key: string) => string, names: Record<string, string> = {}): string {
  if (!actor) return t("log.erased");
  if (actor === "local") return t("open.local");
  return names[actor] ?? actor;
}
