/** Choosing a type of case, a source, and a department that cases go to. */
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import { type Choice, Picker } from "../design/Picker";
import { say } from "../words";
import type { Address } from "./filters";
import { type CaseType, type Kind, type Named, useLifecycle, useTypes } from "./questions";

const MOST = 20;

/** The types whose name or code holds what was typed: those of which the name begins with it come first. */
export function typesLike(types: CaseType[], text: string, kind?: Kind): CaseType[] {
  const wanted = text.trim().toLowerCase();
  const rank = (one: CaseType) => {
    const name = say(one.name).toLowerCase();
    if (one.code === wanted || name === wanted) return 0;
    return name.startsWith(wanted) || one.code.startsWith(wanted) ? 1 : 2;
  };
  return types
    .filter(
      (one) =>
        (!kind || one.kind === kind) &&
        `${one.code} ${one.code_2013 ?? ""} ${one.name.zh} ${one.name.en} ${one.major.zh} ${one.major.en}`.toLowerCase().includes(wanted),
    )
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, MOST);
}

export function TypePicker({ label, value, pick, hideLabel }: {
  label: string;
  value: CaseType | null;
  pick: (chosen: CaseType | null) => void;
  hideLabel?: boolean;
}) {
  const { t, i18n } = useTranslation();
  const types = useTypes();
  const keyOf = (one: CaseType) => `${one.kind}/${one.code}`;
  const find = async (text: string): Promise<Choice[]> =>
    typesLike(types.data ?? [], text).map((one) => ({
      code: keyOf(one),
      title: say(one.name),
      note: `${t(`cases.kinds.${one.kind}`)} ${one.code}`,
    }));
  return (
    <Picker
      label={label}
      hint={t("cases.typeHint")}
      value={value && { code: keyOf(value), title: `${say(value.name)} (${t(`cases.kinds.${value.kind}`)} ${value.code})` }}
      pick={(chosen) => pick((chosen && types.data?.find((one) => keyOf(one) === chosen.code)) ?? null)}
      find={find}
      name={`case-types-${i18n.language}-${types.data?.length ?? 0}`}
      clear={t("cases.clearType")}
      nothing={t("cases.noType")}
      hideLabel={hideLabel}
    />
  );
}

export function HandlingDepartment({ label, value, pick, hideLabel }: {
  label: string;
  value: Choice | null;
  pick: (chosen: Choice | null) => void;
  hideLabel?: boolean;
}) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const find = async (search: string, signal: AbortSignal): Promise<Choice[]> => {
    const found = await askJson<Named[]>("/api/cases/departments", { query: { search }, signal });
    for (const one of found) client.setQueryData(["case-departments", one.id], [one]);
    return found.map((one) => ({ code: one.id, title: one.name }));
  };
  return (
    <Picker
      label={label}
      hint={t("cases.departmentHint")}
      value={value}
      pick={pick}
      find={find}
      name="case-departments-like"
      clear={t("cases.clearDepartment")}
      nothing={t("cases.noDepartment")}
      hideLabel={hideLabel}
    />
  );
}

/** From where cases came in, as a filter of the address. */
export function SourceChoice({ address }: { address: Address }) {
  const { t } = useTranslation();
  const sources = useLifecycle().data?.sources ?? {};
  return (
    <label className="input">
      <span className="small">{t("cases.source")}</span>
      <select className="choice" value={address.get("source")} onChange={(event) => address.put({ source: event.target.value })}>
        <option value="">{t("cases.any")}</option>
        {Object.entries(sources).map(([key, says]) => (
          <option key={key} value={key}>
            {say(says)}
          </option>
        ))}
      </select>
    </label>
  );
}
