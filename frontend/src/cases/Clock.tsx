/** How much time is left: in words and by shape, never by colour alone. */
import { AlarmClock, CircleAlert, CirclePause, Clock3 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { languageNow } from "../words";
import { useNow } from "./questions";

export type Urgency = "calm" | "risk" | "late";

/** A length of time in its two largest units. */
export function span(milliseconds: number): string {
  const minutes = Math.max(1, Math.round(Math.abs(milliseconds) / 60_000));
  const parts: [number, "day" | "hour" | "minute"][] = [
    [Math.floor(minutes / 1440), "day"],
    [Math.floor((minutes % 1440) / 60), "hour"],
    [minutes % 60, "minute"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) =>
      new Intl.NumberFormat(languageNow() === "en" ? "en-GB" : "zh-CN", { style: "unit", unit, unitDisplay: "long" }).format(amount),
    )
    .join(languageNow() === "en" ? " " : "");
}

export function urgency(due: number, risk: number | null, now: number): Urgency {
  if (now > due) return "late";
  return risk !== null && now >= risk ? "risk" : "calm";
}

const ICONS = { calm: Clock3, risk: AlarmClock, late: CircleAlert };
const LOOKS = { calm: "badge", risk: "badge warn", late: "badge bad" };

/** `due` and `risk` in milliseconds; without `due` no clock runs. */
export function TimeLeft({ due, risk, suspended }: { due: number | null; risk: number | null; suspended?: boolean }) {
  const { t } = useTranslation();
  const now = useNow();
  if (suspended)
    return (
      <span className="badge">
        <CirclePause aria-hidden />
        {t("cases.clock.paused")}
      </span>
    );
  if (due === null) return <span className="quiet small">{t("cases.clock.none")}</span>;
  const how = urgency(due, risk, now);
  const Icon = ICONS[how];
  return (
    <span className={`${LOOKS[how]} time-left`} data-urgency={how}>
      <Icon aria-hidden />
      {t(`cases.clock.${how}`, { span: span(due - now) })}
    </span>
  );
}
