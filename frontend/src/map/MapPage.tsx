/** The city on one map. */
import { Layers, List, Ruler, Share2 } from "lucide-react";
import type { MapMouseEvent } from "maplibre-gl";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import { useCity, useDatasets } from "../api/questions";
import type { Bounds, City, Dataset, Explanation, Hit } from "../api/types";
import { token, useLook, useMode } from "../app/mode";
import { Failure, Loading } from "../design/States";
import { say } from "../words";
import { BaseMap, useMap } from "./BaseMap";
import { DataLayers, useLoaded } from "./DataLayers";
import { type DrawnLayer, GeoJsonLayer } from "./GeoJsonLayer";
import { useGround } from "./ground";
import { Inspector, useCell } from "./Inspector";
import { LayerPanel } from "./LayerPanel";
import { keyOf, levelAt } from "./layers";
import { ListPanel } from "./ListPanel";
import { Measure } from "./Measure";
import "./mapPage.css";
import { SearchBox } from "./SearchBox";
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
  const [seen, setSeen] = useState<Seen | null>(null);
  const [measuring, setMeasuring] = useState(false);
  const [panelOpen, setPanelOpen] = useState(() => matchMedia("(min-width: 40.01rem)").matches);
  const [target, setTarget] = useState<Bounds | null>(null);
  const [said, setSaid] = useState("");
  const tools = useRef<HTMLDivElement>(null);

  const loaded = useLoaded(state.layers, datasets, seen?.bounds ?? null, seen?.zoom ?? 10, state.time);
  const shapes = state.layers.filter((one) => one.as === "shapes");
  const hues = useHues(datasets);
  const period = usePeriod(state, datasets);
  const start = useRef(state.view).current;
  const centre = useMemo<[number, number] | undefined>(() => (start ? [start.lon, start.lat] : undefined), [start]);

  // A cell is picked at the level of the cells that are drawn, or at one that suits the zoom.
  const level = loaded.find((one) => one.layer.as === "density")?.level ?? levelAt(seen?.zoom ?? 10, 32);
  const pick = useCallback(
    async (lon: number, lat: number) => {
      const found = await askJson<Explanation>("/api/codes/explain", {
        query: { q: `${lat.toFixed(8)},${lon.toFixed(8)}`, level },
      });
      change({ cell: found.geosot?.text ?? found.beidou?.text ?? null, list: false });
    },
    [level, change],
  );
  const goTo = (hit: Hit) => {
    change({ cell: hit.code, list: false });
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

  const aside = state.cell ? "cell" : state.list ? "list" : null;
  return (
    <div className={`map-page${aside ? " with-aside" : ""}${panelOpen ? " with-panel" : ""}`}>
      <h1 className="hidden-visually">{t("map.title", { city: say(city.name) })}</h1>
      <div className="map-under">
        <BaseMap
          label={t("map.label", { city: say(city.name) })}
          ground={ground}
          bounds={city.bounds ?? [73, 18, 135, 54]}
          padding={{ top: 24, bottom: 24, right: 24, left: matchMedia("(min-width: 64rem)").matches ? 380 : 24 }}
          centre={centre}
          zoom={start?.zoom}
        >
          <Follow
            seen={setSeen}
            moved={(view) => change({ view })}
            target={target}
            pick={measuring ? null : pick}
            view={state.view}
          />
          <DataLayers loaded={loaded} shapes={shapes} datasets={datasets} time={state.time} hues={hues} />
          <PickedCell code={state.cell} />
          {measuring && tools.current && <Measure box={tools.current} close={() => setMeasuring(false)} />}
        </BaseMap>
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
              <LayerPanel
                datasets={datasets}
                layers={state.layers}
                loaded={loaded}
                hues={hues}
                change={(layers) => change({ layers })}
              />
            </div>
          </section>
        )}
      </div>

      <div className="map-tools panel-like" role="toolbar" aria-label={t("map.tools")}>
        <button type="button" className="icon-button" aria-pressed={panelOpen} aria-label={t("map.layers")} title={t("map.layers")} onClick={() => setPanelOpen(!panelOpen)}>
          <Layers aria-hidden />
        </button>
        <button type="button" className="icon-button" aria-pressed={aside === "list"} aria-label={t("map.list")} title={t("map.list")} onClick={() => change({ list: aside !== "list", cell: null })}>
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
        {period && (
          <TimeBar period={period} zone={city.time_zone} time={state.time} change={(time) => change({ time })} />
        )}
      </div>

      {aside === "cell" && (
        <div className="map-aside">
          <Inspector code={state.cell!} close={() => change({ cell: null })} go={(cell) => change({ cell })} />
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
          />
        </div>
      )}
    </div>
  );
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
function Follow({ seen, moved, target, pick, view }: {
  seen: (seen: Seen) => void;
  moved: (view: View) => void;
  target: Bounds | null;
  pick: ((lon: number, lat: number) => void) | null;
  view: View | null;
}) {
  const map = useMap();
  const calls = useRef({ seen, moved, pick });
  calls.current = { seen, moved, pick };

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
    const click = (event: MapMouseEvent) => calls.current.pick?.(event.lngLat.lng, event.lngLat.lat);
    const key = (event: KeyboardEvent) => {
      if (event.key !== "Enter") return;
      const { lng, lat } = map.getCenter();
      calls.current.pick?.(lng, lat);
    };
    look();
    map.on("moveend", settle);
    map.on("resize", look);
    map.on("click", click);
    map.getCanvas().addEventListener("keydown", key);
    return () => {
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
