/** One file before it is loaded: what was detected and why, corrections, its places on the map, the first findings. */
import { useQuery } from "@tanstack/react-query";
import type { FeatureCollection } from "geojson";
import { CircleCheck, TriangleAlert } from "lucide-react";
import { type FormEvent, type ReactNode, useEffect, useMemo, useState } from "react";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { askJson } from "../api/client";
import { useCity, useDatasets } from "../api/questions";
import { useLook } from "../app/mode";
import { Input } from "../design/Form";
import { Select } from "../design/Select";
import { Failure, Waiting } from "../design/States";
import { Table } from "../design/Table";
import { BaseMap, useMap } from "../map/BaseMap";
import { css, hue } from "../map/colours";
import { type DrawnLayer, GeoJsonLayer } from "../map/GeoJsonLayer";
import { BELOW_LABELS, useGround } from "../map/ground";
import { count, langOf, say, type Text } from "../words";
import { Evidence } from "./DatasetPage";
import { Following } from "./Following";
import { MadeOf } from "./MadeOf";
import type { HandedIn } from "./IntakePage";

type Place = { lon?: string; lat?: string; geometry?: string; crs?: string; none?: boolean; by?: string };
type Spec = {
  id: string;
  title: { zh: string; en?: string };
  owner?: string;
  layer?: string;
  encoding?: string;
  delimiter?: string;
  header_row?: number;
  keys?: string[];
  name?: string;
  place?: Place;
  crs?: string;
  time?: { column?: string; none?: boolean };
  made_of?: string[];
};
type Examined = {
  file: HandedIn;
  layers: string[];
  form: string;
  spec: Spec;
  known: { source: string | null; match: "same" | "changed" | "none"; missing: string[]; new: string[] };
  columns: { name: string; type: string }[];
  rows: string[][];
  total: number | null;
  evidence: Record<string, unknown>[];
  problem: { code: string; what: Text; mend: Text | null } | null;
  points: [number, number][];
  looked_at: number;
  placed: number;
  faults: Record<string, number>;
  examples: { row: number; rule: string; reason: Text; text: string }[];
  score: number | null;
  rules: { id: string; text: Text; severity: string; rows: number | null; examples: number[] }[];
};
type Changes = Record<string, unknown>;

const DELIMITERS = [
  [",", "comma"],
  ["\t", "tab"],
  [";", "semicolon"],
  ["|", "bar"],
  ["，", "wideComma"],
] as const;

export function IntakeFile() {
  const { t } = useTranslation();
  const { file = "" } = useParams();
  const [changes, setChanges] = useState<Changes>({});
  const answer = useQuery({
    queryKey: ["intake", file, changes],
    queryFn: ({ signal }) =>
      askJson<Examined>(`/api/intake/files/${file}/examination`, { method: "POST", body: { changes }, signal }),
    placeholderData: (before) => before,
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const seen = answer.data;
  return (
    <div className="page">
      <header>
        <nav aria-label={t("data.way")} className="small">
          <Link to="/data">{t("data.all")}</Link> / <Link to="/data/intake">{t("intake.title")}</Link>
        </nav>
        <h1 lang={langOf(seen?.file.name)}>{seen?.file.name ?? t("intake.title")}</h1>
      </header>
      <Waiting of={answer} lines={8} label={t("intake.looking")} />
      {answer.error && Object.keys(changes).length > 0 && (
        <button type="button" className="button" onClick={() => setChanges({})}>
          {t("intake.undo")}
        </button>
      )}
      {seen && !answer.error && (
        <Seen key={file} seen={seen} changes={changes} change={setChanges} looking={answer.isFetching} />
      )}
    </div>
  );
}

function Seen({ seen, changes, change, looking }: {
  seen: Examined;
  changes: Changes;
  change: (changes: Changes) => void;
  looking: boolean;
}) {
  const { t } = useTranslation();
  return (
    <>
      <Whose seen={seen} />
      <dl className="figures numbers">
        <Figure name={t("intake.form")} value={formOf(seen, t)} />
        <Figure name={t("data.columns")} value={count(seen.columns.length)} />
        <Figure name={t("intake.lookedAt")} value={count(seen.looked_at)} />
        <Figure name={t("intake.placed")} value={count(seen.placed)} />
        <Figure name={t("intake.score")} value={seen.score === null ? "–" : String(seen.score)} />
      </dl>
      {seen.problem && (
        <div className="notice warn" role="alert">
          <TriangleAlert aria-hidden />
          <div>
            <p>{say(seen.problem.what)}</p>
            {seen.problem.mend && <p>{say(seen.problem.mend)}</p>}
          </div>
        </div>
      )}
      <div className="choice-grid">
        <Corrections seen={seen} changes={changes} change={change} looking={looking} />
        <Where points={seen.points} />
      </div>
      <Findings seen={seen} />
      <section className="stack">
        <h2>{t("intake.firstRows")}</h2>
        <FirstRows seen={seen} />
      </section>
      {seen.evidence.length > 0 && (
        <section className="stack">
          <h2>{t("data.evidence")}</h2>
          <Evidence evidence={seen.evidence} />
        </section>
      )}
    </>
  );
}

function Whose({ seen }: { seen: Examined }) {
  const { t } = useTranslation();
  const known = seen.known;
  if (known.match === "none") return null;
  if (known.match === "same") {
    return (
      <div className="notice good">
        <CircleCheck aria-hidden />
        <p>{t(seen.problem ? "intake.nextHeld" : "intake.next", { source: known.source })}</p>
      </div>
    );
  }
  return (
    <div className="notice warn" role="alert">
      <TriangleAlert aria-hidden />
      <div>
        <p>{t("intake.layoutChanged", { source: known.source })}</p>
        {known.missing.length > 0 && <p>{t("intake.missing", { columns: known.missing.join("、") })}</p>}
        {known.new.length > 0 && <p>{t("intake.new", { columns: known.new.join("、") })}</p>}
      </div>
    </div>
  );
}

/** What kind of file it is: those that one reader takes are told apart by their names. */
function formOf(seen: Examined, t: TFunction): string {
  const form = seen.form === "vector" ? seen.file.name.split(".").at(-1)!.toLowerCase() : seen.form;
  return t(`intake.formNames.${form}`, { defaultValue: form.toUpperCase() });
}

/** What a column holds, in words. */
function typeOf(type: string, t: TFunction): string {
  const kinds: [RegExp, string][] = [
    [/^u?int/, "integer"],
    [/^(float|double|half|decimal)/, "number"],
    [/^date/, "date"],
    [/^time/, "time"],
    [/^bool/, "boolean"],
    [/binary/, "geometry"],
    [/string/, "text"],
  ];
  const kind = kinds.find(([pattern]) => pattern.test(type))?.[1];
  return kind ? t(`intake.types.${kind}`) : type;
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** What a person may correct; each field shows what is used now, and an empty one leaves it to be detected. */
function Corrections({ seen, changes, change, looking }: {
  seen: Examined;
  changes: Changes;
  change: (changes: Changes) => void;
  looking: boolean;
}) {
  const { t } = useTranslation();
  const spec = seen.spec;
  const place = spec.place ?? {};
  const [draft, setDraft] = useState({
    id: spec.id,
    title: spec.title.zh,
    owner: spec.owner ?? "",
    layer: spec.layer ?? "",
    encoding: spec.encoding ?? "",
    header: spec.header_row === undefined ? "" : String(spec.header_row),
    lon: place.lon ?? "",
    lat: place.lat ?? "",
    geometry: place.geometry ?? "",
    delimiter: spec.delimiter ?? "",
    crs: place.crs ?? spec.crs ?? "",
    none: place.none ?? false,
    time: spec.time?.column ?? "",
    key: spec.keys?.[0] ?? "",
    name: spec.name ?? "",
    madeOf: spec.made_of ?? [],
  });
  const [events, setEvents] = useState<string | null>(seen.file.job?.events ?? null);
  const [error, setError] = useState<unknown>(null);
  const [newLayout, setNewLayout] = useState(false);
  const set = (more: Partial<typeof draft>) => setDraft((now) => ({ ...now, ...more }));
  const columns = seen.columns.map((column) => column.name);
  /** What stands for an empty choice: that it is detected, and as what where that is certain. */
  const detected = (about: string) => {
    const found = seen.evidence.filter((one) => one.about === about && (one.figures as { sure?: boolean } | undefined)?.sure !== false);
    const what = found.length === 1 && !seen.problem ? String(found[0]!.verdict) : "";
    return what && what !== "undeclared" ? t("intake.detectedAs", { what }) : t("intake.detected");
  };

  const said = useMemo(() => changesOf(draft, spec), [draft, spec]);
  const [looked, setLooked] = useState(() => JSON.stringify(said));
  const noRows = seen.rows.length === 0;
  const stands = noRows || (seen.problem !== null && JSON.stringify(said) === looked);
  const look = (event: FormEvent) => {
    event.preventDefault();
    setLooked(JSON.stringify(said));
    change({ ...changes, ...said });
  };
  const load = async () => {
    setError(null);
    try {
      const job = await askJson<{ events: string }>(`/api/intake/files/${seen.file.id}/load`, {
        method: "POST",
        body: { changes: { ...changes, ...said }, new_layout: newLayout },
      });
      setEvents(job.events);
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <form className="card stack corrections" onSubmit={look} aria-busy={looking}>
      <h2>{t("intake.how")}</h2>
      <div className="fields">
        <Input label={t("intake.id")} value={draft.id} pattern="[a-z][a-z0-9_]*" required maxLength={60} hint={t("intake.idHint")} onChange={(e) => set({ id: e.target.value })} />
        <Input label={t("intake.titleOf")} value={draft.title} required maxLength={200} onChange={(e) => set({ title: e.target.value })} />
        <Input label={t("intake.owner")} value={draft.owner} maxLength={200} list="known-owners" onChange={(e) => set({ owner: e.target.value })} />
        <Owners />
        {seen.layers.length > 1 && (
          <Select label={t("intake.layer")} value={draft.layer} options={seen.layers} set={(layer) => set({ layer })} />
        )}
        {seen.form === "csv" && (
          <Input label={t("intake.encoding")} value={draft.encoding} placeholder={t("intake.detected")} onChange={(e) => set({ encoding: e.target.value })} />
        )}
        {seen.form === "csv" && (
          <label className="input">
            {t("intake.delimiter")}
            <select className="choice" value={draft.delimiter} onChange={(e) => set({ delimiter: e.target.value })}>
              <option value="">{t("intake.detected")}</option>
              {DELIMITERS.map(([mark, name]) => (
                <option key={name} value={mark}>
                  {t(`intake.delimiters.${name}`)}
                </option>
              ))}
            </select>
          </label>
        )}
        {["csv", "xlsx"].includes(seen.form) && (
          <Input label={t("intake.header")} type="number" min={0} hint={t("intake.headerHint")} value={draft.header} placeholder={t("intake.detected")} onChange={(e) => set({ header: e.target.value })} />
        )}
        <Select label={t("intake.lon")} value={draft.lon} options={columns} empty={t("intake.detected")} set={(lon) => set({ lon, geometry: "", none: false })} />
        <Select label={t("intake.lat")} value={draft.lat} options={columns} empty={t("intake.detected")} set={(lat) => set({ lat, geometry: "", none: false })} />
        <Select label={t("intake.geometry")} value={draft.geometry} options={columns} empty={t("intake.detected")} set={(geometry) => set({ geometry, ...(geometry ? { lon: "", lat: "", none: false } : {}) })} />
        <Select label={t("intake.crs")} value={draft.crs} options={["WGS84", "GCJ-02", "BD-09", "EPSG:4490"]} empty={detected("crs")} set={(crs) => set({ crs })} />
        <Select label={t("intake.time")} value={draft.time} options={columns} empty={detected("time")} set={(time) => set({ time })} />
        <Select label={t("data.key")} value={draft.key} options={columns} empty="–" set={(key) => set({ key })} />
        <Select label={t("intake.name")} value={draft.name} options={columns} empty="–" set={(name) => set({ name })} />
      </div>
      <MadeOf chosen={draft.madeOf} itself={draft.id} choose={(madeOf) => set({ madeOf })} />
      <label className="check">
        <input type="checkbox" checked={draft.none} onChange={(e) => set({ none: e.target.checked })} /> {t("intake.noPlace")}
      </label>
      {seen.known.match === "changed" && (
        <label className="check">
          <input type="checkbox" checked={newLayout} onChange={(e) => setNewLayout(e.target.checked)} /> {t("intake.takeNew")}
        </label>
      )}
      <div className="form-actions">
        <button type="submit" className="button" disabled={looking || events !== null}>
          {t("intake.look")}
        </button>
        <button
          type="button"
          className="button primary"
          disabled={looking || events !== null || stands || (seen.known.match === "changed" && !newLayout)}
          onClick={load}
        >
          {t("intake.load")}
        </button>
      </div>
      {stands && !looking && <p className="small quiet">{t(noRows ? "intake.noRows" : "intake.notYet")}</p>}
      {error !== null && <Failure error={error} compact />}
      {events && <Following address={events} dataset={draft.id} again={() => setEvents(null)} link />}
    </form>
  );
}

/** The departments that own datasets already, offered while one types. */
function Owners() {
  const owners = new Set((useDatasets().data ?? []).map((one) => one.owner).filter(Boolean));
  return (
    <datalist id="known-owners">
      {[...owners].map((owner) => (
        <option key={owner} value={owner} />
      ))}
    </datalist>
  );
}

function changesOf(
  draft: { id: string; title: string; owner: string; layer: string; encoding: string; delimiter: string; header: string; lon: string; lat: string; geometry: string; crs: string; none: boolean; time: string; key: string; name: string; madeOf: string[] },
  spec: Spec,
): Changes {
  const place: Place | null = draft.none
    ? { none: true }
    : draft.lon && draft.lat
      ? { lon: draft.lon, lat: draft.lat, ...(draft.crs ? { crs: draft.crs } : {}) }
      : draft.geometry
        ? { ...(spec.place?.geometry === draft.geometry ? spec.place : { geometry: draft.geometry }), ...(draft.crs ? { crs: draft.crs } : {}) }
      : spec.place && !spec.place.none && !spec.place.lon && !spec.place.geometry
        ? { ...spec.place, ...(draft.crs ? { crs: draft.crs } : {}) }
        : null;
  return {
    id: draft.id,
    title: { ...spec.title, zh: draft.title },
    owner: draft.owner || null,
    layer: draft.layer || null,
    encoding: draft.encoding || null,
    delimiter: draft.delimiter || null,
    header_row: draft.header ? Number(draft.header) : null,
    place,
    crs: !place && draft.crs ? draft.crs : null,
    time: draft.time ? { column: draft.time } : null,
    keys: draft.key ? [draft.key] : null,
    name: draft.name || null,
    made_of: draft.madeOf.length ? draft.madeOf : null,
  };
}

function Where({ points }: { points: [number, number][] }): ReactNode {
  const { t } = useTranslation();
  const city = useCity().data;
  const ground = useGround();
  return (
    <div className="card candidates-map">
      <BaseMap label={t("intake.where")} ground={ground} bounds={city?.bounds ?? [73, 18, 135, 54]} padding={24}>
        <Points points={points} />
      </BaseMap>
    </div>
  );
}

function Points({ points }: { points: [number, number][] }) {
  const map = useMap();
  const look = useLook();
  const data = useMemo<FeatureCollection>(
    () => ({
      type: "FeatureCollection",
      features: points.length ? [{ type: "Feature", properties: {}, geometry: { type: "MultiPoint", coordinates: points } }] : [],
    }),
    [points],
  );
  const layers = useMemo<DrawnLayer[]>(
    () => [
      {
        id: "handed-in",
        type: "circle",
        paint: {
          "circle-radius": ["interpolate", ["linear"], ["zoom"], 9, 2.5, 14, 5],
          "circle-color": css(hue(look, 0)),
          "circle-opacity": 0.8,
        },
      },
    ],
    [look],
  );
  useEffect(() => {
    if (!points.length) return;
    const xs = points.map(([x]) => x);
    const ys = points.map(([, y]) => y);
    map.fitBounds([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)], { padding: 40, maxZoom: 15, duration: 0 });
  }, [map, points]);
  return <GeoJsonLayer id="handed-in" data={data} layers={layers} before={BELOW_LABELS} />;
}

/** What was detected that loses something of the file: cells that are read as empty although something stands in them. */
const LOSSES = new Set(["cell-errors", "formulas"]);

function Findings({ seen }: { seen: Examined }) {
  const { t } = useTranslation();
  const faults = Object.entries(seen.faults);
  const lost = seen.evidence.filter((one) => LOSSES.has(String(one.about)));
  if (faults.length === 0 && seen.rules.length === 0 && lost.length === 0) return null;
  return (
    <section className="stack">
      <h2>{t("intake.firstFindings", { count: seen.looked_at })}</h2>
      <ul className="findings">
        {lost.map((one) => (
          <li key={String(one.about)} className="card">
            <TriangleAlert aria-hidden />
            <div>
              <p>{say(one.reason as Text)}</p>
            </div>
          </li>
        ))}
        {seen.rules.map((rule) => (
          <li key={rule.id} className="card">
            <TriangleAlert aria-hidden />
            <div>
              <p>{say(rule.text)}</p>
              {rule.examples.length > 0 && (
                <p className="small quiet">
                  {t("data.exampleRows")} {rule.examples.slice(0, 8).join(" ")}
                </p>
              )}
            </div>
            {rule.rows !== null && <span className="badge warn numbers">{t("data.rowsCount", { count: rule.rows })}</span>}
          </li>
        ))}
        {faults.map(([rule, rows]) => {
          const example = seen.examples.find((one) => one.rule === rule);
          return (
            <li key={rule} className="card">
              <TriangleAlert aria-hidden />
              <div>
                <p>{t(`data.ruleNames.${rule}`, { defaultValue: rule })}</p>
                {example && (
                  <p className="small quiet">
                    {t("intake.row", { row: example.row })} {say(example.reason)}
                  </p>
                )}
              </div>
              <span className="badge bad numbers">{t("data.rowsCount", { count: rows })}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function FirstRows({ seen }: { seen: Examined }) {
  const { t } = useTranslation();
  return (
    <Table label={t("intake.firstRows")}>
      <thead>
        <tr>
          {seen.columns.map((column) => (
            <th key={column.name} scope="col">
              <span lang={langOf(column.name)}>{column.name}</span> <span className="quiet">{typeOf(column.type, t)}</span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {seen.rows.map((row, number) => (
          // biome-ignore lint: rows of a sample have no name of their own
          <tr key={number}>
            {row.map((value, at) => (
              // biome-ignore lint: nor have their cells
              <td key={at} className="clip" lang={langOf(value)}>
                {value}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </Table>
  );
}
