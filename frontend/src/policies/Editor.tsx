/** The policies in force, and a draft of what shall follow them: checked, tried on its examples, published. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CircleCheck, CircleX, FlaskConical, Undo2, Upload } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import { useZone } from "../api/questions";
import { Failure, Waiting } from "../design/States";
import { Table } from "../design/Table";
import { instant, say } from "../words";
import { type Check, type Example, usePolicies, useVocabulary, type Version } from "./questions";

type Draft = { basedOn: number; text: string; examples: string };
const KEPT = "jingwei.policy-draft";

function keptDraft(): Draft | undefined {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "null") as Draft | null;
    return kept && typeof kept.text === "string" && typeof kept.examples === "string" ? kept : undefined;
  } catch {
    return undefined;
  }
}

function keep(draft: Draft | undefined) {
  try {
    if (draft) localStorage.setItem(KEPT, JSON.stringify(draft));
    else localStorage.removeItem(KEPT);
  } catch {
    // forgotten with the page, nothing else
  }
}

const written = (version: Version): Draft => ({
  basedOn: version.number,
  text: version.text,
  examples: JSON.stringify(version.examples, null, 2),
});

export function Editor() {
  const policies = usePolicies();
  if (!policies.data) return <Waiting of={policies} lines={10} />;
  return <Desk current={policies.data} />;
}

function Desk({ current }: { current: Version }) {
  const { t } = useTranslation();
  const questions = useQueryClient();
  const zone = useZone();
  const [draft, setDraft] = useState(() => keptDraft() ?? written(current));
  const changed = draft.text !== current.text || draft.examples !== written(current).examples;
  useEffect(() => keep(changed ? draft : undefined), [draft, changed]);

  const body = () => ({ text: draft.text, examples: JSON.parse(draft.examples) as Example[] });
  const check = useMutation({
    mutationFn: () => askJson<Check>("/api/policies/check", { method: "POST", body: body() }),
  });
  const publish = useMutation({
    mutationFn: () =>
      askJson<{ number: number }>("/api/policies", { method: "POST", body: { ...body(), based_on: draft.basedOn } }),
    onSuccess: ({ number }) => {
      setDraft({ ...draft, basedOn: number });
      void questions.invalidateQueries();
    },
  });
  const edit = (part: Partial<Draft>) => {
    check.reset();
    publish.reset();
    setDraft({ ...draft, ...part });
  };
  const restart = () => {
    check.reset();
    publish.reset();
    setDraft(written(current));
  };
  const unreadable = check.error instanceof SyntaxError || publish.error instanceof SyntaxError;

  return (
    <div className="policy-desk">
      <p className="small quiet">
        {current.number === 0
          ? t("policies.defaults")
          : t("policies.current", {
              number: current.number,
              when: current.adopted ? instant(current.adopted, zone, "minute") : "",
              by: current.by,
            })}
        {changed && <span className="badge warn">{t("policies.changed")}</span>}
      </p>
      {draft.basedOn !== current.number && changed && <p className="notice warn">{t("policies.overtaken")}</p>}
      <label className="policy-field">
        <h2>{t("policies.text")}</h2>
        <textarea
          className="code"
          rows={24}
          spellCheck={false}
          value={draft.text}
          onChange={(event) => edit({ text: event.target.value })}
        />
      </label>
      <label className="policy-field">
        <h2>{t("policies.examples")}</h2>
        <span className="small quiet">{t("policies.examplesLead")}</span>
        <textarea
          className="code"
          rows={12}
          spellCheck={false}
          value={draft.examples}
          onChange={(event) => edit({ examples: event.target.value })}
        />
      </label>
      <div className="policy-actions">
        <button type="button" className="button" disabled={check.isPending} onClick={() => check.mutate()}>
          <FlaskConical aria-hidden />
          {t("policies.check")}
        </button>
        <button
          type="button"
          className="button primary"
          disabled={!changed || publish.isPending || !check.data?.valid}
          onClick={() => publish.mutate()}
        >
          <Upload aria-hidden />
          {t("policies.publish")}
        </button>
        <button type="button" className="button" disabled={!changed} onClick={restart}>
          <Undo2 aria-hidden />
          {t("policies.discard")}
        </button>
        {changed && !check.data && <span className="small quiet">{t("policies.checkFirst")}</span>}
      </div>
      <div aria-live="polite" className="policy-found">
        {unreadable && <p className="notice bad">{t("policies.examplesUnreadable")}</p>}
        {check.error && !unreadable && <Failure error={check.error} compact />}
        {publish.error && !unreadable && <Failure error={publish.error} compact />}
        {publish.data && <p className="notice">{t("policies.published", { number: publish.data.number })}</p>}
        {check.data && <Findings check={check.data} />}
      </div>
      <Reference />
    </div>
  );
}

function Findings({ check }: { check: Check }) {
  const { t } = useTranslation();
  const wrong = check.examples.filter((one) => !one.right);
  return (
    <section className="policy-found">
      <p className={check.valid ? "notice good" : "notice bad"}>
        {check.valid ? <CircleCheck aria-hidden /> : <CircleX aria-hidden />}
        {check.valid
          ? t("policies.valid", { count: check.examples.length })
          : t("policies.invalid", { faults: check.faults.length, wrong: wrong.length })}
      </p>
      {check.faults.length > 0 && (
        <ul className="policy-faults">
          {check.faults.map((fault) => (
            <li key={fault} className="code">
              {fault}
            </li>
          ))}
        </ul>
      )}
      {wrong.length > 0 && (
        <ul className="policy-faults">
          {wrong.map((one) => (
            <li key={one.says}>
              <CircleX aria-hidden /> {one.fault}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** What policies may speak of, beside the desk. */
function Reference() {
  const { t } = useTranslation();
  const vocabulary = useVocabulary();
  if (!vocabulary.data) return null;
  return (
    <details className="card policy-reference">
      <summary>{t("policies.vocabulary")}</summary>
      <Table label={t("policies.actions")} head={[t("policies.action"), t("policies.meaning"), t("policies.resources")]}>
        <tbody>
          {vocabulary.data.actions.map((action) => (
            <tr key={action.name}>
              <th scope="row" className="code">
                {action.name}
              </th>
              <td>{say(action.says)}</td>
              <td className="code">{action.resources.join(", ")}</td>
            </tr>
          ))}
        </tbody>
      </Table>
      <dl className="facts">
        {Object.entries(vocabulary.data.annotations).map(([name, says]) => (
          <Pair key={name} name={`@${name}`} says={say(says)} />
        ))}
      </dl>
      <pre className="policy-schema code" tabIndex={0} role="region" aria-label={t("policies.schema")}>
        {vocabulary.data.schema_text}
      </pre>
    </details>
  );
}

function Pair({ name, says }: { name: string; says: string }) {
  return (
    <>
      <dt className="code">{name}</dt>
      <dd>{says}</dd>
    </>
  );
}
