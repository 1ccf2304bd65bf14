/** What a case that an alarm opened rests on: the alarms, their reasons, and the streams around that time. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import { useCityNow } from "../api/clock";
import { Loading } from "../design/States";
import { instant } from "../words";
import { AlarmItem } from "../sense/AlarmItem";
import { type Alarm, useFreshAlarms } from "../sense/alarms";
import "../sense/alarms.css";
import "../sense/sense.css";
import { Chart } from "../sense/Chart";
import { HOUR, resultText, useSeries } from "../sense/questions";

/** Streams that are drawn; the others are named. */
const DRAWN = 3;
/** Time before an alarm and after it that is drawn, in milliseconds. */
const AROUND = HOUR;

export function Evidence({ number, zone }: { number: string; zone: string }) {
  const { t } = useTranslation();
  useFreshAlarms();
  const found = useQuery({
    queryKey: ["sense", "alarms", "case", number],
    queryFn: ({ signal }) => askJson<{ alarms: Alarm[] }>("/api/sense/alarms", { query: { case: number, limit: 20 }, signal }),
  });
  if (found.isPending) return <Loading lines={3} />;
  const alarms = found.data?.alarms ?? [];
  if (alarms.length === 0) return <p className="small quiet">{t("cases.evidence.none")}</p>;
  const streams = [...new Map(alarms.flatMap((one) => one.reasons).map((why) => [why.stream, why])).values()].slice(0, DRAWN);
  const began = Math.min(...alarms.map((one) => Date.parse(one.began)));
  const ends = alarms.map((one) => (one.ended ? Date.parse(one.ended) : null));
  const ended = ends.includes(null) ? null : Math.max(...(ends as number[]));
  return (
    <>
      {streams.map((why) => (
        <Around key={why.stream} stream={why.stream} name={[why.thing, why.name].filter(Boolean).join(" · ")} symbol={why.symbol} began={began} ended={ended} zone={zone} />
      ))}
      <ul className="alarm-list">
        {alarms.map((one) => (
          <AlarmItem key={one.id} alarm={one} />
        ))}
      </ul>
    </>
  );
}

function Around({ stream, name, symbol, began, ended, zone }: {
  stream: number;
  name: string;
  symbol: string;
  began: number;
  ended: number | null;
  zone: string;
}) {
  const { t } = useTranslation();
  const now = useCityNow(60_000);
  const span = useMemo(() => {
    const until = Math.min((ended ?? now) + AROUND, Math.max(began + 24 * HOUR, (ended ?? began) + AROUND));
    return [new Date(began - AROUND).toISOString(), new Date(until).toISOString()] as const;
  }, [began, ended, now]);
  const points = useSeries(stream, ...span).data?.points;
  const drawn = points?.map(([time, value]) => ({ x: Date.parse(time), y: value }));
  if (!drawn?.some((one) => one.y !== null)) return null;
  return (
    <Chart
      lines={[{ name, points: drawn }]}
      label={t("cases.evidence.chart", { name })}
      xText={(x) => instant(new Date(x).toISOString(), zone)}
      xTick={(x) => instant(new Date(x).toISOString(), zone, "minute").slice(-5)}
      yText={(y) => resultText(y, symbol, "")}
    />
  );
}
