/** What became of a report, in plain words, and what its reporter may do. */
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { ask, Fault, json, type Report } from "./ask";
import { ContactFields, spoken } from "./ReportPage";
import { Picture } from "../design/photographs";
import { Camera, sendable } from "./Camera";
import { fresh, type Shot, upload } from "./store";
import { say, t, when, type Word } from "./words";

const WRITES: Record<string, string> = { supplement: "words", correct: "description", redact: "description", reopen: "reason" };
const WITH_PHOTOS = ["supplement", "reopen"];
const AGAIN = 30_000;

export function FollowPage({ zone, channels }: { zone: string; channels: string[] }) {
  const secret = location.hash.slice(1);
  const [report, setReport] = useState<Report>();
  const [fault, setFault] = useState<Fault>();
  const [doing, setDoing] = useState("");
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const read = () => void json<Report>("/reports/mine", { secret }).then((told) => (setReport(told), setFault(undefined)), (error: unknown) => error instanceof Fault && setFault(error));
    read();
    const timer = setInterval(() => document.visibilityState === "visible" && read(), AGAIN);
    return () => clearInterval(timer);
  }, [secret]);
  if (!report)
    return fault ? (
      <p className="note bad" role="alert">
        {fault.status ? fault.said : t("unreachable")}
      </p>
    ) : (
      <p role="status">{t("loading")}</p>
    );
  const after = (told: Report) => {
    setReport(told);
    setDoing("");
    heading.current?.focus();
  };
  return (
    <article className="follow">
      <p className="hint">
        {say(report.type)} · {report.number}
        {report.code && ` · ${t("code")} ${spoken(report.code)}`}
      </p>
      <h1 ref={heading} tabIndex={-1} aria-live="polite">
        {say(report.title)}
      </h1>
      <p>{say(report.meaning)}</p>
      {report.disputed > 0 && <p className="note warn">{t("disputed")}</p>}
      {report.main && <p>{t("joined", { number: report.main })}</p>}
      {report.others > 0 && <p>{t("others", { n: report.others })}</p>}
      <dl>
        <dt>{t("office")}</dt>
        <dd>{say(report.office)}</dd>
        {report.due && (
          <>
            <dt>{t("due")}</dt>
            <dd>
              <time dateTime={report.due}>{when(report.due, zone)}</time>
              {report.late && <strong className="late"> {t("late")}</strong>}
            </dd>
          </>
        )}
      </dl>
      {report.rated !== null && <p>{t("rated", { score: t(`score${report.rated}` as Word) })}</p>}
      {report.hidden && <p className="hint">{t("hidden")}</p>}

      <section aria-labelledby="do">
        <h2 id="do">{t("doMore")}</h2>
        <div className="row">
          {report.may
            .filter((one) => !one.hindered && !(one.action === "hide" && report.hidden))
            .map((one) => (
              <button key={one.action} type="button" aria-expanded={doing === one.action} className={one.action === "reopen" ? "strong" : ""} onClick={() => setDoing(doing === one.action ? "" : one.action)}>
                {t(`do_${one.action}` as Word)}
              </button>
            ))}
        </div>
        {doing && <Step key={doing} action={doing} report={report} secret={secret} after={after} cancel={() => setDoing("")} />}
      </section>

      <section aria-labelledby="told">
        <h2 id="told">{t("progress")}</h2>
        <ol className="told">
          {[...report.told].reverse().map((one, n) => (
            <li key={n}>
              <time dateTime={one.at}>{when(one.at, zone)}</time>
              <strong>{say(one.says)}</strong>
              {one.words && <p>{one.words}</p>}
              {one.photos.length > 0 && (
                <ul className="shots">
                  {one.photos.map((digest, m) => (
                    <li key={digest}>
                      <Own secret={secret} digest={digest} alt={t("photoN", { n: m + 1 })} />
                    </li>
                  ))}
                </ul>
              )}
            </li>
          ))}
        </ol>
      </section>
      {channels.length > 0 && <Told channels={channels} report={report} secret={secret} after={setReport} />}
    </article>
  );
}

function Own({ secret, digest, alt }: { secret: string; digest: string; alt: string }) {
  const [picture, setPicture] = useState<Blob>();
  useEffect(() => {
    void ask(`/reports/mine/photos/${digest}`, { secret })
      .then((answer) => answer.blob())
      .then(setPicture, () => undefined);
  }, [secret, digest]);
  return picture ? <Picture blob={picture} alt={alt} /> : <span className="hint">{alt}</span>;
}

function Step({ action, report, secret, after, cancel }: { action: string; report: Report; secret: string; after: (told: Report) => void; cancel: () => void }) {
  const id = useId();
  const field = WRITES[action];
  const [words, setWords] = useState(action === "correct" || action === "redact" ? report.description : "");
  const [score, setScore] = useState(0);
  const [shots, setShots] = useState<Shot[]>([]);
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const take = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    try {
      for (const shot of shots) if (!shot.digest) await upload({ ...fresh(), secret }, shot);
      const fields: Record<string, unknown> = field && words.trim() ? { [field]: words.trim() } : {};
      if (shots.length) fields.photos = shots.map((one) => one.digest);
      if (action === "evaluate") fields.result_score = score;
      after(await json<Report>("/reports/mine/steps", { method: "POST", secret, body: { action, fields } }));
    } catch (error) {
      if (error instanceof Fault) setFault(error.status ? error.said : t("unreachable"));
      setBusy(false);
    }
  };
  return (
    <form className="step" onSubmit={(event) => void take(event)}>
      {field ? (
        <div className="field">
          <label htmlFor={id}>{t(`words_${action}` as Word)}</label>
          <textarea id={id} rows={3} maxLength={4000} required={action !== "supplement"} value={words} onChange={(event) => setWords(event.target.value)} />
        </div>
      ) : action === "evaluate" ? (
        <fieldset>
          <legend>{t("score")}</legend>
          {[5, 4, 3, 2, 1].map((one) => (
            <label key={one} className="check">
              <input type="radio" name="score" required checked={score === one} onChange={() => setScore(one)} />
              <span>{t(`score${one}` as Word)}</span>
            </label>
          ))}
        </fieldset>
      ) : (
        <p>{t(`words_${action}` as Word)}</p>
      )}
      {WITH_PHOTOS.includes(action) && (
        <div className="shots">
          <ul>
            {shots.map((shot, n) => (
              <li key={n}>
                <Picture blob={shot.picture} alt={t("photoN", { n: n + 1 })} />
              </li>
            ))}
          </ul>
          <Camera label={t("photo")} take={(files) => void Promise.all(files.map(sendable)).then((more) => setShots((now) => [...now, ...more.map((picture) => ({ picture }))]))} />
        </div>
      )}
      {fault && (
        <p className="note bad" role="alert">
          {fault}
        </p>
      )}
      <div className="row">
        <button type="submit" className="primary" disabled={busy}>
          {t("confirm")}
        </button>
        <button type="button" onClick={cancel}>
          {t("cancel")}
        </button>
      </div>
    </form>
  );
}

function Told({ channels, report, secret, after }: { channels: string[]; report: Report; secret: string; after: (told: Report) => void }) {
  const [contact, setContact] = useState(report.contact);
  const [said, setSaid] = useState("");
  const save = async (event: FormEvent) => {
    event.preventDefault();
    try {
      after(await json<Report>("/reports/mine/contact", { method: "PUT", secret, body: contact }));
      setSaid(t("contactSaved"));
    } catch (error) {
      if (error instanceof Fault) setSaid(error.status ? error.said : t("unreachable"));
    }
  };
  return (
    <details>
      <summary>{t("wishes")}</summary>
      <form onSubmit={(event) => void save(event)}>
        <ContactFields channels={channels} contact={contact} change={setContact} />
        <button type="submit">{t("save")}</button>
        <p role="status">{said}</p>
      </form>
    </details>
  );
}
