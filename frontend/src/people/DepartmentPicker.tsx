/** Choosing a department by a part of its name or code. */
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import { type Choice, Picker } from "../design/Picker";

export type DepartmentRow = { code: string; title: string; parent: string | null; below: number; people: number };
export type DepartmentPage = { departments: DepartmentRow[]; after: string | null };

async function findDepartments(search: string, signal: AbortSignal): Promise<Choice[]> {
  const answer = await askJson<DepartmentPage>("/api/departments", { query: { search, limit: 12 }, signal });
  return answer.departments.map(({ code, title }) => ({ code, title }));
}

export function DepartmentPicker({ label, none, value, pick }: {
  label: string;
  /** What no choice means. */
  none: string;
  value: Choice | null;
  pick: (chosen: Choice | null) => void;
}) {
  const { t } = useTranslation();
  return (
    <Picker
      label={label}
      hint={t("people.departmentHint", { none })}
      value={value}
      pick={pick}
      find={findDepartments}
      name="departments"
      clear={t("people.clearDepartment")}
      nothing={t("departments.noneFound")}
    />
  );
}
