/** What waits to be sent, and what the server refused: in plain words, and nothing of it is lost. */
import { CircleAlert, Clock, RotateCw, Trash2 } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useZone } from "../api/questions";
import { Dialog } from "../design/Dialog";
import { Empty } from "../design/States";
import { instant, say } from "../words";
import { again, discard, flush } from "./outbox";
import { useFieldCase, useLifecycle } from "./questions";
import type { Item, Shot } from "./store";

export function Outbox({ items, person }: { items: Item[]; person: string }) {
  const { t } = useTranslation();
  return (
    <section className="field-outbox" aria-labelledby="field-outbox">
      <header>
        <h1 id="field-outbox">{t("field.outbox")}</h1>
        {items.length > 0 && (
          <button type="button" className="button" onClick={() => void flush(person)}>
            <RotateCw aria-hidden />
            {t("field.sendNow")}
          </button>
        )}
      </header>
      {items.length === 0 ? (
        <Empty title={t("field.allSent")}>{t("field.allSentLead")}</Empty>
      ) : (
        <ol className="field-list">
          {items.map((item) => (
            <li key={item.key} className="field-item">
              <Waiting item={item} person={person} />
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function Waiting({ item, person }: { item: Item; person: string }) {
  const { t } = useTranslation();
  const zone = useZone();
  const [asking, ask] = useState(false);
  const told = Object.values(item.fields).filter((value): value is string => typeof value === "string" && /[^\w.-]/.test(value));
  return (
    <article aria-label={item.title}>
      <p className="field-card-head">
        <b>{item.title}</b>
        {item.refusal ? <CircleAlert aria-hidden className="bad" /> : <Clock aria-hidden />}
      </p>
      <p className="small quiet">
        {instant(item.at, zone, "minute")}
        {item.number && (
          <>
            {" · "}
            <Link to={`/field/case/${item.number}`}>{item.number}</Link>
          </>
        )}
      </p>
      {told.length > 0 && <p>{told.join(" · ")}</p>}
      {item.shots.length > 0 && (
        <ul className="field-photos">
          {item.shots.map((shot, n) => (
            <li key={n}>
              <Small shot={shot} alt={t("field.photoOf", { n: n + 1 })} />
            </li>
          ))}
        </ul>
      )}
      {item.refusal ? <Refused item={item} person={person} zone={zone} /> : <p className="small">{t("field.willBeSent")}</p>}
      <div className="form-actions">
        {item.refusal && <SendAgain item={item} person={person} />}
        <button type="button" className="button danger" onClick={() => ask(true)}>
          <Trash2 aria-hidden />
          {t("field.discard")}
        </button>
      </div>
      {asking && (
        <Dialog title={t("field.discardTitle")} close={() => ask(false)}>
          <p>{t("field.discardLead", { title: item.title })}</p>
          <div className="form-actions">
            <button type="button" className="button danger" onClick={() => void discard(item.key)}>
              {t("field.discard")}
            </button>
            <button type="button" className="button" onClick={() => ask(false)}>
              {t("field.keep")}
            </button>
          </div>
        </Dialog>
      )}
    </article>
  );
}

function Refused({ item, person, zone }: { item: Item; person: string; zone: string }) {
  const { t } = useTranslation();
  const steps = useLifecycle(person).data?.answer.transitions;
  const refusal = item.refusal!;
  return (
    <div className="notice bad" role="alert">
      <CircleAlert aria-hidden />
      <div>
        <p>{refusal.title}</p>
        {refusal.since && refusal.since.length > 0 && (
          <>
            <p>{t("field.meanwhile")}</p>
            <ul>
              {refusal.since.map((one, n) => (
                <li key={n}>
                  {instant(one.at, zone, "minute")} {say(steps?.find((step) => step.action === one.action)?.says) || one.action}
                </li>
              ))}
            </ul>
          </>
        )}
        {refusal.mend && <p>{refusal.mend}</p>}
        <p>{t("field.nothingLost")}</p>
      </div>
    </div>
  );
}

/** Sends it once more, knowing what the case is now; only where the case still waits for this step. */
function SendAgain({ item, person }: { item: Item; person: string }) {
  const { t } = useTranslation();
  if (item.number === undefined) return <Again item={item} label={t("field.sendAgain")} />;
  return <AgainKnowing item={item} number={item.number} person={person} />;
}

function AgainKnowing({ item, number, person }: { item: Item; number: string; person: string }) {
  const { t } = useTranslation();
  const found = useFieldCase(person, number);
  const now = found.data?.answer;
  if (found.error) return <p className="small">{t("field.notYours")}</p>;
  if (!now || found.data?.away) return null;
  const may = now.possible.some((one) => one.action === item.action && one.may);
  if (!may) return <p className="small">{t("field.noLonger", { state: say(now.says) })}</p>;
  return <Again item={item} seen={now.step} label={t("field.sendStill")} />;
}

function Again({ item, seen, label }: { item: Item; seen?: number; label: string }) {
  return (
    <button type="button" className="button primary" onClick={() => void again(item, seen)}>
      <RotateCw aria-hidden />
      {label}
    </button>
  );
}

function Small({ shot, alt }: { shot: Shot; alt: string }) {
  const address = useMemo(() => URL.createObjectURL(shot.picture), [shot.picture]);
  useEffect(() => () => URL.revokeObjectURL(address), [address]);
  return <img src={address} alt={alt} />;
}
