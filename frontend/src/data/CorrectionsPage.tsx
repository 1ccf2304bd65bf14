/** Requests for corrections: what a department is asked, what it answered, what remains. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { address, askJson } from "../api/client";
import { useZone } from "../api/questions";
import { Form } from "../design/Form";
import { More } from "../design/More";
import { Empty, Failure, Waiting } from "../design/States";
import { Table } from "../design/Table";
import { actorOf } from "../session/actors";
import { count, instant, say, type Text } from "../words";
import { Following } from "./Following";
import { send } from "./IntakePage";

export type Correction = {
  id: number;
  dataset: string;
  title: Text | null;
  department: string;
  check: string;
  rules: { id: string; text: Text; rows: number | null; remaining: number | null; examples: number[] }[];
  note: string;
  state: "open" | "answered" | "closed" | "withdrawn";
  opened: string;
  due: string;
  overdue: boolean;
  by: string;
  version: number | null;
  outcome: string;
  answers: { at: string; by: string; kind: string; words: string; file: string | null }[];
  names: Record<string, string>;
  may_answer: boolean;
  may_decide: boolean;
};

function State({ one }: { one: Correction }) {
  const { t } = useTranslation();
  const shade = one.overdue ? "bad" : { open: "warn", answered: "accent", closed: "good", withdrawn: "" }[one.state];
  return <span className={`badge ${shade}`}>{t(one.overdue ? "intake.overdue" : `intake.correctionStates.${one.state}`)}</span>;
}

export function CorrectionsPage() {
  const { t } = useTranslation();
  const zone = useZone();
  const [all, setAll] = useState(false);
  const answer = useInfiniteQuery({
    queryKey: ["corrections", all],
    queryFn: ({ signal, pageParam }) =>
      askJson<{ corrections: Correction[]; before: number | null }>("/api/corrections", {
        query: { state: all ? undefined : "open", before: pageParam },
        signal,
      }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.before ?? undefined,
  });
  const found = answer.data?.pages.flatMap((page) => page.corrections) ?? [];
  return (
    <div className="page">
      <header>
        <nav aria-label={t("data.way")} className="small">
          <Link to="/data">{t("data.all")}</Link>
        </nav>
        <h1>{t("intake.corrections")}</h1>
        <p className="lead">{t("intake.correctionsLead")}</p>
      </header>
      <label className="check">
        <input type="checkbox" checked={all} onChange={(event) => setAll(event.target.checked)} /> {t("intake.closedToo")}
      </label>
      <Waiting of={answer} lines={5} />
      {answer.data && found.length === 0 && <Empty title={t("intake.noCorrections")}>{t("intake.noCorrectionsNote")}</Empty>}
      {found.length > 0 && (
        <Table label={t("intake.corrections")} head={[t("data.dataset"), t("data.state"), t("intake.owner"), t("intake.what"), t("intake.due")]}>
          <tbody>
            {found.map((one) => (
              <tr key={one.id}>
                <th scope="row">
                  <Link to={`/data/corrections/${one.id}`}>{one.title ? say(one.title) : one.dataset}</Link>
                </th>
                <td>
                  <State one={one} />
                </td>
                <td>{one.department}</td>
                <td className="row-reason">{one.rules.map((rule) => say(rule.text)).join(" ")}</td>
                <td className="nowrap">{instant(one.due, zone, "day")}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      <More of={answer} />
    </div>
  );
}

export function CorrectionPage() {
  const { t } = useTranslation();
  const zone = useZone();
  const { correction = "" } = useParams();
  const answer = useQuery({
    queryKey: ["correction", correction],
    queryFn: ({ signal }) => askJson<Correction>(`/api/corrections/${correction}`, { signal }),
    refetchInterval: (query) => (query.state.data?.outcome === "" ? 4000 : false),
  });
  const one = answer.data;
  return (
    <div className="page">
      <header>
        <nav aria-label={t("data.way")} className="small">
          <Link to="/data">{t("data.all")}</Link> / <Link to="/data/corrections">{t("intake.corrections")}</Link>
        </nav>
        {one && (
          <div className="dataset-head">
            <h1>{one.title ? say(one.title) : one.dataset}</h1>
            <State one={one} />
          </div>
        )}
      </header>
      <Waiting of={answer} lines={6} />
      {one && (
        <>
          <dl className="facts">
            <dt>{t("intake.owner")}</dt>
            <dd>{one.department}</dd>
            <dt>{t("intake.opened")}</dt>
            <dd>{instant(one.opened, zone, "minute")}</dd>
            <dt>{t("intake.due")}</dt>
            <dd>{instant(one.due, zone, "minute")}</dd>
            {one.outcome && (
              <>
                <dt>{t("intake.outcome")}</dt>
                <dd>{t(`intake.outcomes.${one.outcome}`)}</dd>
              </>
            )}
          </dl>
          {one.note && <p>{one.note}</p>}
          <h2>{t("intake.what")}</h2>
          <ul className="findings">
            {one.rules.map((rule) => (
              <li key={rule.id} className="card">
                <div>
                  <p>{say(rule.text)}</p>
                  {rule.examples.length > 0 && (
                    <p className="small quiet">
                      {t("data.exampleRows")} {rule.examples.join(" ")}
                    </p>
                  )}
                  <p className="small">
                    <Link to={`/data/${one.dataset}/quality`}>{t("intake.showRows")}</Link>
                  </p>
                </div>
                <span className={rule.remaining === 0 ? "badge good numbers" : "badge warn numbers"}>
                  {rule.rows === null
                    ? t(rule.remaining === 0 ? "intake.mended" : "intake.whole")
                    : t("intake.remaining", { remaining: count(rule.remaining ?? 0), rows: count(rule.rows) })}
                </span>
              </li>
            ))}
          </ul>
          <Said one={one} zone={zone} />
          {one.may_answer && <AnswerForms one={one} />}
          {one.may_decide && <Decide one={one} />}
        </>
      )}
    </div>
  );
}

function Said({ one, zone }: { one: Correction; zone: string }) {
  const { t } = useTranslation();
  if (one.answers.length === 0) return null;
  return (
    <section className="stack">
      <h2>{t("intake.said")}</h2>
      <ol className="versions">
        {one.answers.map((answer) => (
          <li key={answer.at} className="card stack">
            <p className="small quiet">
              {t(`intake.answerKinds.${answer.kind}`)} · {actorOf(answer.by, t, one.names)} · {instant(answer.at, zone, "minute")}
            </p>
            {answer.words && <p>{answer.words}</p>}
          </li>
        ))}
      </ol>
    </section>
  );
}

function AnswerForms({ one }: { one: Correction }) {
  const { t } = useTranslation();
  const questions = useQueryClient();
  const choose = useRef<HTMLInputElement>(null);
  const [words, setWords] = useState("");
  const [events, setEvents] = useState<string | null>(null);
  const [share, setShare] = useState<number | null>(null);
  const [error, setError] = useState<unknown>(null);
  const take = async (file: File | undefined) => {
    if (!file || share !== null) return;
    setError(null);
    setShare(0);
    try {
      const path = address("/api/corrections/files", { correction: one.id, name: file.name });
      setEvents((await send<{ events: string }>(path, file, setShare)).events);
    } catch (failure) {
      setError(failure);
    } finally {
      setShare(null);
    }
  };
  return (
    <section className="stack">
      <h2>{t("intake.answer")}</h2>
      <div className="card drop">
        <p>{t("intake.answerFile")}</p>
        <input ref={choose} type="file" className="hidden-visually" tabIndex={-1} aria-label={t("intake.answerFile")} onChange={(e) => void take(e.target.files?.[0])} />
        <button type="button" className="button primary" disabled={share !== null} onClick={() => choose.current?.click()}>
          {t("intake.choose")}
        </button>
        {share !== null && <progress value={share} max={1} aria-label={t("intake.sending")} />}
        {error !== null && <Failure error={error} compact />}
        {events && <Following key={events} address={events} dataset={one.dataset} again={() => setEvents(null)} link />}
      </div>
      <Form
        send={() => askJson(`/api/corrections/${one.id}/explanation`, { method: "POST", body: { words } })}
        done={() => {
          setWords("");
          void questions.invalidateQueries();
        }}
        action={t("intake.explain")}
      >
        <WordsField label={t("intake.explanation")} value={words} set={setWords} />
      </Form>
    </section>
  );
}

function Decide({ one }: { one: Correction }) {
  const { t } = useTranslation();
  const questions = useQueryClient();
  const [words, setWords] = useState("");
  const done = () => {
    setWords("");
    void questions.invalidateQueries();
  };
  const decide = (accept: boolean) => askJson(`/api/corrections/${one.id}/decision`, { method: "POST", body: { accept, words } });
  return (
    <section className="stack">
      <h2>{t("intake.decide")}</h2>
      <WordsField label={t("intake.words")} value={words} set={setWords} />
      <div className="form-actions">
        {one.state === "answered" && (
          <>
            <Form send={() => decide(true)} done={done} action={t("intake.accept")} />
            <Form send={() => decide(false)} done={done} action={t("intake.sendBack")} />
          </>
        )}
        <Form
          send={() => askJson(`/api/corrections/${one.id}/withdrawal`, { method: "POST", body: { words } })}
          done={done}
          action={t("intake.withdraw")}
          danger
        />
      </div>
    </section>
  );
}

function WordsField({ label, value, set }: { label: string; value: string; set: (value: string) => void }) {
  return (
    <label className="input">
      {label}
      <span className="field">
        <textarea value={value} rows={3} maxLength={4000} onChange={(event) => set(event.target.value)} />
      </span>
    </label>
  );
}
