/** A call that is under way: what the caller says, what may answer it, or the case that is made of it. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson, Problem } from "../api/client";
import { AnswerPicker, joined } from "../cases/Answers";
import { TypePicker } from "../cases/pickers";
import { type Place } from "../cases/PlacePicker";
import { type CaseType, useTypes } from "../cases/questions";
import { Dialog } from "../design/Dialog";
import { Fault, Form, Input } from "../design/Form";
import { decimal, metres, say, type Text } from "../words";
import { CallRow } from "./CallRow";
import { type Chosen, Knowledge } from "./Knowledge";
import { PlaceField } from "./PlaceField";
import { type Call, clockOf, type Limit, useSettings, useSettled } from "./questions";

type Around = {
  types: { kind: "component" | "matter"; code: string; name: Text; why: Text }[];
  near: { number: string; title: Text; type: Text; metres: number; words: string; why: Text }[];
};

export function CallForm({ call, finished }: { call: Call; finished: (after: Call) => void }) {
  const { t } = useTranslation();
  const content = useSettings().data?.content;
  const types = useTypes().data;
  const [said, setSaid] = useState("");
  const [kind, setKind] = useState("ask");
  const [urgency, setUrgency] = useState("ordinary");
  const [answer, setAnswer] = useState("");
  const [place, setPlace] = useState<Place | null>(null);
  const [type, setType] = useState<CaseType | null>(null);
  const [join, setJoin] = useState("");
  const [sms, setSms] = useState(false);
  const [chosen, setChosen] = useState<Chosen[]>([]);
  const [dismissing, setDismissing] = useState(false);
  const words = useRef<HTMLTextAreaElement>(null);
  const asked = useSettled(said.trim().slice(0, 400));
  const kinds = content?.kinds ?? [];
  const kindNow = kinds.some((one) => one.key === kind) ? kind : (kinds[0]?.key ?? "");
  const urgencies = content?.urgencies ?? [];
  const urgencyNow = urgencies.some((one) => one.key === urgency) ? urgency : (urgencies[0]?.key ?? "");
  const channels = useQuery({
    queryKey: ["public-city-channels"],
    queryFn: ({ signal }) => askJson<{ channels: string[] }>("/api/public/city", { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  }).data?.channels;
  const around = useQuery({
    queryKey: ["hotline", "around", asked, place, type?.kind, type?.code],
    queryFn: ({ signal }) =>
      askJson<Around>("/api/hotline/around", {
        query: { words: asked, lon: place?.[0], lat: place?.[1], kind: type?.kind, type: type?.code },
        signal,
      }),
    enabled: asked !== "" || place !== null,
    placeholderData: (before) => before,
  });
  const demand = {
    seen: call.step,
    kind: kindNow,
    urgency: urgencyNow,
    words: said,
    ...(place ? { lon: place[0], lat: place[1] } : {}),
    articles: chosen.map((one) => ({ article: one.id, helped: one.helped })),
  };
  const send = useMutation({
    mutationFn: (what: "answer" | "case") =>
      askJson<Call>(`/api/hotline/calls/${call.number}/${what}`, {
        method: "POST",
        body:
          what === "answer"
            ? { ...demand, answer }
            : { ...demand, case_kind: type!.kind, type: type!.code, join, wishes: sms ? ["done"] : [] },
      }),
    onSuccess: finished,
  });
  const proposed = around.data?.types ?? [];
  const near = place ? (around.data?.near ?? []) : [];
  const pickType = (one: Around["types"][number] | undefined) =>
    one && setType(types?.find((each) => each.kind === one.kind && each.code === one.code) ?? null);
  const ready = said.trim() !== "" && !send.isPending;
  const run = (what: "answer" | "case") => {
    if (ready && (what === "answer" || type)) send.mutate(what);
  };
  const use = (one: { id: number; title: string; body: string }) => {
    if (!chosen.some((each) => each.id === one.id)) setChosen([...chosen, { id: one.id, title: one.title, helped: null }]);
    setAnswer((before) => (before.includes(one.body) ? before : [before, one.body].filter(Boolean).join("\n")));
  };

  useEffect(() => words.current?.focus(), []);
  useEffect(() => {
    if (!near.some((one) => one.number === join)) setJoin("");
  }, [near, join]);
  const keys = useRef<(event: KeyboardEvent) => void>(() => undefined);
  keys.current = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run(event.shiftKey ? "case" : "answer");
    } else if (event.altKey && event.code === "KeyP") {
      event.preventDefault();
      document.getElementById("hotline-place")?.focus();
    } else if (event.altKey && event.code === "KeyW") {
      event.preventDefault();
      words.current?.focus();
    } else if (event.altKey && event.shiftKey && /^Digit[1-9]$/.test(event.code)) {
      event.preventDefault();
      pickType(proposed[Number(event.code.slice(5)) - 1]);
    }
  };
  useEffect(() => {
    const press = (event: KeyboardEvent) => keys.current(event);
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);

  const clock = content && clockOf(content, kindNow, urgencyNow);
  return (
    <div className="hotline-desk">
      <section className="card part" aria-label={t("hotline.desk.caller")}>
        <h2>
          <span className="numbers">{call.caller ?? t("hotline.desk.hidden")}</span>
          <span className="badge">{t("hotline.desk.call", { number: call.number })}</span>
        </h2>
        <h3>{t("hotline.desk.earlier")}</h3>
        {call.earlier.length === 0 && <p className="small quiet">{t("hotline.desk.first")}</p>}
        <ul className="rows">
          {call.earlier.map((one) => (
            <li key={one.number}>
              <CallRow call={one} link />
            </li>
          ))}
        </ul>
      </section>
      <form
        className="card part"
        onSubmit={(event) => {
          event.preventDefault();
          run("answer");
        }}
      >
        <div className="input">
          <label htmlFor="hotline-said">{t("hotline.desk.said")}</label>
          <textarea ref={words} id="hotline-said" className="area" rows={4} maxLength={4000} value={said} aria-describedby="hotline-said-hint" onChange={(event) => setSaid(event.target.value)} />
          <p id="hotline-said-hint" className="small quiet">{t("hotline.desk.saidHint")}</p>
        </div>
        <fieldset className="radios hotline-kinds">
          <legend>{t("hotline.desk.kind")}</legend>
          {kinds.map((one) => (
            <label key={one.key} className="radio">
              <input type="radio" name="demand-kind" checked={kindNow === one.key} onChange={() => setKind(one.key)} />
              <span>{say(one)}</span>
            </label>
          ))}
        </fieldset>
        <label className="input">
          <span className="small">{t("hotline.desk.urgency")}</span>
          <select className="choice" value={urgencyNow} onChange={(event) => setUrgency(event.target.value)}>
            {urgencies.map((one) => (
              <option key={one.key} value={one.key}>
                {say(one)}
              </option>
            ))}
          </select>
          {clock && (
            <span className="small quiet">
              {t("hotline.desk.limits", { dispatch: limitWords(clock.dispatch, t), reply: limitWords(clock.reply, t) })}
            </span>
          )}
        </label>
        <PlaceField place={place} pick={setPlace} />
        {around.error instanceof Problem && around.error.code === "case-elsewhere" && <Fault error={around.error} />}
        {proposed.length > 0 && (
          <div>
            <p className="small">{t("hotline.desk.proposed")}</p>
            <div className="chips" role="group" aria-label={t("hotline.desk.proposed")}>
              {proposed.map((one, index) => (
                <button key={`${one.kind}${one.code}`} type="button" className="chip" title={say(one.why)} aria-pressed={type?.kind === one.kind && type.code === one.code} onClick={() => pickType(one)}>
                  <kbd>{index + 1}</kbd> {say(one.name)}
                </button>
              ))}
            </div>
          </div>
        )}
        <TypePicker label={t("hotline.desk.type")} value={type} pick={setType} />
        {near.length > 0 && (
          <fieldset className="radios">
            <legend>{t("hotline.desk.near")}</legend>
            {near.map((one) => (
              <label key={one.number} className="radio">
                <input type="radio" name="join" checked={join === one.number} onChange={() => setJoin(one.number)} />
                <span>
                  {`${say(one.type)} · ${say(one.title)} · ${metres(one.metres)}`}
                  <span className="small quiet block">{one.words || say(one.why)}</span>
                </span>
              </label>
            ))}
            <label className="radio">
              <input type="radio" name="join" checked={join === ""} onChange={() => setJoin("")} />
              <span>{t("hotline.desk.notNear")}</span>
            </label>
          </fieldset>
        )}
        <div className="input">
          <label htmlFor="hotline-answer">{t("hotline.desk.answer")}</label>
          <textarea id="hotline-answer" className="area" rows={3} maxLength={4000} value={answer} placeholder={t("hotline.desk.answerHint")} onChange={(event) => setAnswer(event.target.value)} />
        </div>
        <AnswerPicker place="hotline_answer" add={(words) => setAnswer(joined(answer, words))} />
        {call.caller && channels?.includes("sms") && (
          <label className="radio">
            <input type="checkbox" checked={sms} onChange={(event) => setSms(event.target.checked)} />
            <span>{t("hotline.desk.sms")}</span>
          </label>
        )}
        <Fault error={send.error} />
        {said.trim() === "" ? <p className="small quiet">{t("hotline.desk.needWords")}</p> : !type && <p className="small quiet">{t("hotline.desk.needType")}</p>}
        <div className="form-actions">
          <button type="submit" className="button primary" disabled={!ready}>
            {t("hotline.desk.direct")} <kbd>Ctrl ↵</kbd>
          </button>
          <button type="button" className="button primary" disabled={!ready || !type} onClick={() => run("case")}>
            {t("hotline.desk.makeCase")} <kbd>Ctrl ⇧ ↵</kbd>
          </button>
          <button type="button" className="button" onClick={() => setDismissing(true)}>
            {t("hotline.desk.dismiss")}
          </button>
        </div>
      </form>
      <Knowledge asked={asked} chosen={chosen} setChosen={setChosen} use={use} />
      {dismissing && <Dismiss call={call} close={() => setDismissing(false)} finished={finished} />}
    </div>
  );
}

export function limitWords([unit, amount]: Limit, t: (key: string) => string): string {
  return `${decimal(amount, 4)} ${t(`cases.units.${unit}`)}`;
}

function Dismiss({ call, close, finished }: { call: Call; close: () => void; finished: (after: Call) => void }) {
  const { t } = useTranslation();
  const [reason, setReason] = useState(t("hotline.desk.dismissed"));
  return (
    <Dialog title={t("hotline.desk.dismiss")} close={close}>
      <Form send={() => askJson<Call>(`/api/hotline/calls/${call.number}/dismiss`, { method: "POST", body: { seen: call.step, reason } })} done={finished} action={t("hotline.call.send")}>
        <Input label={t("hotline.desk.dismissReason")} value={reason} required maxLength={400} onChange={(event) => setReason(event.target.value)} />
      </Form>
    </Dialog>
  );
}
