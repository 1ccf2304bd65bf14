/** The datasets as layers: which are shown, how, how strongly, and what their colours say. */
import { AlertTriangle, ChevronDown, LoaderCircle, Search } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { Problem } from "../api/client";
import type { Dataset, MapService } from "../api/types";
import { useLook } from "../app/mode";
import { count, decimal, langOf, say } from "../words";
import { classColours, css, hue } from "./colours";
import type { Loaded } from "./DataLayers";
import { EXACT, keyOf, type Layer, sideOf, waysOf } from "./layers";

type Row = { dataset: Dataset; role: string };

const keyOfRow = ({ dataset, role }: Row) => keyOf({ dataset: dataset.id, role });

/** From this many datasets on a list is searched rather than read. */
const MANY = 12;

export function LayerPanel({ datasets, layers, loaded, broken, hues, services, base, troubled, change, alarms, setAlarms, setBase }: {
  datasets: Dataset[];
  layers: Layer[];
  loaded: Loaded[];
  /** Layers of lines and areas whose tiles do not come. */
  broken: Set<string>;
  hues: Map<string, number>;
  services: MapService[];
  base: string | null;
  /** Whether the chosen map service does not answer. */
  troubled: boolean;
  change: (layers: Layer[]) => void;
  /** In how many cells alarms last; null where they are not shown. */
  alarms: number | null;
  setAlarms: (shown: boolean) => void;
  setBase: (base: string | null) => void;
}) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const rows: Row[] = datasets.flatMap((dataset) =>
    dataset.places.filter((place) => waysOf(dataset, place.role).length).map((place) => ({ dataset, role: place.role })),
  );
  const placeless = datasets.filter((one) => one.version !== null && one.places.length === 0);
  const held = datasets.filter((one) => one.state !== "published");
  const isShown = (row: Row) => layers.some((one) => keyOf(one) === keyOfRow(row));
  const sought = typed.trim().toLowerCase();
  const fits = ({ dataset }: Row) =>
    [dataset.title.zh, dataset.title.en, dataset.owner, dataset.id].some((text) => text.toLowerCase().includes(sought));
  const others = rows.filter((row) => !isShown(row));
  const many = rows.length > MANY;

  const toggle = (row: Row) => {
    const { dataset, role } = row;
    const rest = layers.filter((one) => keyOf(one) !== keyOfRow(row));
    if (rest.length !== layers.length) change(rest);
    else change([...layers, { dataset: dataset.id, role, as: waysOf(dataset, role)[0]!, opacity: 85 }]);
  };
  const set = (layer: Layer, changes: Partial<Layer>) =>
    change(layers.map((one) => (keyOf(one) === keyOf(layer) ? { ...one, ...changes } : one)));

  const item = (row: Row) => {
    const key = keyOfRow(row);
    const layer = layers.find((one) => keyOf(one) === key);
    const state = loaded.find((one) => keyOf(one.layer) === key);
    return (
      <li key={key} className={layer ? "layer on" : "layer"}>
        <label className="layer-name">
          <input type="checkbox" checked={layer !== undefined} onChange={() => toggle(row)} />
          <span>
            <span lang={langOf(say(row.dataset.title))}>{say(row.dataset.title)}</span>
            {row.role && <span className="quiet"> · {t(`map.role.${row.role}`, { defaultValue: row.role })}</span>}
          </span>
          {state?.loading ? (
            <LoaderCircle aria-hidden className="spin" />
          ) : (
            <span className="quiet small numbers">{count(row.dataset.counts?.published ?? 0)}</span>
          )}
        </label>
        {layer && (
          <Settings
            layer={layer}
            ways={waysOf(row.dataset, row.role)}
            permitted={row.dataset.map_level}
            state={state}
            broken={broken.has(row.dataset.id)}
            number={hues.get(key) ?? 0}
            title={say(row.dataset.title)}
            set={(changes) => set(layer, changes)}
          />
        )}
      </li>
    );
  };

  return (
    <>
      {many && layers.length > 0 && <h3 className="layers-head">{t("map.shown")}</h3>}
      {many && <ul className="layers">{rows.filter(isShown).map(item)}</ul>}
      {many && (
        <>
          <h3 className="layers-head">{t("map.addable")}</h3>
          <div className="field layers-find">
            <Search aria-hidden />
            <input
              type="text"
              value={typed}
              maxLength={60}
              aria-label={t("map.findLayer")}
              placeholder={t("map.findLayer")}
              onChange={(event) => setTyped(event.target.value)}
            />
          </div>
          {others.length > 0 && !others.some(fits) && <p className="small quiet">{t("map.noLayerFound")}</p>}
        </>
      )}
      <ul className="layers">{(many ? others.filter(fits) : rows).map(item)}</ul>
      <AlarmChoice cells={alarms} set={setAlarms} />
      {services.length > 0 && <BaseChoice services={services} base={base} troubled={troubled} setBase={setBase} />}
      {held.length > 0 && (
        <ul className="layers-aside">
          {held.map((one) => (
            <li key={one.id}>
              <Link to={`/data/${one.id}`} className="small">
                <AlertTriangle aria-hidden />
                {t(`data.states.${one.state}`)}{t("map.colon")}{say(one.title)}
              </Link>
            </li>
          ))}
        </ul>
      )}
      {placeless.length > 0 && (
        <details className="layers-placeless small">
          <summary>
            <ChevronDown aria-hidden />
            {t("map.placeless", { count: placeless.length })}
          </summary>
          <ul>
            {placeless.map((one) => (
              <li key={one.id}>
                <Link to={`/data/${one.id}`} lang={langOf(say(one.title))}>{say(one.title)}</Link>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

/** The cells that are not as they should be, by the rules over readings. */
function AlarmChoice({ cells, set }: { cells: number | null; set: (shown: boolean) => void }) {
  const { t } = useTranslation();
  return (
    <div className={cells === null ? "layer" : "layer on"}>
      <label className="layer-name">
        <input type="checkbox" checked={cells !== null} onChange={(event) => set(event.target.checked)} />
        <span>{t("alarms.layer.name")}</span>
        {cells !== null && <span className="quiet small numbers">{count(cells)}</span>}
      </label>
      {cells !== null && (
        <p className="legend-one small">
          {cells > 0 && <span className="swatch alarm-swatch" />}
          <span role="status">{cells === 0 ? t("alarms.layer.allGood") : t("alarms.layer.cells", { count: cells, n: count(cells) })}</span>
          <Link to="/sense/events">{t("alarms.layer.toWall")}</Link>
        </p>
      )}
    </div>
  );
}

/** What lies under the layers: the city's own map, or one of its map services. */
function BaseChoice({ services, base, troubled, setBase }: {
  services: MapService[];
  base: string | null;
  troubled: boolean;
  setBase: (base: string | null) => void;
}) {
  const { t } = useTranslation();
  const chosen = services.find((one) => one.id === base);
  return (
    <fieldset className="base-choice">
      <legend className="layers-head">{t("map.base")}</legend>
      <label className="layer-name">
        <input type="radio" name="base" checked={!chosen} onChange={() => setBase(null)} />
        <span>{t("map.ownBase")}</span>
      </label>
      {services.map((service) => (
        <div key={service.id}>
          <label className="layer-name">
            <input
              type="radio"
              name="base"
              checked={service === chosen}
              disabled={service.problem !== null}
              onChange={() => setBase(service.id)}
            />
            <span>{say(service.title)}</span>
            <span className="quiet small">{service.crs}</span>
          </label>
          {service.problem && <p className="base-problem small quiet">{say(service.problem)}</p>}
          {service === chosen && troubled && (
            <p role="alert" className="base-problem layer-problem small">
              {t("map.baseSilent")}
            </p>
          )}
        </div>
      ))}
    </fieldset>
  );
}

function Settings({ layer, ways, permitted, state, broken, number, title, set }: {
  layer: Layer;
  ways: Layer["as"][];
  /** The finest level that the policies let the reader see. */
  permitted: number;
  state: Loaded | undefined;
  broken: boolean;
  number: number;
  title: string;
  set: (changes: Partial<Layer>) => void;
}) {
  const { t } = useTranslation();
  const look = useLook();
  return (
    <div className="layer-settings">
      {ways.length > 1 && (
        <div className="segments" role="radiogroup" aria-label={t("map.showAs", { title })}>
          {ways.map((way) => (
            <label key={way}>
              <input
                type="radio"
                name={`as-${keyOf(layer)}`}
                checked={layer.as === way}
                onChange={() => set({ as: way })}
                className="hidden-visually"
              />
              <span>{t(`map.as.${way}`)}</span>
            </label>
          ))}
        </div>
      )}
      {state?.error || broken ? (
        <p role="alert" className="layer-problem small">
          {(state?.error as Error | undefined)?.message || t("state.failed")}
          {state?.error instanceof Problem && state.error.mend ? ` ${state.error.mend}` : ""}
        </p>
      ) : (
        <>
          {layer.as === "density" && state && <DensityLegend state={state} />}
          {layer.as !== "density" && (
            <p className="legend-one small">
              <span className={`swatch ${layer.as}`} style={{ background: css(hue(look, number)) }} />
              {t(`map.one.${layer.as}`)}
              {state?.points && !state.points.complete && ` · ${t("map.incomplete", { shown: count(state.points.length) })}`}
            </p>
          )}
        </>
      )}
      {permitted < EXACT && <p className="small quiet">{t("map.coarsened", { level: permitted })}</p>}
      <label className="opacity small">
        <span>{t("map.opacity")}</span>
        <input
          type="range"
          min={10}
          max={100}
          step={5}
          value={layer.opacity}
          aria-label={t("map.opacityOf", { title })}
          onChange={(event) => set({ opacity: Number(event.target.value) })}
        />
      </label>
    </div>
  );
}

function DensityLegend({ state }: { state: Loaded }) {
  const { t } = useTranslation();
  const look = useLook();
  const colours = classColours(look, state.breaks.length + 1);
  const seconds = Math.round(sideOf(state.level) * 3600);
  const side = seconds >= 3600 ? `${seconds / 3600}°` : seconds >= 60 ? `${seconds / 60}′` : seconds >= 1 ? `${seconds}″` : "<1″";
  if (state.cells && state.cells.length === 0) return <p className="small quiet">{t("map.nothingHere")}</p>;
  return (
    <figure className="legend" aria-label={t("map.legend")}>
      <figcaption className="small quiet">{t("map.perKm2", { side, level: state.level })}</figcaption>
      <div className="legend-ramp" aria-hidden>
        {colours.map((colour, number) => (
          <span key={colour.join()} style={{ background: css(colour) }}>
            <b>{number === 0 ? "" : decimal(state.breaks[number - 1]!, 2)}</b>
          </span>
        ))}
      </div>
      <ul className="hidden-visually">
        {state.breaks.map((value) => (
          <li key={value}>{t("map.atLeast", { value: decimal(value, 2) })}</li>
        ))}
      </ul>
    </figure>
  );
}
