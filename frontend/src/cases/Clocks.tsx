/** Every clock of a case: whose, how long, how much of it is used, and how it ended. */
import { CircleAlert, CircleCheck, CirclePause } from "lucide-react";
import { useTranslation } from "react-i18next";
import { decimal, instant } from "../words";
import { TimeLeft } from "./Clock";
import type { CaseNames, Clock } from "./questions";

export function Clocks({ clocks, names, zone }: { clocks: Clock[]; names: CaseNames; zone: string }) {
  const { t } = useTranslation();
  if (clocks.length === 0) return <p className="small quiet">{t("cases.clock.none")}</p>;
  return (
    <ol className="clocks">
      {clocks.map((clock, at) => (
        <li key={`${clock.stage}-${at}`}>
          <div className="clock-head">
            <b>{t(`cases.stages.${clock.stage}`)}</b>
            {clock.owner && <span className="small quiet">{names.departments[clock.owner] ?? clock.owner}</span>}
            <Verdict clock={clock} />
          </div>
          <Bar clock={clock} />
          <span className="small quiet numbers">
            {t("cases.clock.granted", {
              ...grantedOf(clock.amount * (1 + clock.extensions), clock.unit, t),
              used: Math.round(clock.share * 100),
            })}
            {clock.extensions > 0 && ` · ${t("cases.clock.extended", { count: clock.extensions })}`}
            {` · ${instant(clock.started, zone, "minute")} → ${instant(clock.due, zone, "minute")}`}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** Less than an hour is told in minutes. */
function grantedOf(amount: number, unit: string, t: (key: string) => string): { amount: string; unit: string } {
  const short = amount < 1 && unit.endsWith("_hour");
  return {
    amount: decimal(short ? amount * 60 : amount, 4),
    unit: t(`cases.units.${short ? unit.replace("_hour", "_minute") : unit}`),
  };
}

function Verdict({ clock }: { clock: Clock }) {
  const { t } = useTranslation();
  if (clock.running) return <TimeLeft due={Date.parse(clock.due)} risk={Date.parse(clock.risk)} />;
  if (!clock.ended)
    return (
      <span className="badge">
        <CirclePause aria-hidden />
        {t("cases.clock.paused")}
      </span>
    );
  return clock.on_time ? (
    <span className="badge good">
      <CircleCheck aria-hidden />
      {t("cases.clock.inTime")}
    </span>
  ) : (
    <span className="badge bad">
      <CircleAlert aria-hidden />
      {t("cases.clock.wasLate")}
    </span>
  );
}

/** The bar ends at what was granted; what is used beyond that is hatched. */
function Bar({ clock }: { clock: Clock }) {
  const whole = Math.max(1, clock.share);
  const inside = (Math.min(clock.share, 1) / whole) * 100;
  const beyond = ((whole - 1) / whole) * 100;
  return (
    <div className="clock-bar" aria-hidden data-running={clock.running || undefined}>
      <span className="used" style={{ width: `${inside}%` }} />
      {beyond > 0 && <span className="beyond" style={{ width: `${beyond}%` }} />}
    </div>
  );
}
