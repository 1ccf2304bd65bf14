/** A report from where one stands: place from the telephone, the nearest component, and what is reported there already. */
import { LoaderCircle, LocateFixed, MapPin, Search, X } from "lucide-react";
import { type FormEvent, useDeferredValue, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useCity } from "../api/questions";
import { decimal, metres, say } from "../words";
import { PlaceMap } from "./FieldMap";
import { WhereAmI } from "./FieldPage";
import type { Position } from "./here";
import { newKey, send } from "./outbox";
import { type CaseType, useAround, useLifecycle, useTypes } from "./questions";
import { Phrases } from "./Phrases";
import { Shots } from "./Shots";
import type { Shot } from "./store";

const SHOWN = 8;
/** `accuracy` in metres, of the telephone; none where the place was set on the map. */
type Place = { lon: number; lat: number; accuracy?: number };

export function Report({ person, position }: { person: string; position: Position }) {
  const { t } = useTranslation();
  const types = useTypes(person).data?.answer ?? [];
  const [type, setType] = useState<CaseType>();
  const [component, setComponent] = useState<string>();
  const [words, setWords] = useState("");
  const [shots, setShots] = useState<Shot[]>([]);
  const [handled, setHandled] = useState(false);
  /** Held once one begins to write, so that walking on does not move the report. */
  const [held, setHeld] = useState<Place>();
  const [moving, setMoving] = useState(false);
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState<"sent" | "kept" | "refused">();
  const place = held ?? position.here;
  const hold = () => setHeld((now) => now ?? position.here ?? undefined);
  const bounds = useCity().data?.bounds;
  const start: [number, number] | undefined = place
    ? [place.lon, place.lat]
    : bounds
      ? [(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2]
      : undefined;
  const found = useAround(place, type?.kind ?? "", type?.code ?? "", useDeferredValue(words));
  const around = found.data;

  const lacks =
    (!place && t("field.lacksPlace")) ||
    (!type && t("field.lacksType")) ||
    (handled && !shots.some((one) => one.field === "photos") && t("field.lacksPhoto"));

  const choose = (one: CaseType | undefined) => {
    hold();
    setType(one);
    if (one?.kind !== "component") setComponent(undefined);
  };
  const stands = (code: string, kind: string) => {
    hold();
    setComponent(code);
    const its = types.find((one) => one.kind === "component" && one.code === kind);
    if (its) setType(its);
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || lacks || !type || !place) return;
    setBusy(true);
    const how = await send({
      key: newKey(),
      person,
      at: new Date().toISOString(),
      action: "report",
      title: `${t("field.report")} · ${say(type.name)}`,
      fields: {
        kind: type.kind,
        type: type.code,
        source: "collector",
        description: words.trim(),
        lon: place.lon,
        lat: place.lat,
        handled,
        ...(component ? { component } : {}),
      },
      shots: handled ? shots : shots.filter((one) => one.field === "photos"),
    });
    setSaid(how);
    setBusy(false);
    setType(undefined);
    setComponent(undefined);
    setWords("");
    setShots([]);
    setHandled(false);
    setHeld(undefined);
    setMoving(false);
  };

  return (
    <form className="field-form" onSubmit={(event) => void submit(event)} aria-labelledby="field-report">
      <h1 id="field-report">{t("field.report")}</h1>
      {said && (
        <p className={said === "sent" ? "notice good" : said === "kept" ? "notice warn" : "notice bad"} role="status">
          <span>
            {t(said === "sent" ? "field.wasSent" : said === "kept" ? "field.wasKept" : "field.wasRefused")}{" "}
            {said !== "sent" && <Link to="/field/outbox">{t("field.outbox")}</Link>}
          </span>
        </p>
      )}
      <div className="field-place">
        <LocateFixed aria-hidden />
        {place ? (
          <p>
            <span className="code">
              {place.lon.toFixed(6)}, {place.lat.toFixed(6)}
            </span>
            <span className="small quiet">
              {place.accuracy === undefined ? t("field.onMap") : t("field.accuracy", { metres: metres(Math.max(1, place.accuracy)) })}
              {around?.area && ` · ${around.area}`}
            </span>
            {around?.rule && <span className="small">{say(around.rule)}</span>}
          </p>
        ) : (
          <p>{position.state === "asking" ? t("field.locating") : t("field.noPosition")}</p>
        )}
        {held && position.here && (
          <button
            type="button"
            className="button"
            onClick={() => {
              setHeld(position.here ?? undefined);
              setMoving(false);
            }}
          >
            {t("field.again")}
          </button>
        )}
        {start && !moving && (
          <button type="button" className="button" onClick={() => setMoving(true)}>
            <MapPin aria-hidden />
            {t("field.move")}
          </button>
        )}
      </div>
      {moving && start && (
        <div>
          <p className="small quiet">{t("field.moveLead")}</p>
          <PlaceMap label={t("field.placeMap")} start={start} moved={([lon, lat]) => setHeld({ lon, lat })} />
        </div>
      )}
      {!place && <WhereAmI position={position} />}
      <TypeField types={types} value={type} set={choose} />
      {around && around.components.length > 0 && (
        <fieldset className="field-choice">
          <legend>{t("field.nearComponents")}</legend>
          {around.components.map((one) => (
            <label key={one.code}>
              <input type="radio" name="component" checked={component === one.code} onChange={() => stands(one.code, one.type)} />
              <span>
                {one.name || one.code}
                <span className="small quiet">
                  {metres(Math.max(1, one.metres))} · <span className="code">{one.code}</span>
                </span>
              </span>
            </label>
          ))}
          {component && (
            <button type="button" className="link-button" onClick={() => setComponent(undefined)}>
              {t("field.noComponent")}
            </button>
          )}
        </fieldset>
      )}
      {around && around.cases.length > 0 && <Alike person={person} cases={around.cases} />}
      <label className="field-text">
        {t("field.description")}
        <textarea
          rows={3}
          maxLength={4000}
          value={words}
          onChange={(event) => {
            hold();
            setWords(event.target.value);
          }}
        />
      </label>
      <Phrases
        person={person}
        action={handled ? "self_handle" : "report"}
        text={words}
        set={(text) => {
          hold();
          setWords(text);
        }}
      />
      {handled && <Shots field="before" label={t("field.before")} shots={shots} set={setShots} />}
      <Shots field="photos" label={t(handled ? "field.after" : "field.photos")} shots={shots} set={setShots} />
      <label className="field-check">
        <input type="checkbox" checked={handled} onChange={(event) => setHandled(event.target.checked)} />
        <span>
          {t("field.handled")}
          <span className="small quiet">{t("field.handledLead")}</span>
        </span>
      </label>
      <div className="field-send">
        <button type="submit" className="button primary" disabled={busy || !!lacks}>
          {busy && <LoaderCircle aria-hidden className="spin" />}
          {t(handled ? "field.sendHandled" : "field.send")}
        </button>
        {lacks && <p className="small quiet">{lacks}</p>}
      </div>
    </form>
  );
}

function Alike({ person, cases }: { person: string; cases: { number: string; state: string; metres: number }[] }) {
  const { t } = useTranslation();
  const states = useLifecycle(person).data?.answer.states;
  return (
    <section className="notice warn field-alike" aria-labelledby="field-alike">
      <div>
        <h2 id="field-alike">{t("field.alike")}</h2>
        <ul>
          {cases.map((one) => (
            <li key={one.number}>
              <Link to={`/field/case/${one.number}`}>{one.number}</Link>{" "}
              {say(states?.find((state) => state.key === one.state)?.says)} · {decimal(one.metres)} {t("map.metres")}
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}

/** What it is about: one of some four hundred types, found by a part of its name. */
function TypeField({ types, value, set }: { types: CaseType[]; value: CaseType | undefined; set: (type: CaseType | undefined) => void }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const wanted = useDeferredValue(typed.trim().toLowerCase());
  const found = useMemo(
    () =>
      wanted
        ? types
            .filter((one) => `${one.name.zh} ${one.name.en} ${one.code}`.toLowerCase().includes(wanted))
            .slice(0, SHOWN)
        : [],
    [types, wanted],
  );
  if (value) {
    return (
      <div className="field-type">
        <span className="small quiet">{t("field.type")}</span>
        <b>{say(value.name)}</b>
        <span className="small quiet">{say(value.major)}</span>
        <button type="button" className="icon-button" aria-label={t("field.otherType")} onClick={() => set(undefined)}>
          <X aria-hidden />
        </button>
      </div>
    );
  }
  return (
    <div className="field-types">
      <label htmlFor="field-type">{t("field.type")}</label>
      <div className="field">
        <Search aria-hidden />
        <input id="field-type" value={typed} maxLength={60} autoComplete="off" placeholder={t("field.typeHint")} onChange={(event) => setTyped(event.target.value)} />
      </div>
      <ul aria-label={t("field.typesFound")}>
        {found.map((one) => (
          <li key={`${one.kind} ${one.code}`}>
            <button
              type="button"
              onClick={() => {
                set(one);
                setTyped("");
              }}
            >
              <b>{say(one.name)}</b>
              <span className="small quiet">{say(one.major)}</span>
            </button>
          </li>
        ))}
      </ul>
      {wanted && found.length === 0 && <p className="small quiet">{t("field.noType")}</p>}
    </div>
  );
}
