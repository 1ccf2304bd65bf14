/** One task on the spot: what it is, and the step that is taken there, with photographs. */
import { ArrowLeft, LoaderCircle } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { Waiting } from "../design/States";
import { useSession } from "../session/questions";
import { metres, say } from "../words";
import { away, type Here } from "./here";
import { newKey, send } from "./outbox";
import { type FieldCase, useFieldCase } from "./questions";
import { Phrases } from "./Phrases";
import { Shots } from "./Shots";
import type { Item, PhotoField, Shot } from "./store";
import { Due, OldAnswer } from "./Tasks";

type Form = {
  /** The field that is chosen, and its values. */
  choice?: { field: string; values: string[] };
  photos: PhotoField[];
  /** Photographs without which the step is not taken. */
  needs?: PhotoField;
  text: "words" | "reason";
  needsText?: boolean;
};

type Said = "sending" | "sent" | "kept" | "refused";

/** The steps that are taken on the spot, the usual one first. */
const FORMS: Record<string, Form> = {
  verify: { choice: { field: "finding", values: ["exist", "not_exist", "unable"] }, photos: ["photos"], text: "words" },
  check: { choice: { field: "verdict", values: ["pass", "not_pass", "unable"] }, photos: ["photos"], text: "words" },
  submit: { photos: ["before", "photos"], needs: "photos", text: "words" },
  finish_part: { photos: ["before", "photos"], text: "words" },
  ask_extension: { photos: ["photos"], text: "reason", needsText: true },
  return_to_department: { photos: [], text: "reason", needsText: true },
};

export function FieldTask({ person, here, items }: { person: string; here: Here | null; items: Item[] }) {
  const { t } = useTranslation();
  const { number = "" } = useParams();
  const found = useFieldCase(person, number);
  return (
    <section className="field-task">
      <Link className="button field-back" to="/field">
        <ArrowLeft aria-hidden />
        {t("field.back")}
      </Link>
      <Waiting of={found} lines={6} stale />
      {found.data && (
        <>
          {found.data.away && <OldAnswer at={found.data.at} />}
          <Facts one={found.data.answer} here={here} />
          <OnTheSpot key={found.data.answer.number} one={found.data.answer} person={person} waiting={items.filter((item) => item.number === number)} />
        </>
      )}
    </section>
  );
}

function Facts({ one, here }: { one: FieldCase; here: Here | null }) {
  const { t } = useTranslation();
  const words = [...one.timeline].reverse().find((event) => event.words.description)?.words.description;
  const last = [...one.timeline].reverse().find((event) => event.words.reason ?? event.words.words);
  const clock = one.clocks.find((each) => each.running && each.stage !== "overall");
  const far = away(here, one);
  const digests = one.timeline.flatMap(({ data }) => [data.before, data.photos].flat()).filter((each) => typeof each === "string");
  return (
    <>
      <header>
        <h1>{say(one.type_name)}</h1>
        <p className="field-card-facts">
          <span className="badge accent">{say(one.says)}</span>
          {clock && <Due at={Date.parse(clock.due)} />}
          {far !== null && <span className="badge">{t("field.away", { far: metres(Math.max(1, far)) })}</span>}
        </p>
      </header>
      {words && <p className="field-words">{words}</p>}
      {last && (
        <p className="notice">
          <span>{t("field.lastWords", { words: last.words.reason ?? last.words.words })}</span>
        </p>
      )}
      <dl className="facts">
        <dt>{t("field.number")}</dt>
        <dd className="code">
          <Link to={`/cases/${one.number}`}>{one.number}</Link>
        </dd>
        {one.area && (
          <>
            <dt>{t("field.area")}</dt>
            <dd className="code">{one.area}</dd>
          </>
        )}
        {one.component && (
          <>
            <dt>{t("field.component")}</dt>
            <dd className="code">{one.component}</dd>
          </>
        )}
      </dl>
      {digests.length > 0 && (
        <ul className="field-photos">
          {digests.map((digest, n) => (
            <li key={String(digest)}>
              <a href={`/api/cases/${one.number}/photos/${String(digest)}`} target="_blank" rel="noreferrer">
                <img src={`/api/cases/${one.number}/photos/${String(digest)}?form=small`} alt={t("field.photoOf", { n: n + 1 })} loading="lazy" />
              </a>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function OnTheSpot({ one, person, waiting }: { one: FieldCase; person: string; waiting: Item[] }) {
  const { t } = useTranslation();
  const mine = useMine(one);
  const may = Object.keys(FORMS).filter(
    (action) =>
      one.possible.some((step) => step.action === action && step.may && !step.hindered) && (action !== "finish_part" || mine !== null),
  );
  const [chosen, choose] = useState<string>();
  const [said, setSaid] = useState<Said>();
  const action = chosen && may.includes(chosen) ? chosen : may[0];
  if (said === "sending") {
    return (
      <p className="notice" role="status">
        <LoaderCircle aria-hidden className="spin" />
        {t("field.sending")}
      </p>
    );
  }
  if (waiting.length > 0) {
    return (
      <p className={said === "refused" || waiting.some((item) => item.refusal) ? "notice bad" : "notice warn"} role="status">
        <span>
          {t(waiting.some((item) => item.refusal) ? "field.wasRefused" : "field.wasKept")} <Link to="/field/outbox">{t("field.outbox")}</Link>
        </span>
      </p>
    );
  }
  return (
    <>
      {said === "sent" && (
        <p className="notice good" role="status">
          {t("field.wasSent")}
        </p>
      )}
      {action ? (
        <>
          {may.length > 1 && (
            <div className="segments" role="group" aria-label={t("field.whatToDo")}>
              {may.map((name) => (
                <button key={name} type="button" aria-pressed={name === action} onClick={() => choose(name)}>
                  {say(one.possible.find((step) => step.action === name)?.says)}
                </button>
              ))}
            </div>
          )}
          <StepForm
            key={action}
            one={one}
            action={action}
            person={person}
            fixed={action === "finish_part" && mine ? { department: mine } : {}}
            tell={setSaid}
          />
        </>
      ) : (
        said !== "sent" && <p className="notice">{t("field.nothingToDo")}</p>
      )}
    </>
  );
}

/** The department of one's own whose part of the case is open. */
function useMine(one: FieldCase): string | null {
  const duties = useSession().data?.duties ?? [];
  const open = one.parts.filter((part) => part.state === "open").map((part) => part.department);
  return open.find((department) => duties.some((duty) => duty.department === department)) ?? null;
}

function StepForm({ one, action, person, fixed, tell }: {
  one: FieldCase;
  action: string;
  person: string;
  fixed: Record<string, unknown>;
  tell: (how: Said) => void;
}) {
  const { t } = useTranslation();
  const form = FORMS[action]!;
  const says = say(one.possible.find((step) => step.action === action)?.says);
  const [value, setValue] = useState<string>();
  const [text, setText] = useState("");
  const [shots, setShots] = useState<Shot[]>([]);
  const lacks =
    (form.choice && !value && t("field.lacksChoice")) ||
    (form.needs && !shots.some((shot) => shot.field === form.needs) && t("field.lacksPhoto")) ||
    (form.needsText && !text.trim() && t("field.lacksReason"));
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (lacks) return;
    tell("sending");
    tell(
      await send({
        key: newKey(),
        person,
        at: new Date().toISOString(),
        action,
        number: one.number,
        seen: one.step,
        title: `${says} · ${say(one.type_name)}`,
        fields: {
          ...fixed,
          ...(form.choice ? { [form.choice.field]: value } : {}),
          ...(text.trim() ? { [form.text]: text.trim() } : {}),
        },
        shots,
      }),
    );
  };
  return (
    <form className="field-form" onSubmit={(event) => void submit(event)} aria-label={says}>
      {form.choice && (
        <fieldset className="field-choice">
          <legend>{says}</legend>
          {form.choice.values.map((each) => (
            <label key={each}>
              <input type="radio" name={form.choice!.field} value={each} checked={value === each} onChange={() => setValue(each)} />
              {t(`field.choices.${each}`)}
            </label>
          ))}
        </fieldset>
      )}
      {form.photos.map((field) => (
        <Shots
          key={field}
          field={field}
          label={t(form.photos.length === 1 ? "field.photos" : field === "before" ? "field.before" : "field.after")}
          shots={shots}
          set={setShots}
        />
      ))}
      <label className="field-text">
        {t(form.text === "reason" ? "field.reason" : "field.words")}
        <textarea rows={3} maxLength={4000} value={text} required={form.needsText} onChange={(event) => setText(event.target.value)} />
      </label>
      <Phrases person={person} action={action} text={text} set={setText} />
      <div className="field-send">
        <button type="submit" className="button primary" disabled={!!lacks}>
          {says}
        </button>
        {lacks && <p className="small quiet">{lacks}</p>}
      </div>
    </form>
  );
}
