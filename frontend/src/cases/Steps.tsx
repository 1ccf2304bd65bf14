/** What this reader may do with a case now, each a form; what others may; and what changed meanwhile. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CircleAlert, LoaderCircle } from "lucide-react";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { Problem } from "../api/client";
import { Fault } from "../design/Form";
import { list, say } from "../words";
import { type CaseDetail, type CaseNames, type Happening, type Proposals, type Step, takeStep, useLifecycle, useTitles } from "./questions";
import { photosOf } from "./Photos";
import { type Draft, fieldsOf, PARTS, StepFields } from "./StepForm";
import { whoOf } from "./Timeline";

const GRAVE = ["reject", "cancel", "force_close", "withdraw"];

export function Steps({ one, names, proposals, wanted }: {
  one: CaseDetail;
  names: CaseNames;
  proposals?: Proposals;
  wanted: string | null;
}) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [parameters, setParameters] = useSearchParams();
  const table = useLifecycle().data;
  const [draft, setDraft] = useState<Draft>({});
  const [seen, setSeen] = useState(one.step);
  const [done, setDone] = useState("");
  const set = (name: string, value: unknown) => setDraft((before) => ({ ...before, [name]: value }));
  const open = wanted;
  const step = one.possible.find((mine) => mine.action === open);
  const choose = (action: string | null) =>
    setParameters(action ? { step: action } : {}, { replace: true });

  // What another page asks for is filled in: a main case to join.
  const main = parameters.get("main");
  useEffect(() => {
    if (main) setDraft((before) => ({ ...before, main }));
  }, [main]);
  // The proposal that is best stands in the form; any other can be chosen.
  const best = proposals?.departments[0]?.department;
  const only = proposals?.rules.length === 1 ? proposals.rules[0]!.id : undefined;
  useEffect(() => {
    setDraft((before) => ({ ...(only ? { rule: only } : {}), ...(best && ["dispatch", "redispatch"].includes(open ?? "") ? { department: best } : {}), ...before }));
  }, [best, only, open]);
  // Until something is open, whatever is on the page has been seen.
  useEffect(() => {
    if (!open) setSeen(one.step);
  }, [open, one.step]);

  const send = useMutation({
    mutationFn: () => takeStep(one.number, step!.action, fieldsOf(step!, draft, proposals), seen),
    onSuccess: (after) => {
      setDone(t("cases.step.done", { says: say(step!.says), state: say(after.says) }));
      setDraft({});
      setSeen(after.step);
      client.setQueryData(["cases", "one", one.number], after);
      void client.invalidateQueries({ queryKey: ["cases"] });
      choose(null);
    },
    onError: (error) => {
      if (error instanceof Problem && error.status === 409) void client.invalidateQueries({ queryKey: ["cases", "one", one.number] });
    },
  });
  const changed = open ? one.timeline.filter((happening) => happening.step > seen) : [];
  const goOn = () => {
    setSeen(one.step);
    send.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!send.isPending && step) send.mutate();
  };
  const first = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (step) first.current?.querySelector<HTMLElement>("textarea, input, select, button")?.focus({ preventScroll: false });
  }, [step?.action]);

  const openParts = one.parts.filter((part) => part.state === "open").map((part) => part.department);
  const mine = one.possible.filter((each) => each.may && !each.hindered && (openParts.length > 0 || !PARTS.includes(each.action)));
  const held = one.possible.filter((each) => each.may && each.hindered);
  const theirs = one.possible.filter((each) => !each.may);
  const whose = (each: Step) => list(each.roles.map((role) => say(table?.roles[role]) || t(`roles.${role}`)));
  const titles = { ...useTitles((proposals?.departments ?? []).map((each) => each.department)), ...names.departments };
  const lost = open && !step;
  return (
    <section className="card stack" aria-labelledby="steps">
      <h2 id="steps">{t("cases.step.title")}</h2>
      <p role="status" className="small good-text">
        {done}
      </p>
      {mine.length === 0 && <p className="small quiet">{t("cases.step.none")}</p>}
      <div className="step-buttons">
        {mine.map((each) => (
          <button
            key={each.action}
            type="button"
            className={GRAVE.includes(each.action) ? "button danger" : "button"}
            aria-expanded={open === each.action}
            onClick={() => {
              setDone("");
              send.reset();
              choose(open === each.action ? null : each.action);
            }}
          >
            {say(each.says)}
          </button>
        ))}
      </div>
      {(changed.length > 0 || lost) && (
        <div role="alert" className="notice warn changed">
          <CircleAlert aria-hidden />
          <div>
            <p>
              <b>{changed.length > 0 ? t("cases.step.changed") : t("cases.step.notNow")}</b>
            </p>
            <Changes changed={changed} names={names} />
            {step && !step.hindered && step.may ? (
              <button type="button" className="button" onClick={goOn}>
                {t("cases.step.goOn")}
              </button>
            ) : (
              <>
                <p>
                  {t("cases.step.nowPossible", {
                    steps: list(one.possible.map((each) => t("cases.step.of", { says: say(each.says), who: whose(each) }))),
                  })}
                </p>
                {Object.values(draft).some((value) => typeof value === "string" && value !== "") && <p>{t("cases.step.kept")}</p>}
              </>
            )}
          </div>
        </div>
      )}
      {step && (
        <form ref={first} className="form step-form" onSubmit={submit} aria-label={say(step.says)}>
          {step.needs.length + step.takes.length === 0 && <p className="small">{t("cases.step.sure", { says: say(step.says) })}</p>}
          <StepFields
            step={step}
            about={{
              number: one.number,
              kind: one.kind,
              type: one.type,
              rule: one.rule,
              department: one.department,
              openParts,
              lon: one.lon,
              lat: one.lat,
              photos: [...new Set(one.timeline.flatMap((happening) => photosOf(happening.data)))],
            }}
            proposals={proposals}
            titles={titles}
            draft={draft}
            set={set}
          />
          {!(send.error instanceof Problem && send.error.code === "case-changed") && <Fault error={send.error} />}
          <div className="form-actions">
            <button
              type="submit"
              className={GRAVE.includes(step.action) ? "button danger" : "button primary"}
              disabled={send.isPending || changed.length > 0 || !step.may || !!step.hindered}
            >
              {send.isPending && <LoaderCircle aria-hidden className="spin" />}
              {say(step.says)}
            </button>
            <button type="button" className="button" onClick={() => choose(null)}>
              {t("cases.step.cancel")}
            </button>
          </div>
        </form>
      )}
      {held.length + theirs.length > 0 && (
        <details className="small">
          <summary>{t("cases.step.others")}</summary>
          <ul className="rows">
            {held.map((each) => (
              <li key={each.action}>
                <b>{say(each.says)}</b>
                <span className="quiet">{say(each.hindered)}</span>
              </li>
            ))}
            {theirs.map((each) => (
              <li key={each.action}>
                <b>{say(each.says)}</b>
                <span className="quiet">{whose(each)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function Changes({ changed, names }: { changed: Happening[]; names: CaseNames }) {
  const { t } = useTranslation();
  const table = useLifecycle().data;
  return (
    <ul>
      {changed.map((happening) => (
        <li key={happening.step}>
          {t("cases.step.didThat", {
            who: whoOf(happening, names, t),
            says: say(table?.transitions.find((each) => each.action === happening.action)?.says),
          })}
          {Object.values(happening.words).map((words) => (
            <q key={words}>{words}</q>
          ))}
        </li>
      ))}
    </ul>
  );
}
