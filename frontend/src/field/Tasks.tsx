/** Tasks near oneself: verification, check, handling; by distance or by deadline, as a list and on the map. */
import { AlarmClock, ChevronRight, ListTodo, Map as MapIcon, MapPin } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useSearchParams } from "react-router";
import { useZone } from "../api/questions";
import { Empty, Waiting } from "../design/States";
import { instant, metres, say } from "../words";
import { FieldMap, type Spot } from "./FieldMap";
import { WhereAmI } from "./FieldPage";
import { away, type Here, type Position } from "./here";
import { type Task, useLifecycle, useTasks, useTypes } from "./questions";
import type { Item } from "./store";

type Sort = "near" | "due";

export function Tasks({ person, position, items }: { person: string; position: Position; items: Item[] }) {
  const { t } = useTranslation();
  const go = useNavigate();
  const [parameters, setParameters] = useSearchParams();
  const onMap = parameters.get("view") === "map";
  const sort: Sort = parameters.get("sort") === "due" ? "due" : "near";
  const found = useTasks(person, position.here);
  const list = useMemo(() => sorted(found.data?.answer ?? [], sort, position.here), [found.data, sort, position.here]);
  const put = (name: string, value: string | null) =>
    setParameters(
      (now) => {
        const next = new URLSearchParams(now);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  const spots = useMemo<Spot[]>(
    () =>
      list.flatMap((one, n) =>
        one.lon === null || one.lat === null ? [] : [{ id: one.number, lon: one.lon, lat: one.lat, kind: one.state, label: String(n + 1) }],
      ),
    [list],
  );
  return (
    <section className={onMap ? "field-tasks with-map" : "field-tasks"} aria-labelledby="field-tasks">
      <header>
        <h1 id="field-tasks">{t("field.tasks")}</h1>
        <div className="segments" role="group" aria-label={t("field.sort")}>
          <button type="button" aria-pressed={sort === "near"} onClick={() => put("sort", null)}>
            <MapPin aria-hidden />
            {t("field.byDistance")}
          </button>
          <button type="button" aria-pressed={sort === "due"} onClick={() => put("sort", "due")}>
            <AlarmClock aria-hidden />
            {t("field.byDeadline")}
          </button>
        </div>
        <button type="button" className="button" aria-pressed={onMap} onClick={() => put("view", onMap ? null : "map")}>
          {onMap ? <ListTodo aria-hidden /> : <MapIcon aria-hidden />}
          {onMap ? t("field.asList") : t("field.asMap")}
        </button>
      </header>
      <WhereAmI position={position} />
      {found.data?.away && <OldAnswer at={found.data.at} />}
      <Waiting of={found} lines={6} stale />
      {found.data && list.length === 0 && <Empty title={t("field.noTasks")}>{t("field.noTasksLead")}</Empty>}
      {onMap && list.length > 0 && (
        <div className="field-map">
          <FieldMap label={t("field.map")} spots={spots} here={position.here} pick={(number) => void go(`/field/case/${number}`)} />
        </div>
      )}
      <ol className="field-list">
        {list.map((one) => (
          <li key={one.number}>
            <TaskCard task={one} here={position.here} person={person} waits={items.some((item) => item.number === one.number)} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function sorted(tasks: Task[], sort: Sort, here: Here | null): Task[] {
  const far = (one: Task) => away(here, one) ?? Number.POSITIVE_INFINITY;
  const due = (one: Task) => one.due ?? Number.POSITIVE_INFINITY;
  const by = sort === "near" && here ? [far, due] : [due, far];
  return [...tasks].sort((a, b) => {
    for (const value of by) if (value(a) !== value(b)) return value(a) - value(b);
    return a.number.localeCompare(b.number);
  });
}

function TaskCard({ task, here, person, waits }: { task: Task; here: Here | null; person: string; waits: boolean }) {
  const { t } = useTranslation();
  const types = useTypes(person).data?.answer;
  const states = useLifecycle(person).data?.answer.states;
  const type = types?.find((one) => one.kind === task.kind && one.code === task.type);
  const far = away(here, task);
  return (
    <Link className="field-card" to={`/field/case/${task.number}`}>
      <span className="field-card-head">
        <b>{type ? say(type.name) : task.type}</b>
        {far !== null && <span className="field-far numbers">{metres(Math.max(1, far))}</span>}
      </span>
      <span className="field-card-facts">
        <span className="badge accent">{say(states?.find((one) => one.key === task.state)?.says)}</span>
        {task.due !== null && <Due at={task.due / 1000} />}
        {task.reworks > 0 && <span className="badge warn">{t("field.rework")}</span>}
        {waits && <span className="badge warn">{t("field.toSend")}</span>}
      </span>
      <ChevronRight aria-hidden />
    </Link>
  );
}

/** How long is left, or since when it is late; anew every half minute. */
export function Due({ at }: { at: number }) {
  const { t } = useTranslation();
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  const minutes = Math.round(Math.abs(at - now) / 60_000);
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60)];
  const span = days
    ? t("field.daysHours", { days, hours })
    : hours
      ? t("field.hoursMinutes", { hours, minutes: minutes % 60 })
      : t("field.minutes", { minutes });
  const late = at < now;
  return <span className={late ? "badge bad" : minutes < 60 ? "badge warn" : "badge"}>{t(late ? "field.late" : "field.left", { span })}</span>;
}

export function OldAnswer({ at }: { at: number }) {
  const { t } = useTranslation();
  const zone = useZone();
  return (
    <p className="small quiet" role="status">
      {t("field.asOf", { time: instant(new Date(at).toISOString(), zone, "minute") })}
    </p>
  );
}
