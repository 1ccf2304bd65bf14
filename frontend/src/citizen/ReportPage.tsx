/** Reporting in a minute: a photograph, the place it tells, a type that is proposed, send. */
import { lazy, Suspense, useDeferredValue, useEffect, useId, useRef, useState } from "react";
import { type Around, type City, Fault, json, type Place, query, type Report, type Type } from "./ask";
import { go } from "./main";
import { Picture } from "../design/photographs";
import { Camera, sendable } from "./Camera";
import { type Draft, draft as kept, fresh, send, upload } from "./store";
import { type Word, say, t } from "./words";

const PlaceMap = lazy(() => import("./PlaceMap"));
const WRITING = 400;
const MOST_SHOTS = 6;
const WISHES = ["received", "progress", "done"];

export function ReportPage({ city }: { city: City | undefined }) {
  const [draft, setDraft] = useState<Draft>();
  const [done, setDone] = useState<Report | "kept" | "refused">();
  const [secret, setSecret] = useState("");
  useEffect(() => {
    void kept.read().then((one) => setDraft(one ?? fresh()));
  }, []);
  if (done && done !== "refused") return <Sent report={done} secret={secret} next={() => (setDone(undefined), setDraft(fresh()))} />;
  if (!draft) return <p role="status">{t("loading")}</p>;
  return (
    <Form
      key={draft.secret}
      city={city}
      first={draft}
      sent={(result, one) => {
        setSecret(one.secret);
        if (result === "refused") go("/report/mine");
        else setDone(result);
      }}
    />
  );
}

function Form({ city, first, sent }: { city: City | undefined; first: Draft; sent: (result: Report | "kept" | "refused", draft: Draft) => void }) {
  const [draft, setDraft] = useState(first);
  const [map, setMap] = useState(false);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState("");
  const id = useId();
  const change = (part: Partial<Draft>) => setDraft((now) => ({ ...now, ...part }));
  const touched = useRef(false);

  useEffect(() => {
    if (touched.current) void kept.keep(draft);
    touched.current = true;
  }, [draft]);

  const phone = usePhonePlace();
  const place = draft.place ?? (phone.place ? { ...phone.place, from: "phone" as const } : undefined);
  const { around, elsewhere } = useAround(useDeferredValue(draft.words), place, draft.type);
  const types = typesOf(around, city, draft.type);
  const near = around?.near ?? [];

  const addShots = async (files: File[]) => {
    setTrouble("");
    for (const file of files.slice(0, MOST_SHOTS - draft.shots.length)) {
      const shot = { picture: await sendable(file) as Blob, digest: undefined as string | undefined };
      try {
        const told = await upload({ ...draft, place }, shot);
        if (told && draft.place?.from !== "map") change({ place: { ...told, from: "photo" } });
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        if (!error.passing) {
          setTrouble(`${file.name}: ${error.said}`);
          continue;
        }
      }
      setDraft((now) => ({ ...now, shots: [...now.shots, shot] }));
    }
  };

  const lacks = !place && draft.shots.every((one) => one.digest) ? t("lacksPlace") : !draft.type ? t("lacksType") : elsewhere ? elsewhere : "";
  const submit = async () => {
    if (lacks || busy) {
      document.getElementById(`${id}-lacks`)?.focus();
      return;
    }
    setBusy(true);
    const one = { ...draft, place };
    sent(await send(one), one);
  };

  return (
    <form
      className="report"
      aria-labelledby={`${id}-title`}
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h1 id={`${id}-title`}>{t("report")}</h1>
      <fieldset className="shots">
        <legend>{t("photos")}</legend>
        <ul>
          {draft.shots.map((shot, n) => (
            <li key={n}>
              <Picture blob={shot.picture} alt={t("photoN", { n: n + 1 })} />
              <button type="button" className="drop" aria-label={t("removePhoto", { n: n + 1 })} onClick={() => change({ shots: draft.shots.filter((one) => one !== shot) })}>
                ×
              </button>
            </li>
          ))}
        </ul>
        {draft.shots.length < MOST_SHOTS && <Camera label={t("photo")} take={(files) => void addShots(files)} />}
        <p className="hint">{t("photoHint")}</p>
        {trouble && (
          <p className="note bad" role="alert">
            {trouble}
          </p>
        )}
      </fieldset>

      <fieldset>
        <legend>{t("where")}</legend>
        <p role="status">
          {place
            ? place.from === "photo"
              ? t("fromPhoto")
              : place.from === "map"
                ? t("fromMap")
                : t("fromPhone", { metres: Math.max(1, Math.round(place.accuracy ?? 1)) })
            : phone.state === "asking"
              ? t("locating")
              : t("noPlace")}
        </p>
        {elsewhere && (
          <p className="note bad" role="alert">
            {elsewhere}
          </p>
        )}
        <div className="row">
          {!map && (
            <button type="button" onClick={() => setMap(true)}>
              {t("onMap")}
            </button>
          )}
          {draft.place && phone.place && (
            <button type="button" onClick={() => change({ place: undefined })}>
              {t("hereAgain")}
            </button>
          )}
        </div>
        {map && (
          <Suspense fallback={<p role="status">{t("loading")}</p>}>
            <PlaceMap bounds={city?.bounds ?? null} start={place ?? null} pick={(chosen) => change({ place: { ...chosen, from: "map" } })} />
            <button type="button" onClick={() => setMap(false)}>
              {t("closeMap")}
            </button>
          </Suspense>
        )}
      </fieldset>

      <div className="field">
        <label htmlFor={`${id}-words`}>{t("say")}</label>
        <textarea id={`${id}-words`} rows={3} maxLength={city?.longest ?? 4000} value={draft.words} aria-describedby={`${id}-hint`} onChange={(event) => change({ words: event.target.value })} />
        <p className="hint" id={`${id}-hint`}>
          {t("sayHint")}
        </p>
      </div>

      <fieldset className="types">
        <legend>{t("what")}</legend>
        {types.map((one) => (
          <label key={`${one.kind}/${one.code}`}>
            <input
              type="radio"
              name="type"
              checked={draft.type?.kind === one.kind && draft.type.code === one.code}
              onChange={() => change({ type: { kind: one.kind, code: one.code, name: one.name } })}
            />
            <span>
              {say(one.name)}
              {one.why && <small>{say(one.why)}</small>}
            </span>
          </label>
        ))}
        <p className="hint">{t("whatHint")}</p>
      </fieldset>

      {near.length > 0 && (
        <fieldset className="near">
          <legend>{t("near")}</legend>
          {near.map((one) => (
            <label key={one.number}>
              <input type="radio" name="near" checked={draft.join === one.number} onChange={() => change({ join: one.number })} />
              <span>
                {t("nearJoin")}
                <small>
                  {say(one.type)} · {say(one.state)} · {t("metresAway", { metres: Math.round(one.metres) })}
                  {one.words && ` · ${one.words}`}
                </small>
              </span>
            </label>
          ))}
          <label>
            <input type="radio" name="near" checked={draft.join === ""} onChange={() => change({ join: "" })} />
            <span>{t("nearOwn")}</span>
          </label>
        </fieldset>
      )}

      <details>
        <summary>{t("more")}</summary>
        <ContactFields channels={city?.channels ?? []} contact={draft.contact} change={(contact) => change({ contact })} />
        <label className="check">
          <input type="checkbox" checked={draft.hidden} onChange={(event) => change({ hidden: event.target.checked })} />
          <span>
            {t("private")}
            <small>{t("privateHint")}</small>
          </span>
        </label>
      </details>

      <div className="go">
        <p id={`${id}-lacks`} tabIndex={-1} role="status">
          {lacks}
        </p>
        <button type="submit" className="primary" aria-describedby={`${id}-lacks`} aria-disabled={!!lacks || busy}>
          {busy ? t("sending") : t("send")}
        </button>
      </div>
    </form>
  );
}

/** By what one is told, of what the city has; nothing where it has nothing. */
export function ContactFields({ channels, contact, change }: { channels: string[]; contact: Draft["contact"]; change: (contact: Draft["contact"]) => void }) {
  const id = useId();
  if (!channels.includes("email") && !channels.includes("sms")) return null;
  return (
    <>
      <div className="field" hidden={!channels.includes("email")}>
        <label htmlFor={`${id}-email`}>{t("email")}</label>
        <input id={`${id}-email`} type="email" autoComplete="email" maxLength={254} value={contact.email} onChange={(event) => change({ ...contact, email: event.target.value })} />
      </div>
      <div className="field" hidden={!channels.includes("sms")}>
        <label htmlFor={`${id}-sms`}>{t("sms")}</label>
        <input id={`${id}-sms`} type="tel" autoComplete="tel" maxLength={20} value={contact.sms} onChange={(event) => change({ ...contact, sms: event.target.value })} />
      </div>
      <fieldset>
        <legend>{t("wishes")}</legend>
        {WISHES.map((one) => (
          <label key={one} className="check">
            <input
              type="checkbox"
              checked={contact.wishes.includes(one)}
              onChange={(event) => change({ ...contact, wishes: WISHES.filter((wish) => (wish === one ? event.target.checked : contact.wishes.includes(wish))) })}
            />
            <span>{t(`wish_${one}` as Word)}</span>
          </label>
        ))}
      </fieldset>
    </>
  );
}

function Sent({ report, secret, next }: { report: Report | "kept"; secret: string; next: () => void }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section className="sent" aria-live="polite">
      <h1 ref={heading} tabIndex={-1}>
        {t(report === "kept" ? "kept" : "sent")}
      </h1>
      {report !== "kept" && (
        <>
          <dl>
            <dt>{t("number")}</dt>
            <dd>{report.number}</dd>
            <dt>{t("code")}</dt>
            <dd className="secret">{spoken(report.code)}</dd>
          </dl>
          <p className="hint">{t("codeHint")}</p>
        </>
      )}
      <div className="row">
        {report !== "kept" && (
          <button type="button" className="primary" onClick={() => go(`/report/follow#${secret}`)}>
            {t("follow")}
          </button>
        )}
        <button type="button" onClick={next}>
          {t("next")}
        </button>
      </div>
    </section>
  );
}

/** A code in two groups, as it is said on the telephone. */
export const spoken = (code: string | null) => (code ? `${code.slice(0, 5)}-${code.slice(5)}` : "");

function typesOf(around: Around | undefined, city: City | undefined, chosen: Draft["type"]): Type[] {
  const proposed = around?.types ?? [];
  const offered = city?.types ?? [];
  const all = [...proposed, ...offered.filter((one) => !proposed.some((other) => other.kind === one.kind && other.code === one.code))].slice(0, 8);
  if (!chosen || all.some((one) => one.kind === chosen.kind && one.code === chosen.code)) return all;
  return [{ kind: chosen.kind as Type["kind"], code: chosen.code, name: chosen.name, major: { zh: "", en: "" }, why: null }, ...all];
}

/** What a report may be of and what was reported nearby, asked a moment after the last stroke. */
function useAround(words: string, place: Place | undefined, type: Draft["type"]): { around?: Around; elsewhere: string } {
  const [around, setAround] = useState<Around>();
  const [elsewhere, setElsewhere] = useState("");
  const lon = place?.lon.toFixed(6);
  const lat = place?.lat.toFixed(6);
  useEffect(() => {
    if (!words.trim() && lon === undefined) return;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      json<Around>(`/around${query({ words: words.slice(0, 400), lon, lat, kind: type?.kind, type: type?.code })}`, { signal: stop.signal }).then(
        (told) => {
          setAround(told);
          setElsewhere("");
        },
        (error: unknown) => error instanceof Fault && error.code === "case-elsewhere" && setElsewhere(error.said),
      );
    }, WRITING);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [words, lon, lat, type?.kind, type?.code]);
  return { around, elsewhere };
}

function usePhonePlace(): { place?: Place & { accuracy: number }; state: "asking" | "known" | "none" } {
  const [told, setTold] = useState<ReturnType<typeof usePhonePlace>>({ state: "geolocation" in navigator ? "asking" : "none" });
  useEffect(() => {
    if (!("geolocation" in navigator)) return;
    const watching = navigator.geolocation.watchPosition(
      ({ coords }) => setTold({ state: "known", place: { lon: coords.longitude, lat: coords.latitude, accuracy: coords.accuracy } }),
      () => setTold((now) => (now.place ? now : { state: "none" })),
      { enableHighAccuracy: true, maximumAge: 30_000, timeout: 20_000 },
    );
    return () => navigator.geolocation.clearWatch(watching);
  }, []);
  return told;
}
