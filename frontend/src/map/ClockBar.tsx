/** The clock of the running city: what time it is there, how fast it goes, and what has just been reported. */
import { CloudLightning, Pause, Play } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { Problem } from "../api/client";
import { type Change, type CityClock, useCityNow, useSetClock } from "../api/clock";
import { useZone } from "../api/questions";
import { type CaseRow, useTypes } from "../cases/questions";
import { instant, say } from "../words";

const SPEEDS = [1, 10, 60];
const SHOWN = 3;

export function ClockBar({ clock, born }: { clock: CityClock; born: CaseRow[] }) {
  const { t } = useTranslation();
  const zone = useZone();
  const now = useCityNow();
  const set = useSetClock();
  const [said, setSaid] = useState("");
  const change = async (wanted: Change) => {
    setSaid("");
    try {
      await set(wanted);
    } catch (error) {
      setSaid(error instanceof Problem ? (error.detail ?? error.message) : String(error));
    }
  };
  return (
    <section className="clock-bar" aria-label={t("map.clock.name")}>
      <div className="clock-row">
        {clock.may_set && (
          <button
            type="button"
            className="icon-button"
            aria-label={t(clock.paused ? "map.clock.go" : "map.clock.stand")}
            title={t(clock.paused ? "map.clock.go" : "map.clock.stand")}
            onClick={() => void change({ paused: !clock.paused })}
          >
            {clock.paused ? <Play aria-hidden /> : <Pause aria-hidden />}
          </button>
        )}
        <output className="clock-now numbers" data-speed={clock.speed} data-paused={clock.paused}>
          {instant(new Date(Math.floor(now / 1000) * 1000).toISOString(), zone)}
        </output>
        {clock.may_set && (
          <>
            <div className="segments" role="group" aria-label={t("map.clock.speed")}>
              {SPEEDS.map((speed) => (
                <button
                  key={speed}
                  type="button"
                  aria-pressed={clock.speed === speed}
                  aria-label={t("map.clock.times", { speed })}
                  onClick={() => void change({ speed, paused: false })}
                >
                  {speed}×
                </button>
              ))}
            </div>
            <button
              type="button"
              className="button clock-storm"
              disabled={clock.storm === null}
              title={clock.storm ? instant(clock.storm, zone, "minute") : t("map.clock.noStorm")}
              onClick={() => void change({ storm: true, paused: false })}
            >
              <CloudLightning aria-hidden />
              {t("map.clock.storm")}
            </button>
          </>
        )}
      </div>
      {said && (
        <p className="small notice warn" role="alert">
          {said}
        </p>
      )}
      <Born cases={born.slice(0, SHOWN)} />
    </section>
  );
}

/** The cases that came since the page was opened, the newest first. */
function Born({ cases }: { cases: CaseRow[] }) {
  const { t } = useTranslation();
  const types = useTypes().data;
  if (cases.length === 0) return null;
  return (
    <ol className="clock-born small" aria-label={t("map.clock.born")} aria-live="polite">
      {cases.map((one) => {
        const name = types?.find((type) => type.kind === one.kind && type.code === one.type)?.name;
        return (
          <li key={one.number}>
            <Link to={`/cases/${encodeURIComponent(one.number)}`}>{say(name) || one.number}</Link>
            <span className="quiet">{t(`map.clock.sources.${one.source}`, { defaultValue: one.source })}</span>
          </li>
        );
      })}
    </ol>
  );
}
