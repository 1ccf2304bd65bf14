/** What is reported around one: cases by area and type, as a list and on the map, and the figures of an area. */
import { lazy, Suspense, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { AskForAlert } from "./AlertPage";
import { type Area, type City, Fault, type Figures, type Here, json, type PublicCases, type TypeCount } from "./ask";
import { go } from "./main";
import { recall, say, store, t, when, type Word } from "./words";

const AroundMap = lazy(() => import("./AroundMap"));
const VIEWS = ["list", "map", "figures"] as const;
const PERIODS = [30, 90, 365];
const MINE = "jingwei.area";
const STREET = 9;

const addresses = (follower: () => void) => {
  addEventListener("popstate", follower);
  return () => removeEventListener("popstate", follower);
};
const roomy = matchMedia("(min-width: 60rem)");
const widths = (follower: () => void) => {
  roomy.addEventListener("change", follower);
  return () => roomy.removeEventListener("change", follower);
};

/** What is chosen stands in the address, so that it can be sent on. */
function useChosen(): [URLSearchParams, (change: Record<string, string>) => void] {
  const search = useSyncExternalStore(addresses, () => location.search);
  const chosen = useMemo(() => new URLSearchParams(search), [search]);
  const put = (change: Record<string, string>) => {
    const next = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(change)) if (value) next.set(name, value);
      else next.delete(name);
    history.replaceState(null, "", `${location.pathname}${next.size ? `?${next}` : ""}`);
    dispatchEvent(new PopStateEvent("popstate"));
  };
  return [chosen, put];
}

/** What the server answers to a question, asked anew where it changes; the answer before stays until then. */
export function useAnswer<T>(path: string): { answer?: T; fault: string; loading: boolean } {
  const [held, setHeld] = useState<{ path: string; answer?: T; fault: string }>({ path: "", fault: "" });
  useEffect(() => {
    const stop = new AbortController();
    json<T>(path, { signal: stop.signal }).then(
      (answer) => setHeld({ path, answer, fault: "" }),
      (error: unknown) => error instanceof Fault && setHeld({ path, fault: error.status ? error.said : t("unreachable") }),
    );
    return () => stop.abort();
  }, [path]);
  return { ...held, loading: held.path !== path };
}

type Data = { version: number; published: string; rows: number; forms: string[] };

/** All cases as a file, where the city publishes them. */
function OpenData() {
  const { answer: data } = useAnswer<Data>("/open-data");
  if (!data) return null;
  return (
    <span className="open-data">
      {t("openData", { n: data.rows, day: data.published.slice(0, 10) })}{" "}
      {data.forms.map((form) => (
        <a key={form} href={`/api/public/open-data.${form}`} download>
          {form.toUpperCase()}
        </a>
      ))}{" "}
      <a href="/api/public/open-data/contract" download>
        {t("contract")}
      </a>
    </span>
  );
}

/** The parameters by which lists, map and feeds are asked for what is chosen. */
function asked(chosen: URLSearchParams, more: Record<string, string> = {}): string {
  const given = new URLSearchParams(more);
  for (const name of ["area", "type", "ended", "box"]) {
    const value = chosen.get(name);
    if (value) given.set(name, value);
  }
  return given.size ? `?${given}` : "";
}

export function AroundPage({ city }: { city?: City }) {
  const [chosen, put] = useChosen();
  const wide = useSyncExternalStore(widths, () => roomy.matches);
  const area = chosen.get("area") ?? "";
  const [fault, setFault] = useState("");
  const [finding, setFinding] = useState(false);
  const [mine, setMine] = useState(() => recall(MINE) ?? "");
  useEffect(() => {
    if (!location.search && recall(MINE)) put({ area: recall(MINE) ?? "" });
  }, []);
  const streets = useAnswer<Area[]>("/areas").answer ?? [];
  const communities = useAnswer<Area[]>(`/areas?within=${area.slice(0, STREET)}`).answer ?? [];
  const types = useAnswer<TypeCount[]>(`/cases/types${area ? `?area=${area}` : ""}`).answer ?? [];
  const given = chosen.get("view") as (typeof VIEWS)[number] | null;
  const views = wide ? VIEWS.filter((one) => one !== "map") : VIEWS;
  const view = given && (views as readonly string[]).includes(given) ? given : "list";
  const named = (code: string, all: Area[]) => say(all.find((one) => one.code === code)?.name) || code;
  const title = !area ? t("everywhere") : area.length > STREET ? `${named(area.slice(0, STREET), streets)} ${named(area, communities)}` : named(area, streets);

  const locate = () => {
    setFinding(true);
    setFault("");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) =>
        void json<Here>(`/areas/here?lon=${coords.longitude}&lat=${coords.latitude}`)
          .then(
            (here) => (here.community ? put({ area: here.community.code, box: "" }) : setFault(t("notHere"))),
            (error: unknown) => error instanceof Fault && setFault(error.status ? error.message : t("unreachable")),
          )
          .finally(() => setFinding(false)),
      () => {
        setFault(t("noPosition"));
        setFinding(false);
      },
      { maximumAge: 60_000, timeout: 20_000 },
    );
  };
  const option = (one: Area) => (
    <option key={one.code} value={one.code}>
      {say(one.name) || one.code} · {one.open}
    </option>
  );
  return (
    <div className="around">
      <h1>
        {t("around")} · {title}
      </h1>
      <div className="choose">
        {streets.length > 0 && (
          <label className="field">
            <span>{t("street")}</span>
            <select value={area.slice(0, STREET)} onChange={(event) => put({ area: event.target.value, box: "" })}>
              <option value="">{t("everywhere")}</option>
              {streets.map(option)}
            </select>
          </label>
        )}
        {area && communities.length > 0 && (
          <label className="field">
            <span>{t("community")}</span>
            <select value={area.length > STREET ? area : ""} onChange={(event) => put({ area: event.target.value || area.slice(0, STREET), box: "" })}>
              <option value="">{t("wholeStreet")}</option>
              {communities.map(option)}
            </select>
          </label>
        )}
        <label className="field">
          <span>{t("type")}</span>
          <select value={chosen.get("type") ?? ""} onChange={(event) => put({ type: event.target.value })}>
            <option value="">{t("everyType")}</option>
            {types.map((one) => (
              <option key={`${one.kind}/${one.code}`} value={`${one.kind}/${one.code}`}>
                {say(one.name)} · {one.count}
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          <span>{t("which")}</span>
          <select value={chosen.get("ended") ?? ""} onChange={(event) => put({ ended: event.target.value })}>
            <option value="">{t("all")}</option>
            <option value="false">{t("open")}</option>
            <option value="true">{t("closed")}</option>
          </select>
        </label>
      </div>
      <div className="row">
        {streets.length > 0 && "geolocation" in navigator && (
          <button type="button" aria-disabled={finding} onClick={() => finding || locate()}>
            {finding ? t("locating") : t("whereIAm")}
          </button>
        )}
        {area && (
          <button
            type="button"
            aria-pressed={mine === area}
            onClick={() => {
              const next = mine === area ? "" : area;
              store(MINE, next || null);
              setMine(next);
            }}
          >
            {t(mine === area ? "isMine" : "makeMine")}
          </button>
        )}
        {chosen.get("box") && (
          <button type="button" onClick={() => put({ box: "" })}>
            {t("leaveBox")}
          </button>
        )}
      </div>
      {fault && (
        <p className="note bad" role="alert">
          {fault}
        </p>
      )}
      <div className="views" role="group" aria-label={t("views")}>
        {views.map((one) => (
          <button key={one} type="button" aria-pressed={view === one} onClick={() => put({ view: one === "list" ? "" : one })}>
            {t(one as Word)}
          </button>
        ))}
      </div>
      <div className="beside">
        {view === "list" && <List chosen={chosen} zone={city?.zone ?? "Asia/Shanghai"} />}
        {view === "figures" && <AreaFigures area={area} />}
        {(view === "map" || wide) && (
          <Suspense fallback={<p role="status">{t("loading")}</p>}>
            <AroundMap bounds={city?.bounds ?? null} known={city !== undefined} asked={asked(chosen)} within={(box) => put({ box, view: "" })} />
          </Suspense>
        )}
      </div>
      <Feeds chosen={chosen} city={city} />
      {city?.channels.includes("email") && <AskForAlert area={area} type={chosen.get("type") ?? ""} />}
    </div>
  );
}

function List({ chosen, zone }: { chosen: URLSearchParams; zone: string }) {
  const path = `/cases${asked(chosen)}`;
  const { answer, fault, loading } = useAnswer<PublicCases>(path);
  const [more, setMore] = useState<{ path: string; cases: PublicCases["cases"]; next: string | null }>();
  const [reading, setReading] = useState(false);
  const [lost, setLost] = useState("");
  if (fault)
    return (
      <p className="note bad" role="alert">
        {fault}
      </p>
    );
  if (!answer) return <p role="status">{t("loading")}</p>;
  const further = more?.path === path ? more : undefined;
  const next = further ? further.next : answer.next;
  const cases = [...answer.cases, ...(further?.cases ?? [])];
  const read = () => {
    if (reading || !next) return;
    setReading(true);
    setLost("");
    json<PublicCases>(`/cases${asked(chosen, { after: next })}`)
      .then(
        (page) => setMore({ path, cases: [...(further?.cases ?? []), ...page.cases], next: page.next }),
        (error: unknown) => setLost(error instanceof Fault && error.status ? error.message : t("unreachable")),
      )
      .finally(() => setReading(false));
  };
  return (
    <section aria-label={t("list")} aria-busy={loading}>
      <p role="status">{answer.count ? t("cases", { n: answer.count.toLocaleString() }) : t("nothing")}</p>
      <ul className="cards">
        {cases.map((one) => (
          <li key={one.number}>
            <a
              href={`/report/around/${one.number}`}
              onClick={(event) => {
                if (event.metaKey || event.ctrlKey || event.shiftKey) return;
                event.preventDefault();
                go(`/report/around/${one.number}`);
              }}
            >
              {say(one.type_name)}
            </a>
            <p>
              <strong>{say(one.state)}</strong>
              {one.office && ` · ${one.office}`}
            </p>
            {one.words && <p>{one.words}</p>}
            <time dateTime={one.reported}>{t("reportedAt", { time: when(one.reported, zone) })}</time>
          </li>
        ))}
      </ul>
      {lost && (
        <p className="note bad" role="alert">
          {lost}
        </p>
      )}
      {next && (
        <button type="button" aria-disabled={reading} onClick={read}>
          {reading ? t("loading") : t("earlier")}
        </button>
      )}
    </section>
  );
}

function AreaFigures({ area }: { area: string }) {
  const [days, setDays] = useState(PERIODS[0]!);
  const { answer, fault, loading } = useAnswer<Figures>(`/figures?days=${days}${area ? `&area=${area}` : ""}`);
  const frequent = useAnswer<TypeCount[]>(`/cases/types?ended=false&limit=5${area ? `&area=${area}` : ""}`).answer ?? [];
  return (
    <section aria-labelledby="figures" aria-busy={loading}>
      <h2 id="figures">{t("figuresOf")}</h2>
      <div className="views" role="group" aria-label={t("period")}>
        {PERIODS.map((one) => (
          <button key={one} type="button" aria-pressed={days === one} onClick={() => setDays(one)}>
            {t("days", { n: one })}
          </button>
        ))}
      </div>
      {fault && (
        <p className="note bad" role="alert">
          {fault}
        </p>
      )}
      {!answer && !fault && <p role="status">{t("loading")}</p>}
      <ul className="figures">
        {answer?.figures.map((one) => (
          <li key={one.key}>
            <span>{say(one.name)}</span>
            <strong>
              {one.fewer !== null
                ? t("keptBack")
                : one.value === null
                  ? t("noValue")
                  : one.unit === "share"
                    ? `${(100 * one.value).toFixed(1)}%`
                    : one.value.toLocaleString()}
            </strong>
            <small>{one.fewer === null ? say(one.formula) : t("why", { formula: say(one.formula), n: one.fewer })}</small>
          </li>
        ))}
      </ul>
      {frequent.length > 0 && (
        <>
          <h2>{t("frequent")}</h2>
          <ol className="frequent">
            {frequent.map((one) => (
              <li key={`${one.kind}/${one.code}`}>
                {say(one.name)} <strong>{one.count.toLocaleString()}</strong>
              </li>
            ))}
          </ol>
        </>
      )}
    </section>
  );
}

function Feeds({ chosen, city }: { chosen: URLSearchParams; city: City | undefined }) {
  const given = new URLSearchParams(chosen);
  for (const name of ["view", "box"]) given.delete(name);
  const tail = given.size ? `?${given}` : "";
  return (
    <p className="hint">
      {t("feedHint")} <a href={`/api/public/feed.atom${tail}`}>{t("feed")}</a> · <a href={`/api/public/feed.rss${tail}`}>RSS</a>
      {city?.open_data && <OpenData />}
    </p>
  );
}
