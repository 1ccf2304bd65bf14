/** Records of the same person or enterprise: what is matched, pairs for a reviewer, and where linked records differ. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useParams } from "react-router";
import { ask, askJson } from "../api/client";
import { useZone } from "../api/questions";
import { Fault, Form, Input } from "../design/Form";
import { More } from "../design/More";
import { Empty, Waiting } from "../design/States";
import { Table } from "../design/Table";
import { actorOf } from "../session/actors";
import { count, instant, say, type Text } from "../words";
import { Following } from "./Following";

type Level = { level: number; label: string; m: number | null; u: number | null };
type Run = {
  id: number;
  at: string;
  versions: Record<string, number>;
  rows: Record<string, number>;
  learnt: Record<string, Level[]>;
  states: Record<State, number>;
  conflicts: Record<string, number>;
};
type Matching = { id: string; title: Text; text: string; datasets: string[]; fields: string[]; run: Run | null };
type State = "linked" | "review" | "rival" | "same" | "different" | "unsure";
type Choice = "same" | "different" | "unsure" | "open";
type Side = { dataset: string; version: number; row: number; fields: Record<string, string | null> | null };
type Pair = {
  number: number;
  state: State;
  probability: number | null;
  levels: Record<string, number | null>;
  differs: string[];
  authority: Record<string, string | null>;
  records: [Side, Side];
  decided: { choice: string; note: string; at: string; by: string } | null;
};

const SHOWN: State[] = ["review", "unsure", "linked", "same", "different"];

const SAMPLE = `title = { zh = "", en = "" }

[[table]]
dataset = ""
key = ""
fields = { name = "", identity = "", birth = "", phone = "", address = "" }

[[table]]
dataset = ""
key = ""
fields = { name = "", identity = "", birth = "", phone = "", address = "" }
`;

export function MatchingsPage() {
  const { t } = useTranslation();
  const answer = useQuery({
    queryKey: ["matchings"],
    queryFn: ({ signal }) => askJson<{ matchings: Matching[] }>("/api/matchings", { signal }),
  });
  const found = answer.data?.matchings ?? [];
  return (
    <div className="page">
      <header>
        <nav aria-label={t("data.way")} className="small">
          <Link to="/data">{t("data.all")}</Link>
        </nav>
        <h1>{t("matching.title")}</h1>
        <p className="lead">{t("matching.lead")}</p>
      </header>
      <Waiting of={answer} lines={4} />
      {answer.data && found.length === 0 && <Empty title={t("matching.none")}>{t("matching.noneNote")}</Empty>}
      {found.length > 0 && (
        <ul className="versions">
          {found.map((one) => (
            <li key={one.id} className="card stack">
              <h2>
                <Link to={`/data/matching/${one.id}`}>{say(one.title)}</Link>
              </h2>
              <p className="small quiet">{one.datasets.join(" · ")}</p>
              <p className="numbers">
                {one.run
                  ? t("matching.brief", { linked: count(one.run.states.linked + one.run.states.same), review: count(one.run.states.review) })
                  : t("matching.notRun")}
              </p>
            </li>
          ))}
        </ul>
      )}
      {answer.data && (
        <section className="stack">
          <h2>{t("matching.add")}</h2>
          <Document />
        </section>
      )}
    </div>
  );
}

/** The document that says what is matched. */
function Document({ one }: { one?: Matching }) {
  const { t } = useTranslation();
  const questions = useQueryClient();
  const go = useNavigate();
  const [name, setName] = useState(one?.id ?? "");
  const [text, setText] = useState(one?.text ?? SAMPLE);
  return (
    <Form
      send={() => askJson<Matching>(`/api/matchings/${encodeURIComponent(name)}`, { method: "PUT", body: { text } })}
      done={(made) => {
        void questions.invalidateQueries();
        void go(`/data/matching/${made.id}`);
      }}
      action={t("matching.save")}
    >
      {!one && <Input label={t("matching.name")} value={name} required pattern="[a-z][a-z0-9_]*" onChange={(event) => setName(event.target.value)} />}
      <label className="stack">
        {t("matching.document")}
        <textarea className="document" rows={14} spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} />
      </label>
    </Form>
  );
}

export function MatchingPage() {
  const { t } = useTranslation();
  const zone = useZone();
  const { name = "" } = useParams();
  const [state, setState] = useState<State>("review");
  const [field, setField] = useState<string | null>(null);
  const answer = useQuery({
    queryKey: ["matching", name],
    queryFn: ({ signal }) => askJson<Matching>(`/api/matchings/${name}`, { signal }),
  });
  const one = answer.data;
  return (
    <div className="page">
      <header>
        <nav aria-label={t("data.way")} className="small">
          <Link to="/data">{t("data.all")}</Link> / <Link to="/data/matching">{t("matching.title")}</Link>
        </nav>
        {one && <h1>{say(one.title)}</h1>}
        {one?.run && (
          <p className="small quiet">
            {instant(one.run.at, zone, "minute")} ·{" "}
            {Object.entries(one.run.rows)
              .map(([dataset, rows]) => t("matching.read", { dataset, version: one.run?.versions[dataset], rows: count(rows) }))
              .join(" · ")}
          </p>
        )}
      </header>
      <Waiting of={answer} lines={6} />
      {one && (
        <>
          <Runner one={one} />
          {one.run && (
            <>
              <div className="form-actions choices" role="group" aria-label={t("matching.states")}>
                {SHOWN.map((each) => (
                  <button key={each} type="button" className="button" aria-pressed={field === null && state === each} onClick={() => (setField(null), setState(each))}>
                    {t(`matching.state.${each}`)} <span className="numbers">{count(one.run?.states[each] ?? 0)}</span>
                  </button>
                ))}
              </div>
              <div className="form-actions choices" role="group" aria-label={t("matching.conflicts")}>
                <span className="small">{t("matching.conflicts")}</span>
                {one.fields.map((each) => (
                  <button key={each} type="button" className="button" aria-pressed={field === each} onClick={() => setField(each)}>
                    {fieldName(t, each)} <span className="numbers">{count(one.run?.conflicts[each] ?? 0)}</span>
                  </button>
                ))}
              </div>
              <Pairs key={`${one.run.id} ${field ?? state}`} one={one} run={one.run} state={field === null ? state : null} field={field} />
              <Learnt run={one.run} />
            </>
          )}
          <details>
            <summary>{t("matching.document")}</summary>
            <Document one={one} />
          </details>
        </>
      )}
    </div>
  );
}

function fieldName(t: TFunction, field: string): string {
  return t(`matching.field.${field}`, { defaultValue: field });
}

function Runner({ one }: { one: Matching }) {
  const { t } = useTranslation();
  const [events, setEvents] = useState<string | null>(null);
  if (events) return <Following key={events} address={events} dataset={one.id} again={() => setEvents(null)} done={() => setEvents(null)} />;
  return (
    <Form
      send={() => askJson<{ events: string }>(`/api/matchings/${one.id}/runs`, { method: "POST" })}
      done={(made) => setEvents(made.events)}
      action={t(one.run ? "matching.again" : "matching.run")}
    />
  );
}

function Pairs({ one, run, state, field }: { one: Matching; run: Run; state: State | null; field: string | null }) {
  const { t } = useTranslation();
  const answer = useInfiniteQuery({
    queryKey: ["matching", one.id, "pairs", run.id, state, field],
    queryFn: ({ signal, pageParam }) =>
      askJson<{ pairs: Pair[]; after: number | null }>(`/api/matchings/${one.id}/pairs`, {
        query: { state: state ?? undefined, field: field ?? undefined, after: pageParam, limit: 10 },
        signal,
      }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.after ?? undefined,
  });
  const found = answer.data?.pages.flatMap((page) => page.pairs) ?? [];
  const section = useRef<HTMLElement>(null);
  const decided = useRef<number | null>(null);
  // A pair that was decided leaves the list, and the focus with it: who goes by keyboard goes on at the next one.
  useEffect(() => {
    if (decided.current === null || document.activeElement !== document.body) return;
    const pairs = section.current?.querySelectorAll<HTMLElement>(".pair [role=region]") ?? [];
    (pairs[Math.min(decided.current, pairs.length - 1)] ?? section.current)?.focus();
    decided.current = null;
  }, [answer.data]);
  return (
    <section ref={section} tabIndex={-1} className="stack" aria-label={t("matching.pairs")}>
      <Waiting of={answer} lines={6} />
      {answer.data && found.length === 0 && <Empty title={t("matching.noPairs")}>{t("matching.noPairsNote")}</Empty>}
      <ol className="versions">
        {found.map((pair, place) => (
          <PairCard key={pair.number} one={one} run={run} pair={pair} deciding={() => (decided.current = place)} />
        ))}
      </ol>
      <More of={answer} />
    </section>
  );
}

function PairCard({ one, run, pair, deciding }: { one: Matching; run: Run; pair: Pair; deciding: () => void }) {
  const { t } = useTranslation();
  const zone = useZone();
  const questions = useQueryClient();
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const decide = async (choice: Choice) => {
    setBusy(true);
    setError(null);
    deciding();
    try {
      await ask(`/api/matchings/${one.id}/runs/${run.id}/pairs/${pair.number}`, { method: "PUT", body: { choice } });
      await questions.invalidateQueries({ queryKey: ["matching", one.id] });
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  const fields = one.fields.filter((field) => pair.records.some((side) => side.fields && field in side.fields));
  return (
    <li className="card stack pair">
      <p className="small">
        <span className={`badge ${{ linked: "good", same: "good", review: "warn", unsure: "warn", different: "", rival: "" }[pair.state]}`}>{t(`matching.state.${pair.state}`)}</span>{" "}
        {pair.probability !== null && <span className="numbers">{t("matching.probability", { share: (100 * pair.probability).toFixed(1) })}</span>}
      </p>
      <Table label={t("matching.pair", { number: pair.number })}>
        <thead>
          <tr>
            <td />
            {pair.records.map((side, place) => (
              <th key={place} scope="col">
                <Link to={`/data/${side.dataset}/records/${side.row}`}>{side.dataset}</Link>
              </th>
            ))}
            <th scope="col">{t("matching.agrees")}</th>
          </tr>
        </thead>
        <tbody>
          {fields.map((field) => (
            <tr key={field} className={pair.differs.includes(field) ? "differs" : undefined}>
              <th scope="row">{fieldName(t, field)}</th>
              {pair.records.map((side, place) => (
                <td key={place}>
                  {side.fields?.[field] ?? "—"}
                  {pair.authority[field] === side.dataset && <span className="badge accent">{t("matching.holds")}</span>}
                </td>
              ))}
              <td className="quiet">{agreement(t, run, field, pair.levels[field] ?? null)}</td>
            </tr>
          ))}
        </tbody>
      </Table>
      {pair.records.some((side) => side.fields === null) && <p className="small quiet">{t("matching.gone")}</p>}
      {pair.decided && (
        <p className="small quiet">
          {t("matching.decided", { by: actorOf(pair.decided.by, t), at: instant(pair.decided.at, zone, "minute") })} {pair.decided.note}
        </p>
      )}
      {error !== null && <Fault error={error} />}
      <div className="form-actions">
        {(["same", "different", "unsure"] as const).map((choice) => (
          <button key={choice} type="button" className="button" disabled={busy} aria-pressed={pair.decided?.choice === choice} onClick={() => void decide(choice)}>
            {t(`matching.choice.${choice}`)}
          </button>
        ))}
        {pair.decided && (
          <button type="button" className="button" disabled={busy} onClick={() => void decide("open")}>
            {t("matching.choice.open")}
          </button>
        )}
      </div>
    </li>
  );
}

function agreement(t: TFunction, run: Run, field: string, level: number | null): string {
  if (level === null) return t("matching.missing");
  const found = run.learnt[field]?.find((each) => each.level === level);
  return found ? t(`matching.level.${found.label}`, { defaultValue: found.label }) : "";
}

/** What agreement in each field is worth, as it was learnt: among the same, and among strangers. */
function Learnt({ run }: { run: Run }) {
  const { t } = useTranslation();
  return (
    <details>
      <summary>{t("matching.learnt")}</summary>
      <Table
        label={t("matching.learnt")}
        head={[t("matching.fieldHead"), t("matching.agrees"), { end: t("matching.amongSame") }, { end: t("matching.amongStrangers") }]}
      >
        <tbody>
          {Object.entries(run.learnt).flatMap(([field, levels]) =>
            levels.map((level) => (
              <tr key={`${field} ${level.level}`}>
                <th scope="row">{fieldName(t, field)}</th>
                <td>{t(`matching.level.${level.label}`, { defaultValue: level.label })}</td>
                <td className="end numbers">{share(level.m)}</td>
                <td className="end numbers">{share(level.u)}</td>
              </tr>
            )),
          )}
        </tbody>
      </Table>
    </details>
  );
}

function share(value: number | null): string {
  return value === null ? "—" : `${(100 * value).toPrecision(3)} %`;
}
