/** A contract as the server tells it, and where in it something is wrong. */
import type { TFunction } from "i18next";
import { Problem } from "../api/client";

export type Terms = {
  name: string;
  title: string;
  type: string;
  required: boolean;
  unique: boolean;
  codes: string[];
  placeholders: string[];
  least: number | string | null;
  most: number | string | null;
  longest: number | null;
  pattern: string | null;
  format: string | null;
  level: number | null;
  personal: boolean | null;
  severity: "error" | "warning";
};
export type Rule = { kind: string; says: string; severity: "error" | "warning" } & Record<string, unknown>;
export type Contract = {
  dataset: string;
  title: string;
  purpose: string;
  owner: string;
  status: string;
  fields: Terms[];
  rules: Rule[];
  gate: number | null;
  deadline_days: number;
  retention_days: number | null;
};
/** What is wrong, by its place: `gate`, `fields.3.least`, `rules.0.where`, `rules.0`. */
export type Faults = Record<string, string>;

/** Where in a contract a problem lies, as far as it says so. */
export function faultsOf(error: unknown, contract: Contract): Faults {
  if (!(error instanceof Problem)) return {};
  const found: Faults = {};
  for (const fault of error.faults) {
    const place = fault.field.replace(/^body\.contract\./, "").split(".");
    // The kind of a rule stands between its number and its part.
    if (place[0] === "rules" && place.length > 3) place.splice(2, 1);
    found[place.slice(0, 3).join(".")] = fault.message;
  }
  const { field, term, rule } = error.where;
  const at = contract.fields.findIndex((terms) => terms.name === field);
  if (at >= 0) found[`fields.${at}.${term ?? "type"}`] = error.message;
  if (typeof rule === "number") found[`rules.${rule - 1}`] = [error.message, error.mend].filter(Boolean).join(" ");
  return found;
}

/** A problem whose faults name their place in the words of the page. */
export function inWords(error: unknown, contract: Contract, t: TFunction): unknown {
  if (!(error instanceof Problem) || error.faults.length === 0) return error;
  const named = Object.entries(faultsOf(error, contract)).map(([place, message]) => ({
    field: place,
    message: `${placeOf(place, contract, t)}${t("intake.colon")}${message}`,
  }));
  return new Problem({
    title: t("intake.cannotAdopt"),
    status: error.status,
    code: error.code,
    where: error.where,
    faults: named,
  });
}

function placeOf(place: string, contract: Contract, t: TFunction): string {
  const [part, at, more] = place.split(".");
  if (part === "fields") {
    const name = contract.fields[Number(at)]?.name ?? at;
    return more ? `${name} · ${t(`intake.terms.${more}`, { defaultValue: more })}` : String(name);
  }
  if (part === "rules") {
    const rule = contract.rules[Number(at)];
    const kind = rule ? t(`intake.kinds.${rule.kind}`) : "";
    return [t("intake.ruleNumber", { number: Number(at) + 1 }), kind, more && t(`intake.parts.${more}`, { defaultValue: more })]
      .filter(Boolean)
      .join(" · ");
  }
  const named: Record<string, string> = { gate: "gate", deadline_days: "deadline", retention_days: "retention", purpose: "purpose", owner: "owner" };
  return named[part!] ? t(`intake.${named[part!]}`) : String(part);
}
