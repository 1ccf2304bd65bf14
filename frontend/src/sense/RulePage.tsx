/** One rule: what it says, tried on history, switched, in all its versions; or a new one. */
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation, useNavigate, useParams } from "react-router";
import { useZone } from "../api/questions";
import { useTitle } from "../app/title";
import { Dialog } from "../design/Dialog";
import { Fault } from "../design/Form";
import { More } from "../design/More";
import { Empty, Failure, Loading } from "../design/States";
import type { Choice } from "../design/Picker";
import { DepartmentPicker } from "../people/DepartmentPicker";
import { actorOf } from "../session/actors";
import { instant, say } from "../words";
import { AlarmItem } from "./AlarmItem";
import { type Rule, type RuleBody, saveRule, switchRule, useAlarms, useFreshAlarms, useRule, type WholeRule } from "./alarms";
import { RuleForm } from "./RuleForm";
import { Broken, OnBadge, Switch } from "./RulesPage";
import { TrialBox } from "./TrialBox";

const FRESH: RuleBody = { zh: "", en: "", signs: [{ observes: "", kind: "above", value: null }] };

export function RulePage() {
  const { t } = useTranslation();
  const { rule = "" } = useParams();
  const number = rule === "new" ? null : Number(rule);
  const { key } = useLocation();
  // A new rule that was saved goes on in the form in which it was written, with what is said there.
  const made = useRef({ number: 0, key: "" });
  const form = number === null ? key : number === made.current.number ? made.current.key : `${number}`;
  useFreshAlarms();
  const found = useRule(number);
  return (
    <div className="page wide">
      <nav className="small quiet" aria-label={t("alarms.rules")}>
        <Link to="/sense/rules">{t("alarms.rule.all")}</Link>
      </nav>
      {number === null ? (
        <Known
          key={form}
          whole={null}
          saved={(now) => {
            made.current = { number: now, key };
          }}
        />
      ) : found.error && !found.data ? (
        <Failure error={found.error} retry={() => found.refetch()} />
      ) : found.data ? (
        <Known key={form} whole={found.data} />
      ) : (
        <Loading lines={8} />
      )}
    </div>
  );
}

function Known({ whole, saved: told }: { whole: WholeRule | null; saved?: (number: number) => void }) {
  const { t } = useTranslation();
  const zone = useZone();
  const questions = useQueryClient();
  const go = useNavigate();
  const rule = whole?.rule ?? null;
  const [body, setBody] = useState<RuleBody>(rule?.rule ?? FRESH);
  const [owner, setOwner] = useState<Choice | null>(null);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState("");
  const may = rule === null || rule.may_write;
  const department = rule?.owner ?? owner?.code ?? "";

  const save = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const saved: Rule = await saveRule(rule?.id ?? null, body, department);
      setSaid(t("alarms.rule.saved", { number: saved.version }));
      if (rule === null) {
        const first = { version: saved.version, rule: saved.rule, by: saved.by, at: saved.changed };
        questions.setQueryData<WholeRule>(["sense", "rules", saved.id], { rule: saved, versions: [first] });
        told?.(saved.id);
        await go(`/sense/rules/${saved.id}`, { replace: true });
      }
      await questions.invalidateQueries({ queryKey: ["sense", "rules"] });
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  useTitle(rule === null ? t("alarms.rule.newTitle") : say(rule.rule));
  const heading = rule === null ? t("alarms.rule.newTitle") : t(may ? "alarms.rule.editTitle" : "alarms.rule.readTitle", { number: rule.id });
  return (
    <>
      <header className="sense-head">
        <h1>
          {heading} {rule && <OnBadge on={rule.on} />}
        </h1>
        {rule?.may_write && (
          <div className="sense-tools">
            <Switch rule={rule} />
            <Delete rule={rule} />
          </div>
        )}
      </header>
      {!may && <p className="notice">{t("alarms.rule.readOnly")}</p>}
      {rule?.broken && <Broken why={rule.broken} />}
      <div className="rule-page">
        <form
          className="card stack rule-form"
          onSubmit={(event) => {
            event.preventDefault();
            void save();
          }}
        >
          {rule === null && (
            <DepartmentPicker label={t("alarms.rule.owner")} none={t("alarms.rule.ownerCity")} value={owner} pick={setOwner} />
          )}
          <fieldset disabled={!may} className="stack rule-fields">
            <RuleForm body={body} change={setBody} />
          </fieldset>
          {error !== undefined && <Fault error={error} />}
          {may && (
            <div className="form-actions">
              <button type="submit" className="button primary" disabled={busy}>
                {t(rule === null ? "alarms.rule.saveNew" : "alarms.rule.save")}
              </button>
              <span role="status" className="small">{said}</span>
            </div>
          )}
        </form>
        <div className="stack">
          {may && <TrialBox body={body} owner={department} number={rule?.id} />}
          {whole && (
            <section className="card stack">
              <h2>{t("alarms.rule.versions")}</h2>
              <ol className="rule-versions" reversed>
                {whole.versions.map((one) => (
                  <li key={one.version}>
                    <b>{t("alarms.rule.version", { number: one.version })}</b>{" "}
                    <span className="small quiet">{t("alarms.rule.changed", { time: instant(one.at, zone, "minute"), who: actorOf(one.by, t) })}</span>
                    {may && one.version !== rule?.version && (
                      <button
                        type="button"
                        className="button"
                        aria-label={`${t("alarms.rule.take")} ${one.version}`}
                        onClick={() => {
                          setBody(one.rule);
                          setSaid(t("alarms.rule.taken", { number: one.version }));
                        }}
                      >
                        {t("alarms.rule.take")}
                      </button>
                    )}
                  </li>
                ))}
              </ol>
            </section>
          )}
          {rule && <Raised rule={rule.id} />}
        </div>
      </div>
    </>
  );
}

function Raised({ rule }: { rule: number }) {
  const { t } = useTranslation();
  const found = useAlarms({ rule }, 10);
  const alarms = found.data?.pages.flatMap((page) => page.alarms) ?? [];
  return (
    <section className="card stack">
      <h2>{t("alarms.rule.raised")}</h2>
      {found.data && alarms.length === 0 && <Empty title={t("alarms.cell.nonePast")} compact />}
      <ul className="alarm-list">
        {alarms.map((one) => (
          <AlarmItem key={one.id} alarm={one} />
        ))}
      </ul>
      <More of={found} label={t("alarms.moreMembers")} />
    </section>
  );
}

function Delete({ rule }: { rule: Rule }) {
  const { t } = useTranslation();
  const questions = useQueryClient();
  const go = useNavigate();
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>();
  const remove = async () => {
    try {
      await switchRule(rule.id, "deleted");
      await go("/sense/rules");
      await questions.invalidateQueries({ queryKey: ["sense", "rules"] });
    } catch (problem) {
      setError(problem);
    }
  };
  return (
    <>
      <button type="button" className="button" onClick={() => setAsking(true)}>{t("alarms.rule.delete")}</button>
      {asking && (
        <Dialog title={t("alarms.rule.delete")} close={() => setAsking(false)}>
          <p>{t("alarms.rule.deleteSure", { name: say(rule.rule) })}</p>
          {error !== undefined && <Fault error={error} />}
          <div className="form-actions">
            <button type="button" className="button danger" onClick={() => void remove()}>{t("alarms.rule.deleteYes")}</button>
          </div>
        </Dialog>
      )}
    </>
  );
}
