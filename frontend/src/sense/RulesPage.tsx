/** The rules over readings: which there are, what they look for, and whether they are on. */
import { useQueryClient } from "@tanstack/react-query";
import { CircleAlert, Plus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useZone } from "../api/questions";
import { Fault } from "../design/Form";
import { Empty, Waiting } from "../design/States";
import { actorOf } from "../session/actors";
import { instant, say, type Text } from "../words";
import { SeverityBadge, useDatasetWords, useSignWords } from "./AlarmItem";
import { type Rule, switchRule, useFreshAlarms, useRules } from "./alarms";

export function RulesPage() {
  const { t } = useTranslation();
  useFreshAlarms();
  const found = useRules();
  return (
    <>
      {found.data?.may_write && (
        <div className="sense-tools">
          <Link className="button primary" to="/sense/rules/new">
            <Plus aria-hidden />
            {t("alarms.rule.new")}
          </Link>
        </div>
      )}
      <Waiting of={found} lines={6} stale />
      {found.data?.rules.length === 0 && <Empty title={t("alarms.rule.none")}>{t("alarms.rule.noneMend")}</Empty>}
      <ul className="rules">
        {found.data?.rules.map((one) => (
          <RuleItem key={one.id} rule={one} />
        ))}
      </ul>
    </>
  );
}

export function OnBadge({ on }: { on: boolean }) {
  const { t } = useTranslation();
  return <span className={on ? "badge good" : "badge"}>{t(on ? "alarms.rule.on" : "alarms.rule.off")}</span>;
}

/** That a rule cannot ask its datasets, and why. */
export function Broken({ why }: { why: Text }) {
  const { t } = useTranslation();
  return (
    <div className="notice bad">
      <CircleAlert aria-hidden />
      <div>
        <b>{t("alarms.rule.broken")}</b>
        <p>{say(why)}</p>
      </div>
    </div>
  );
}

function RuleItem({ rule }: { rule: Rule }) {
  const { t } = useTranslation();
  const zone = useZone();
  const words = useSignWords();
  const datasetWords = useDatasetWords();
  const body = rule.rule;
  return (
    <li className="card rule" data-on={rule.on}>
      <div className="alarm-head">
        <OnBadge on={rule.on} />
        <SeverityBadge severity={body.severity ?? "warning"} />
        <Link to={`/sense/rules/${rule.id}`}><b>{say(body)}</b></Link>
        <span className="small quiet">{t("alarms.rule.version", { number: rule.version })}</span>
        <span className="small quiet">{rule.owner || t("alarms.rule.ownerCity")}</span>
      </div>
      <ul className="alarm-reasons small">
        {body.signs.map((sign, at) => (
          <li key={at}>{words(sign)}</li>
        ))}
        {body.datasets?.map((sign, at) => (
          <li key={`d${at}`}>{datasetWords(sign)}</li>
        ))}
      </ul>
      {rule.broken && <Broken why={rule.broken} />}
      <p className="small quiet">{t("alarms.rule.changed", { time: instant(rule.changed, zone, "minute"), who: actorOf(rule.by, t) })}</p>
      {rule.may_write && <Switch rule={rule} />}
    </li>
  );
}

export function Switch({ rule }: { rule: Rule }) {
  const { t } = useTranslation();
  const questions = useQueryClient();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const turn = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await switchRule(rule.id, rule.on ? "off" : "on");
      await questions.invalidateQueries({ queryKey: ["sense", "rules"] });
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div>
      <button
        type="button"
        className={rule.on ? "button" : "button primary"}
        aria-label={`${t(rule.on ? "alarms.rule.switchOff" : "alarms.rule.switchOn")} ${say(rule.rule)}`}
        disabled={busy}
        onClick={() => void turn()}
      >
        {t(rule.on ? "alarms.rule.switchOff" : "alarms.rule.switchOn")}
      </button>
      {error !== undefined && <Fault error={error} />}
    </div>
  );
}
