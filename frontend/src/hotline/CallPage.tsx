/** One call: what was said and done, the reply, the call-back with its two answers, and the review. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { askJson } from "../api/client";
import { useZone } from "../api/questions";
import { Form, Input } from "../design/Form";
import { Waiting } from "../design/States";
import { actorOf } from "../session/actors";
import { useMay, useSession } from "../session/questions";
import { instant, say } from "../words";
import { CallRow } from "./CallRow";
import { type Call, useSettings } from "./questions";

export function CallPage() {
  const { t } = useTranslation();
  const { number = "" } = useParams();
  const client = useQueryClient();
  const key = ["hotline", "call", number];
  const takes = useMay("hotline.take");
  const reader = useSession().data;
  const found = useQuery({ queryKey: key, queryFn: ({ signal }) => askJson<Call>(`/api/hotline/calls/${number}`, { signal }) });
  if (!found.data) return <Waiting of={found} lines={8} />;
  const call = found.data;
  const done = (after: Call) => {
    client.setQueryData(key, after);
    void client.invalidateQueries({ queryKey: ["hotline", "calls"] });
  };
  const act = (what: string, body: object) =>
    askJson<Call>(`/api/hotline/calls/${number}/${what}`, { method: "POST", body: { seen: call.step, ...body } });
  const reviews = reader?.open || (reader?.duties ?? []).some((one) => one.role === "hotline_reviewer");
  const leads = reader?.open || (reader?.duties ?? []).some((one) => one.role === "hotline_supervisor");
  const over = call.state === "answered" || call.state === "in_case";
  return (
    <div className="case-page">
      <div className="card stack">
        <CallRow call={call} />
        <Facts call={call} />
        <ol className="written">
          {call.written.map((one) => (
            <li key={`${one.step}${one.field}`}>
              <span className="small quiet">{t(`hotline.call.written.${one.field}`)}</span>
              <p className="call-words">{one.words}</p>
            </li>
          ))}
        </ol>
        <Past call={call} />
      </div>
      <div className="stack">
        {takes && <NumberOf call={call} />}
        {takes && call.state === "in_case" && !call.replied && <Reply act={act} done={done} />}
        {takes && call.to_be_asked && <Ask call={call} act={act} done={done} />}
        {reviews && (over || call.state === "dismissed") && <Score call={call} own={call.hands.includes(reader?.person ?? "")} act={act} done={done} />}
        {leads && over && !call.exempt && <Exempt act={act} done={done} />}
        {call.earlier.length > 0 && (
          <section className="card stack">
            <h2>{t("hotline.desk.earlier")}</h2>
            <ul className="rows">
              {call.earlier.map((one) => (
                <li key={one.number}>
                  <CallRow call={one} link />
                </li>
              ))}
            </ul>
          </section>
        )}
      </div>
    </div>
  );
}

type Act = { act: (what: string, body: object) => Promise<Call>; done: (after: Call) => void };

function Facts({ call }: { call: Call }) {
  const { t } = useTranslation();
  const content = useSettings().data;
  const rows: [string, ReactNode][] = [
    [t("hotline.call.taker"), call.taker ? actorOf(call.taker, t, call.names) : "–"],
    [t("hotline.calls.channels"), say(content?.channels[call.channel])],
    ...(call.waited === null ? [] : [[t("hotline.desk.name"), t("hotline.calls.waited", { n: call.waited })] as [string, ReactNode]]),
    ...(call.urgency ? [[t("hotline.desk.urgency"), say(content?.content.urgencies.find((one) => one.key === call.urgency))] as [string, ReactNode]] : []),
    ...(call.area ? [[t("hotline.desk.area"), <code key="area">{call.area}</code>] as [string, ReactNode]] : []),
    ...(call.case ? [[t("hotline.call.case"), <Link key="case" to={`/cases/${call.case.number}`}>{call.case.number}</Link>] as [string, ReactNode]] : []),
    ...(call.lost ? [[t("hotline.calls.states.lost"), t("hotline.call.lost", { where: t(`hotline.call.places.${call.lost}`) })] as [string, ReactNode]] : []),
  ];
  return (
    <dl className="facts">
      {rows.map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Past({ call }: { call: Call }) {
  const { t } = useTranslation();
  const zone = useZone();
  const answer = (value: string) => t(`hotline.call.answers.${value}`);
  return (
    <>
      {call.backs.length > 0 && (
        <section>
          <h2>{t("hotline.call.backs")}</h2>
          <ul className="rows">
            {call.backs.map((one) => (
              <li key={one.at}>
                <div>
                  {one.reached ? t("hotline.call.result", { solved: answer(one.solved), satisfied: answer(one.satisfied) }) : t("hotline.call.missed")}
                  {one.reopened && <span className="badge warn">{t("hotline.call.reopen")}</span>}
                  <span className="small quiet">{`${instant(one.at, zone, "minute")} · ${actorOf(one.by, t, call.names)}`}</span>
                </div>
              </li>
            ))}
          </ul>
        </section>
      )}
      {call.reviews.length > 0 && (
        <section>
          <h2>{t("hotline.call.reviews")}</h2>
          <ul className="rows">
            {call.reviews.map((one) => (
              <li key={one.at}>
                <div>
                  {t("hotline.call.points", { points: one.points, most: one.most })}
                  <span className="small quiet">{`${instant(one.at, zone, "minute")} · ${actorOf(one.by, t, call.names)}`}</span>
                </div>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function NumberOf({ call }: { call: Call }) {
  const { t } = useTranslation();
  const [shown, setShown] = useState("");
  const [purpose, setPurpose] = useState(t("hotline.call.purposes.callBack"));
  if (!call.caller) return null;
  return (
    <section className="card stack">
      <h2>{t("hotline.call.number")}</h2>
      {shown ? (
        <p role="status">
          <a className="hotline-code" href={`tel:${shown}`}>{shown}</a>
          <span className="small quiet block">{t("hotline.call.shown")}</span>
        </p>
      ) : (
        <Form
          send={() => askJson<{ caller: string }>(`/api/hotline/calls/${call.number}/number`, { method: "POST", body: { purpose } })}
          done={(told) => setShown(told.caller)}
          action={t("hotline.call.show")}
        >
          <Input label={t("hotline.call.purpose")} value={purpose} required maxLength={200} onChange={(event) => setPurpose(event.target.value)} />
        </Form>
      )}
    </section>
  );
}

function Choice({ name, label, options, value, set }: { name: string; label: string; options: [string, string][]; value: string; set: (value: string) => void }) {
  return (
    <fieldset className="radios hotline-kinds">
      <legend>{label}</legend>
      {options.map(([key, says]) => (
        <label key={key} className="radio">
          <input type="radio" name={name} required checked={value === key} onChange={() => set(key)} />
          <span>{says}</span>
        </label>
      ))}
    </fieldset>
  );
}

function useReached(): [string, (value: string) => void, [string, string][]] {
  const { t } = useTranslation();
  const [reached, setReached] = useState("yes");
  return [reached, setReached, [["yes", t("hotline.call.reached")], ["no", t("hotline.call.notReached")]]];
}

function Reply({ act, done }: Act) {
  const { t } = useTranslation();
  const [words, setWords] = useState("");
  const [reached, setReached, options] = useReached();
  return (
    <section className="card stack">
      <h2>{t("hotline.call.reply")}</h2>
      <p className="small quiet">{t("hotline.call.replyLead")}</p>
      <Form send={() => act("reply", { reached: reached === "yes", words })} done={done} action={t("hotline.call.send")}>
        <Choice name="replied" label={t("hotline.call.reply")} options={options} value={reached} set={setReached} />
        <Input label={t("hotline.call.words")} value={words} maxLength={400} onChange={(event) => setWords(event.target.value)} />
      </Form>
    </section>
  );
}

function Ask({ call, act, done }: Act & { call: Call }) {
  const { t } = useTranslation();
  const [reached, setReached, options] = useReached();
  const [solved, setSolved] = useState("");
  const [satisfied, setSatisfied] = useState("");
  const [words, setWords] = useState("");
  const [reopen, setReopen] = useState(false);
  const answers = ["yes", "no", "unclear"].map((one): [string, string] => [one, t(`hotline.call.answers.${one}`)]);
  const heard = reached === "yes";
  const again = heard && solved === "no" && call.case !== null && call.case.ended;
  return (
    <section className="card stack">
      <h2>{t("hotline.call.callBack")}</h2>
      <Form
        send={() => act("call-back", heard ? { reached: true, solved, satisfied, words, reopen: again && reopen } : { reached: false, words })}
        done={done}
        action={t("hotline.call.send")}
      >
        <Choice name="reached" label={t("hotline.call.callBack")} options={options} value={reached} set={setReached} />
        {heard && <Choice name="solved" label={t("hotline.call.solved")} options={answers} value={solved} set={setSolved} />}
        {heard && <Choice name="satisfied" label={t("hotline.call.satisfied")} options={answers} value={satisfied} set={setSatisfied} />}
        <Input label={t("hotline.call.words")} value={words} maxLength={400} onChange={(event) => setWords(event.target.value)} />
        {again && (
          <label className="radio">
            <input type="checkbox" checked={reopen} onChange={(event) => setReopen(event.target.checked)} />
            <span>{t("hotline.call.reopen")}</span>
          </label>
        )}
      </Form>
    </section>
  );
}

function Score({ call, own, act, done }: Act & { call: Call; own: boolean }) {
  const { t } = useTranslation();
  const sheet = useSettings().data?.content.sheet ?? [];
  const [scores, setScores] = useState<Record<string, string>>({});
  const [words, setWords] = useState("");
  const given = Object.fromEntries(Object.entries(scores).map(([key, points]) => [key, Number(points)]));
  return (
    <section className="card stack">
      <h2>{t("hotline.call.review")}</h2>
      {own && <p className="notice warn">{t("hotline.call.own")}</p>}
      <Form key={call.step} send={() => act("review", { scores: given, words })} done={done} action={t("hotline.call.send")}>
        {sheet.map((one) => (
          <Input key={one.key} label={`${say(one)} (0–${one.most})`} type="number" min={0} max={one.most} required value={scores[one.key] ?? ""} onChange={(event) => setScores({ ...scores, [one.key]: event.target.value })} />
        ))}
        <Input label={t("hotline.call.words")} value={words} maxLength={400} onChange={(event) => setWords(event.target.value)} />
      </Form>
    </section>
  );
}

function Exempt({ act, done }: Act) {
  const { t } = useTranslation();
  const [reason, setReason] = useState("");
  return (
    <details className="card stack">
      <summary>{t("hotline.call.exempt")}</summary>
      <Form send={() => act("exempt", { reason })} done={done} action={t("hotline.call.exempt")} danger>
        <Input label={t("hotline.call.reason")} value={reason} required maxLength={400} onChange={(event) => setReason(event.target.value)} />
      </Form>
    </details>
  );
}
