/** A time window that can be moved and played through, where the shown layers have time. */
import { Pause, Play, X } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { instant, type Precision } from "../words";

const HOUR = 3600;
const DAY = 24 * HOUR;

type Step = { name: "hour" | "day" | "week" | "month"; seconds: number; precision: Precision };
const STEPS: Step[] = [
  { name: "hour", seconds: HOUR, precision: "hour" },
  { name: "day", seconds: DAY, precision: "day" },
  { name: "week", seconds: 7 * DAY, precision: "day" },
  { name: "month", seconds: 30 * DAY, precision: "day" },
];
const MOST_STEPS = 400;

export function TimeBar({ period, zone, time, change }: {
  /** First and last instant of the shown layers, seconds since 1970. */
  period: [number, number];
  zone: string;
  time: [number, number] | null;
  change: (time: [number, number] | null) => void;
}) {
  const { t } = useTranslation();
  const fitting = STEPS.filter((step) => (period[1] - period[0]) / step.seconds <= MOST_STEPS && step.seconds <= Math.max(HOUR, (period[1] - period[0]) / 2));
  const [wanted, setWanted] = useState<Step | null>(null);
  const step = (wanted && fitting.includes(wanted) ? wanted : fitting[0]) ?? STEPS[3]!;
  const first = useMemo(() => startOf(period[0], step, zone), [period, step, zone]);
  const steps = Math.max(1, Math.ceil((period[1] + 1 - first) / step.seconds));
  const at = time ? Math.max(0, Math.min(steps - 1, Math.round((time[0] - first) / step.seconds))) : 0;
  const [playing, setPlaying] = useState(false);

  const go = (number: number) => change([first + number * step.seconds, first + (number + 1) * step.seconds]);
  useEffect(() => {
    if (!playing) return;
    const timer = setTimeout(() => {
      const following = time ? (at + 1) % steps : 0;
      change([first + following * step.seconds, first + (following + 1) * step.seconds]);
    }, 900);
    return () => clearTimeout(timer);
  }, [playing, at, steps, first, step, change, time]);

  const words = time
    ? step.name === "hour" || step.name === "day"
      ? instant(new Date(time[0] * 1000).toISOString(), zone, step.precision)
      : `${instant(new Date(time[0] * 1000).toISOString(), zone, "day")} – ${instant(new Date((time[1] - 1) * 1000).toISOString(), zone, "day")}`
    : t("map.allTimes");

  return (
    <section className="time-bar" aria-label={t("map.time")}>
      <button
        type="button"
        className="icon-button"
        aria-label={playing ? t("map.pause") : t("map.play")}
        onClick={() => setPlaying(!playing)}
      >
        {playing ? <Pause aria-hidden /> : <Play aria-hidden />}
      </button>
      <div className="time-track">
        <output className="small numbers">{words}</output>
        <input
          type="range"
          min={0}
          max={steps - 1}
          step={1}
          value={at}
          aria-label={t("map.time")}
          aria-valuetext={words}
          onChange={(event) => {
            setPlaying(false);
            go(Number(event.target.value));
          }}
        />
      </div>
      <select
        className="choice"
        aria-label={t("map.window")}
        value={step.name}
        onChange={(event) => {
          setPlaying(false);
          setWanted(STEPS.find((one) => one.name === event.target.value) ?? null);
          change(null);
        }}
      >
        {(fitting.length ? fitting : [step]).map((one) => (
          <option key={one.name} value={one.name}>
            {t(`map.windows.${one.name}`)}
          </option>
        ))}
      </select>
      {time && (
        <button
          type="button"
          className="icon-button"
          aria-label={t("map.allTimes")}
          title={t("map.allTimes")}
          onClick={() => {
            setPlaying(false);
            change(null);
          }}
        >
          <X aria-hidden />
        </button>
      )}
    </section>
  );
}

/** The start of the hour or of the city's local day in which an instant lies. */
function startOf(seconds: number, step: Step, zone: string): number {
  if (step.name === "hour") return Math.floor(seconds / HOUR) * HOUR;
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "numeric", minute: "numeric", second: "numeric", hourCycle: "h23" }).formatToParts(
    new Date(seconds * 1000),
  );
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value ?? 0);
  return Math.floor(seconds) - part("hour") * HOUR - part("minute") * 60 - part("second");
}
