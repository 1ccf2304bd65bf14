/** Cases that may be the same, each beside this one: joined, or told apart for good. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Merge, Split } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { Fault } from "../design/Form";
import { instant, say, share } from "../words";
import { type Alike, type CaseDetail, takeStep, useCase } from "./questions";

export function Alikes({ one, found, zone }: { one: CaseDetail; found: Alike[]; zone: string }) {
  const { t } = useTranslation();
  const [, setParameters] = useSearchParams();
  const client = useQueryClient();
  const [others, setOthers] = useState<string[]>([]);
  const shown = found.filter((other) => !others.includes(other.number));
  const may = (action: string) => one.possible.some((step) => step.action === action && step.may && !step.hindered);
  const apart = useMutation({
    mutationFn: (other: string) => takeStep(one.number, "tell_apart", { other }, one.step),
    onSuccess: (after) => {
      client.setQueryData(["cases", "one", one.number], after);
      void client.invalidateQueries({ queryKey: ["cases"] });
    },
    onError: () => void client.invalidateQueries({ queryKey: ["cases", "one", one.number] }),
  });
  if (shown.length === 0) return null;
  return (
    <section className="card stack">
      <h2>{t("cases.alike.title", { count: shown.length })}</h2>
      <p className="small quiet">{t("cases.alike.lead")}</p>
      <Fault error={apart.error} />
      <ul className="alikes">
        {shown.map((other) => (
          <li key={other.number}>
            <p className="small">
              <b>{t("cases.alike.score", { score: share(other.score) })}</b> · {say(other.why)}
            </p>
            <div className="beside">
              <Side number={one.number} zone={zone} title={t("cases.alike.this")} />
              <Side number={other.number} zone={zone} title={t("cases.alike.other")} />
            </div>
            <div className="form-actions">
              {may("merge") && (
                <button type="button" className="button" onClick={() => setParameters({ step: "merge", main: other.number }, { replace: true })}>
                  <Merge aria-hidden />
                  {t("cases.alike.join")}
                </button>
              )}
              {may("tell_apart") ? (
                <button type="button" className="button" disabled={apart.isPending} onClick={() => apart.mutate(other.number)}>
                  <Split aria-hidden />
                  {t("cases.alike.apart")}
                </button>
              ) : (
                <button type="button" className="button" onClick={() => setOthers((before) => [...before, other.number])}>
                  <Split aria-hidden />
                  {t("cases.alike.hide")}
                </button>
              )}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Side({ number, zone, title }: { number: string; zone: string; title: string }) {
  const { t } = useTranslation();
  const one = useCase(number).data;
  const description = one && [...one.timeline].reverse().find((happening) => happening.words.description)?.words.description;
  return (
    <dl className="side">
      <dt>{title}</dt>
      <dd>
        <Link to={`/cases/${number}`}>{number}</Link>
      </dd>
      {one && (
        <>
          <dt className="hidden-visually">{t("cases.type")}</dt>
          <dd>
            {say(one.type_name)} · {say(one.says)}
          </dd>
          <dt className="hidden-visually">{t("cases.reportedAt")}</dt>
          <dd className="quiet numbers">{one.timeline[0] && instant(one.timeline[0].at, zone, "minute")}</dd>
          <dt className="hidden-visually">{t("cases.description")}</dt>
          <dd>{description ?? t("cases.noWords")}</dd>
        </>
      )}
    </dl>
  );
}
