/** What time it is in the city: a fictional one has a clock of its own, which may stand or run ahead. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useState } from "react";
import { askJson } from "./client";
import { useEvents } from "./events";
import { useCity } from "./questions";

type Told = {
  generated: boolean;
  living: boolean;
  now: string;
  present: string;
  speed: number;
  paused: boolean;
  until: string | null;
  storm: string | null;
  may_set: boolean;
};
export type CityClock = Told & { /** When it was told, by this device. */ heard: number };
export type Change = { speed?: number; paused?: boolean; storm?: boolean };

const ADDRESS = "/api/city/clock";
const EVERY = 60_000;

/** The clock of a fictional city; nothing for a real one, of which it is not asked either. */
export function useClock(): CityClock | undefined {
  const generated = useCity().data?.generated ?? false;
  const questions = useQueryClient();
  useEvents(["city.clock_set"], () => void questions.invalidateQueries({ queryKey: ["clock"] }));
  return useQuery({
    queryKey: ["clock"],
    queryFn: async ({ signal }): Promise<CityClock> => ({ ...(await askJson<Told>(ADDRESS, { signal })), heard: Date.now() }),
    enabled: generated,
    refetchInterval: EVERY,
  }).data;
}

/** What sets the clock, and shows at once how it goes then. */
export function useSetClock(): (change: Change) => Promise<void> {
  const questions = useQueryClient();
  return useCallback(
    async (change) => {
      const told = await askJson<Told>(ADDRESS, { method: "POST", body: change });
      questions.setQueryData(["clock"], { ...told, heard: Date.now() });
    },
    [questions],
  );
}

/** The city's instant at one of ours, in milliseconds. */
export function nowBy(clock: CityClock | undefined, present = Date.now()): number {
  if (!clock?.living) return present;
  const told = Date.parse(clock.now);
  if (clock.paused) return told;
  const passed = Math.max(0, present - clock.heard);
  const until = clock.until === null ? Number.POSITIVE_INFINITY : Date.parse(clock.until) + passed;
  return Math.max(told, Math.min(told + passed * clock.speed, until));
}

/** The city's instant, in milliseconds, anew as often as asked for. */
export function useCityNow(every = 1000): number {
  const clock = useClock();
  const [now, setNow] = useState(() => nowBy(clock));
  useEffect(() => {
    setNow(nowBy(clock));
    const timer = setInterval(() => setNow(nowBy(clock)), every);
    return () => clearInterval(timer);
  }, [clock, every]);
  return now;
}
