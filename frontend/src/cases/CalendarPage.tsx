/** The working days by which clocks run: as announced, and as the city decided otherwise. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { askJson } from "../api/client";
import { Fault } from "../design/Form";
import { Waiting } from "../design/States";
import { useMay } from "../session/questions";
import { languageNow } from "../words";
import { Versions } from "./RulesPage";

type Day = { day: string; works: boolean; official: boolean; decided: boolean };
type Year = { version: number; zone: string; periods: [string, string][]; announced: boolean; days: Day[] };

const locale = () => (languageNow() === "en" ? "en-GB" : "zh-CN");

export function CalendarPage() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const manages = useMay("case.manage");
  const [parameters, setParameters] = useSearchParams();
  const year = Number(parameters.get("year")) || new Date().getFullYear();
  const found = useQuery({
    queryKey: ["case-calendar", year],
    queryFn: ({ signal }) => askJson<Year>("/api/cases/calendar", { query: { year }, signal }),
    placeholderData: keepPreviousData,
  });
  const decide = useMutation({
    mutationFn: (day: Day) =>
      askJson("/api/cases/calendar/days", {
        method: "POST",
        body: { days: { [day.day]: day.decided ? null : !day.works } },
      }),
    onSuccess: () => void client.invalidateQueries({ queryKey: ["case-calendar"] }),
  });
  const go = (to: number) => setParameters({ year: String(to) }, { replace: true });
  const months = new Map<string, Day[]>();
  for (const day of found.data?.days ?? []) {
    const month = day.day.slice(0, 7);
    months.set(month, [...(months.get(month) ?? []), day]);
  }
  return (
    <>
      <div className="desk-tools">
        <button type="button" className="icon-button" aria-label={t("cases.calendar.yearBefore")} onClick={() => go(year - 1)}>
          <ChevronLeft aria-hidden />
        </button>
        <h2 className="numbers">{year}</h2>
        <button type="button" className="icon-button" aria-label={t("cases.calendar.yearAfter")} onClick={() => go(year + 1)}>
          <ChevronRight aria-hidden />
        </button>
        <p className="small quiet">
          {found.data && t("cases.calendar.periods", { periods: found.data.periods.map(([from, to]) => `${from.slice(0, 5)}–${to.slice(0, 5)}`).join(", ") })}
        </p>
      </div>
      <p className="small quiet">
        {t("cases.calendar.legend")} {manages && t("cases.calendar.how")}
      </p>
      {found.data && !found.data.announced && <p className="notice warn">{t("cases.calendar.notAnnounced", { year })}</p>}
      <Fault error={decide.error} />
      <Waiting of={found} lines={8} />
      <div className="months">
        {[...months].map(([month, days]) => (
          <Month key={month} month={month} days={days} decide={manages ? (day) => decide.mutate(day) : undefined} />
        ))}
      </div>
      {manages && found.data && <Versions part="calendar" now={found.data.version} />}
    </>
  );
}

function Month({ month, days, decide }: { month: string; days: Day[]; decide?: (day: Day) => void }) {
  const { t } = useTranslation();
  const first = new Date(`${month}-01T00:00:00Z`);
  const before = (first.getUTCDay() + 6) % 7;
  const weekdays = Array.from({ length: 7 }, (_, n) =>
    new Intl.DateTimeFormat(locale(), { weekday: "narrow", timeZone: "UTC" }).format(new Date(Date.UTC(2024, 0, 1 + n))),
  );
  const weeks: (Day | null)[][] = [];
  const cells: (Day | null)[] = [...Array.from({ length: before }, () => null), ...days];
  for (let at = 0; at < cells.length; at += 7) weeks.push(cells.slice(at, at + 7));
  return (
    <table className="month">
      <caption>{new Intl.DateTimeFormat(locale(), { month: "long", timeZone: "UTC" }).format(first)}</caption>
      <thead>
        <tr>
          {weekdays.map((name, at) => (
            <th key={`${name}-${at}`} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {weeks.map((week, number) => (
          <tr key={number}>
            {week.map((day, at) =>
              day ? (
                <td key={day.day} data-rests={!day.works || undefined} data-decided={day.decided || undefined}>
                  <DayCell day={day} says={t(`cases.calendar.${day.works ? "works" : "rests"}`)} decided={t("cases.calendar.decided")} decide={decide} />
                </td>
              ) : (
                <td key={`none-${at}`} />
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function DayCell({ day, says, decided, decide }: { day: Day; says: string; decided: string; decide?: (day: Day) => void }) {
  const number = Number(day.day.slice(8));
  const weekend = [0, 6].includes(new Date(`${day.day}T00:00:00Z`).getUTCDay());
  const mark = day.works === weekend ? says.slice(0, 1) : "";
  const told = `${says}${day.decided ? ` ${decided}` : ""}`;
  const inside = (
    <>
      <span aria-hidden>
        {number}
        <small>{mark}</small>
      </span>
      <span className="hidden-visually">{`${day.day} ${told}`}</span>
    </>
  );
  return decide ? (
    <button type="button" title={told} onClick={() => decide(day)}>
      {inside}
    </button>
  ) : (
    <span title={told}>{inside}</span>
  );
}
