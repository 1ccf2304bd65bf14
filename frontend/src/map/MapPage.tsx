/** The city on one map. */
import { useQueryClient } from "@tanstack/react-query";
import { Layers, List, Ruler, Share2, TriangleAlert } from "lucide-react";
import type { Map as MapLibre, MapMouseEvent } from "maplibre-gl";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson, Problem } from "../api/client";
import { useClock } from "../api/clock";
import { useAsksPurpose, useCity, useDatasets } from "../api/questions";
import type { Bounds, City, Dataset, Explanation, Hit } from "../api/types";
import { token, useLook, useMode } from "../app/mode";
import { Purpose } from "../data/Purpose";
import { useFreshAlarms, useStates } from "../sense/alarms";
import { Failure, Loading } from "../design/States";
import { say } from "../words";
import { BaseMap, useMap } from "./BaseMap";
import { BaseService, SERVICE } from "./BaseService";
import { ClockBar } from "./ClockBar";
import { DataLayers, useLoaded } from "./DataLayers";
import { type DrawnLayer, GeoJsonLayer } from "./GeoJsonLayer";
import { useGround } from "./ground";
import { Inspector, useCell } from "./Inspector";
import { LayerPanel } from "./LayerPanel";
import { keyOf, levelAt } from "./layers";
import { ListPanel } from "./ListPanel";
import { LiveLayer, useBorn } from "./LiveLayer";
import { Measure } from "./Measure";
import "./mapPage.css";
import { PickedMarks, PointsPanel, usePicked } from "./PointsPanel";
import { pointsAt } from "./pick";
import { SearchBox } from "./SearchBox";
import { AlarmCells, alarmLevel, cellWith } from "./AlarmCells";
import { type MapState, useMapState, type View } from "./state";
import { TimeBar } from "./TimeBar";

export default function MapPage() {
  const { t } = useTranslation();
  const city = useCity();
  const datasets = useDatasets();
  const error = city.error ?? datasets.error;
  if (error) {
    return (
      <div className="page">
        <Failure
          error={error}
          retry={() => {
            void city.refetch();
            void datasets.refetch();
          }}
        />
      </div>
    );
  }
  if (!city.data || !datasets.data) {
    return (
      <div className="page">
        <Loading lines={4} label={t("map.opening")} />
      </div>
    );
  }
  return <CityMap city={city.data} datasets={datasets.data} />;
}

type Seen = { bounds: Bounds; zoom: number };

function CityMap({ city, datasets }: { city: City; datasets: Dataset[] }) {
  const { t } = useTranslation();
  const [state, change] = useMapState(datasets);
  const ground = useGround();
  const wall = useMode() === "wall";
  const clock = useClock();
  const living = clock?.living ?? false;
  const born = useBorn(living);
  const [seen, setSeen] = useState<Seen | null>(null);
  const [measuring, setMeasuring] = useState(false);
  const [panelOpen, setPanelOpen] = useState(() => matchMedia("(min-width: 40.01rem)").matches);
  const [target, setTarget] = useState<Bounds | null>(null);
  const [said, setSaid] = useState("");
  const [troubles, noteTrouble] = useTroubles();
  const tools = useRef<HTMLDivElement>(null);

  const loaded = useLoaded(state.layers, datasets, seen?.bounds ?? null, seen?.zoom ?? 10, state.time);
  const asksPurpose = useAsksPurpose(state.layers.map((one) => one.dataset));
  const shapes = state.layers.filter((one) => one.as === "shapes");
  const hues = useHues(datasets);
  const [removed, forget] = useRemoved(state, datasets);
  useAskAgain(loaded.some((one) => tellsGone(one.error)) || [...troubles.values()].includes(404));
  const base = city.map_services.find((one) => one.id === state.base && !one.problem) ?? null;
  const pickedDataset = datasets.find((one) => one.id === state.points?.dataset);
  const picked = usePicked(state.points, pickedDataset);
  const period = usePeriod(state, datasets);
  const start = useRef(state.view).current;
  const centre = useMemo<[number, number] | undefined>(() => (start ? [start.lon, start.lat] : undefined), [start]);

  useFreshAlarms(state.alarms);
  const states = useStates(alarmLevel(seen?.zoom ?? 10), state.alarms).data?.states;

  // A cell is picked at the level of the cells that are drawn, or at one that suits the zoom.
  const level = loaded.find((one) => one.layer.as === "density")?.level ?? levelAt(seen?.zoom ?? 10, 32);
  const pick = useCallback(
    async (lon: number, lat: number) => {
      const found = await askJson<Explanation>("/api/codes/explain", {
        query: { q: `${lat.toFixed(8)},${lon.toFixed(8)}`, level },
      });
      change({ cell: found.geosot?.text ?? found.beidou?.text ?? null, points: null, list: false });
    },
    [level, change],
  );
  const click = (map: MapLibre, at: { x: number; y: number }, radius: number) => {
    const hit = pointsAt(map, loaded, state.time, at, radius);
    if (!hit) {
      const { lng, lat } = map.unproject([at.x, at.y]);
      const red = state.alarms ? cellWith(states ?? [], lng, lat) : undefined;
      if (red) change({ cell: red.code, points: null, list: false });
      else void pick(lng, lat);
      return;
    }
    const [dataset = "", role = ""] = hit.layer.split("@");
    change({ points: { dataset, role, facts: hit.facts, more: hit.more }, cell: null, list: false });
  };
  const isPoint = (map: MapLibre, at: { x: number; y: number }) =>
    loaded.every((one) => (one.points?.length ?? 0) < MOST_UNDER_POINTER) && pointsAt(map, loaded, state.time, at, REACH) !== null;
  const goTo = (hit: Hit) => {
    change({ cell: hit.code, points: null, list: false });
    if (hit.bounds) setTarget(hit.bounds);
  };
  const share = async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      setSaid(t("map.shared"));
    } catch {
      setSaid(t("map.shareByHand"));
    }
  };
  useEffect(() => {
    if (!said) return;
    const timer = setTimeout(() => setSaid(""), 2500);
    return () => clearTimeout(timer);
  }, [said]);

  const aside = state.points && pickedDataset ? "points" : state.cell ? "cell" : state.list ? "list" : null;
  return (
    <div
      className={`map-page${aside ? " with-aside" : ""}${panelOpen ? " with-panel" : ""}`}
      data-loaded={seen !== null && loaded.every((one) => !one.loading && (one.cells || one.points || one.error))}
    >
      <h1 className="hidden-visually">{t("map.title", { city: say(city.name) })}</h1>
      <div className="map-under">
        <BaseMap
          label={t("map.label", { city: say(city.name) })}
          ground={ground}
          bounds={city.bounds ?? [73, 18, 135, 54]}
          padding={{ top: 24, bottom: 24, right: 24, left: matchMedia("(min-width: 64rem)").matches ? 380 : 24 }}
          centre={centre}
          zoom={start?.zoom}
          onTrouble={noteTrouble}
        >
          {base && <BaseService service={base} />}
          <Follow
            seen={setSeen}
            moved={(view) => change({ view })}
            target={target}
            click={measuring ? null : click}
            isPoint={measuring ? null : isPoint}
            view={state.view}
          />
          <DataLayers loaded={loaded} shapes={shapes} datasets={datasets} time={state.time} hues={hues} />
          {state.alarms && states && <AlarmCells states={states} />}
          {living && <LiveLayer born={born} />}
          <PickedCell code={state.cell} />
          {state.points && <PickedMarks picked={state.points} answers={picked} />}
          {measuring && tools.current && <Measure box={tools.current} close={() => setMeasuring(false)} />}
        </BaseMap>
        {base && <p className="map-credit">{say(base.attribution)}</p>}
      </div>

      <div className="map-left">
        <div className="map-search panel-like">
          <SearchBox pick={goTo} />
        </div>
        {wall && <p className="wall-title">{say(city.name)}</p>}
        {panelOpen && (
          <section className="panel" aria-label={t("map.layers")}>
            <header className="panel-head">
              <div>
                <h2>{say(city.name)}</h2>
                {city.generated && <p className="badge warn">{t("map.generated")}</p>}
              </div>
            </header>
            <div className="panel-body">
              {asksPurpose && <Purpose />}
              {removed.length > 0 && (
                <div role="alert" className="notice warn layers-removed">
                  <TriangleAlert aria-hidden />
                  <div>
                    {removed.map(({ id, title }) => (
                      <p key={id} className="small">
                        {t("map.removed", { title })}
                      </p>
                    ))}
                    <button
                      type="button"
                      className="button"
                      onClick={() => {
                        forget();
                        if (state.missing.length) change({ layers: state.layers });
                      }}
                    >
                      {t("map.understood")}
                    </button>
                  </div>
                </div>
              )}
              <LayerPanel
                datasets={datasets}
                layers={state.layers}
                loaded={loaded}
                broken={new Set(shapes.flatMap((one) => (troubles.has(`shapes-${one.dataset}`) ? [one.dataset] : [])))}
                hues={hues}
                services={city.map_services}
                base={base?.id ?? null}
                troubled={[...troubles.keys()].some((id) => id.startsWith(`${SERVICE}-`))}
                change={(layers) => change({ layers })}
                alarms={state.alarms ? (states?.length ?? 0) : null}
                setAlarms={(alarms) => change({ alarms })}
                setBase={(id) => change({ base: id })}
              />
            </div>
          </section>
        )}
      </div>

      <div className="map-tools panel-like" role="toolbar" aria-label={t("map.tools")}>
        <button type="button" className="icon-button" aria-pressed={panelOpen} aria-label={t("map.layers")} title={t("map.layers")} onClick={() => setPanelOpen(!panelOpen)}>
          <Layers aria-hidden />
        </button>
        <button type="button" className="icon-button" aria-pressed={aside === "list"} aria-label={t("map.list")} title={t("map.list")} onClick={() => change({ list: aside !== "list", cell: null, points: null })}>
          <List aria-hidden />
        </button>
        <button type="button" className="icon-button" aria-pressed={measuring} aria-label={t("map.measure")} title={t("map.measure")} onClick={() => setMeasuring(!measuring)}>
          <Ruler aria-hidden />
        </button>
        <button type="button" className="icon-button" aria-label={t("map.share")} title={t("map.share")} onClick={share}>
          <Share2 aria-hidden />
        </button>
      </div>
      <p className="map-said small" role="status" hidden={!said}>
        {said}
      </p>

      <div className="map-bottom">
        <div ref={tools} />
        {living && clock && <ClockBar clock={clock} born={born} />}
        {period && (
          <TimeBar period={period} zone={city.time_zone} time={state.time} change={(time) => change({ time })} />
        )}
      </div>

      {aside === "points" && (
        <div className="map-aside">
          <PointsPanel
            picked={state.points!}
            dataset={pickedDataset}
            answers={picked}
            close={() => change({ points: null })}
            goToCell={(lon, lat) => void pick(lon, lat)}
          />
        </div>
      )}
      {aside === "cell" && (
        <div className="map-aside">
          <Inspector code={state.cell!} close={() => change({ cell: null })} go={(cell) => change({ cell })} alarms={state.alarms} />
        </div>
      )}
      {aside === "list" && seen && (
        <div className="map-aside">
          <ListPanel
            layers={state.layers}
            datasets={datasets}
            bounds={seen.bounds}
            time={state.time}
            close={() => change({ list: false })}
            locate={(dataset, fact) =>
              change({ points: { dataset, role: fact.places[0]!.role, facts: [fact.fact], more: false } })
            }
          />
        </div>
      )}
    </div>
  );
}

/** Pixels around the pointer, and around the middle for the keyboard, in which a point is meant. */
const REACH = 7;
const REACH_BY_KEY = 14;

/** With more points than this under the pointer its shape does not follow them: the hand stays free. */
const MOST_UNDER_POINTER = 200_000;

const tellsGone = (error: unknown) => error instanceof Problem && error.code === "unknown-dataset";

/** The sources of the map whose tiles do not come, with the status of the last answer. */
function useTroubles(): [Map<string, number | null>, (source: string, status: number | null | undefined) => void] {
  const [troubles, setTroubles] = useState(new Map<string, number | null>());
  const note = useCallback((source: string, status: number | null | undefined) => {
    setTroubles((before) => {
      if (status === undefined ? !before.has(source) : before.get(source) === status) return before;
      const now = new Map(before);
      if (status === undefined) now.delete(source);
      else now.set(source, status);
      return now;
    });
  }, []);
  return [troubles, note];
}

/** The datasets that were on the map and that the city no longer has, by the titles under which they were known here. */
function useRemoved(
  { layers, missing }: MapState,
  datasets: Dataset[],
): [removed: { id: string; title: string }[], forget: () => void] {
  const titles = useRef(new Map<string, Dataset["title"]>());
  for (const dataset of datasets) titles.current.set(dataset.id, dataset.title);
  const [shown, setShown] = useState<string[]>([]);
  const now = layers.map((one) => one.dataset).join();
  const gone = [...shown, ...missing].filter((id) => !datasets.some((one) => one.id === id));
  useEffect(() => {
    const isGone = (id: string) => !datasets.some((one) => one.id === id);
    setShown((before) => [...new Set([...before.filter(isGone), ...(now ? now.split(",") : [])])]);
  }, [now, datasets]);
  const removed = [...new Set(gone)].map((id) => ({ id, title: say(titles.current.get(id)) || id }));
  return [removed, () => setShown(now ? now.split(",") : [])];
}

/** An answer that a dataset is gone means that the list of datasets is out of date. */
function useAskAgain(gone: boolean) {
  const questions = useQueryClient();
  useEffect(() => {
    if (!gone) return;
    void questions.invalidateQueries({ queryKey: ["datasets"] });
    void questions.invalidateQueries({ queryKey: ["city"] });
  }, [gone, questions]);
}

/** Each layer keeps one hue, whatever else is shown. */
function useHues(datasets: Dataset[]): Map<string, number> {
  return useMemo(() => {
    const hues = new Map<string, number>();
    for (const dataset of datasets) {
      for (const place of dataset.places) hues.set(keyOf({ dataset: dataset.id, role: place.role }), hues.size);
    }
    return hues;
  }, [datasets]);
}

/** The span of time of the shown layers that have time. */
function usePeriod(state: MapState, datasets: Dataset[]): [number, number] | null {
  return useMemo(() => {
    const spans = state.layers.flatMap((layer) => {
      const period = layer.as === "shapes" ? null : datasets.find((one) => one.id === layer.dataset)?.period;
      return period ? [[Date.parse(period[0]) / 1000, Date.parse(period[1]) / 1000] as const] : [];
    });
    if (!spans.length) return null;
    return [Math.min(...spans.map(([low]) => low)), Math.max(...spans.map(([, high]) => high))];
  }, [state.layers, datasets]);
}

/** Tells the page where the map is, and the map where the page wants it. */
function Follow({ seen, moved, target, click, isPoint, view }: {
  seen: (seen: Seen) => void;
  moved: (view: View) => void;
  target: Bounds | null;
  click: ((map: MapLibre, at: { x: number; y: number }, radius: number) => void) | null;
  isPoint: ((map: MapLibre, at: { x: number; y: number }) => boolean) | null;
  view: View | null;
}) {
  const map = useMap();
  const calls = useRef({ seen, moved, click, isPoint });
  calls.current = { seen, moved, click, isPoint };

  useEffect(() => {
    const look = () => {
      const box = map.getBounds();
      calls.current.seen({
        bounds: [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()],
        zoom: map.getZoom(),
      });
    };
    const settle = () => {
      look();
      const { lng, lat } = map.getCenter();
      calls.current.moved({ lat, lon: lng, zoom: map.getZoom() });
    };
    const click = (event: MapMouseEvent) => calls.current.click?.(map, event.point, REACH);
    const key = (event: KeyboardEvent) => {
      if (event.key === "Enter") calls.current.click?.(map, map.project(map.getCenter()), REACH_BY_KEY);
    };
    let frame = 0;
    const hover = (event: MapMouseEvent) => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => {
        if (calls.current.isPoint) map.getCanvas().style.cursor = calls.current.isPoint(map, event.point) ? "pointer" : "";
      });
    };
    look();
    map.on("moveend", settle);
    map.on("resize", look);
    map.on("click", click);
    map.on("mousemove", hover);
    map.getCanvas().addEventListener("keydown", key);
    return () => {
      cancelAnimationFrame(frame);
      map.off("mousemove", hover);
      map.off("moveend", settle);
      map.off("resize", look);
      map.off("click", click);
      map.getCanvas().removeEventListener("keydown", key);
    };
  }, [map]);

  // The address may be changed by hand or by the browser's back button.
  useEffect(() => {
    if (!view) return;
    const { lng, lat } = map.getCenter();
    const moved = Math.abs(lng - view.lon) > 1e-4 || Math.abs(lat - view.lat) > 1e-4 || Math.abs(map.getZoom() - view.zoom) > 0.02;
    if (moved && !map.isMoving()) map.jumpTo({ center: [view.lon, view.lat], zoom: view.zoom });
  }, [map, view]);

  useEffect(() => {
    if (target) map.fitBounds(target, { padding: 140, maxZoom: 16.5, duration: 500 });
  }, [map, target]);

  return null;
}

/** The outline of the cell that is looked into. */
function PickedCell({ code }: { code: string | null }) {
  const look = useLook();
  const bounds = useCell(code).data?.cell.bounds;
  const layers = useMemo<DrawnLayer[]>(() => {
    void look;
    return [
      { id: "picked-halo", type: "line", paint: { "line-color": token("--map-halo"), "line-width": 6 } },
      { id: "picked-edge", type: "line", paint: { "line-color": token("--weft"), "line-width": 2.5 } },
    ];
  }, [look]);
  if (!code || !bounds) return null;
  const [west, south, east, north] = bounds;
  const ring = [[west, south], [east, south], [east, north], [west, north], [west, south]];
  return (
    <GeoJsonLayer
      id="picked"
      data={{ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } }}
      layers={layers}
    />
  );
}
