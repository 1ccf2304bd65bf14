import { useTranslation } from "react-i18next";
import type { Dataset } from "../api/types";

const LOOK = { published: "good", held: "warn", failed: "bad" } as const;

export function StateBadge({ state }: { state: Dataset["state"] }) {
  const { t } = useTranslation();
  return <span className={`badge ${LOOK[state]}`}>{t(`data.states.${state}`)}</span>;
}
