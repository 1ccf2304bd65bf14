/** One event: what it tells, its receipt, and the check of that in this browser. */
import { useMutation } from "@tanstack/react-query";
import { Download, ShieldCheck } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { useZone } from "../api/questions";
import { Failure, Waiting } from "../design/States";
import { actorOf } from "../session/actors";
import { instant, say } from "../words";
import { purposeOf, receiptOf, useEvent } from "./questions";
import { Subject } from "./Subject";
import { KeyField, useTrustedKey, VerdictCard } from "./VerifyPage";
import { checkReceipt } from "./verify";

export function EventPage() {
  const { t } = useTranslation();
  const { position = "" } = useParams();
  const zone = useZone();
  const answer = useEvent(position);
  const event = answer.data;
  const key = useTrustedKey();
  const check = useMutation({ mutationFn: async () => checkReceipt(await receiptOf(event!.position), key.text) });

  return (
    <div className="page">
      <header>
        <nav aria-label={t("data.way")} className="small">
          <Link to="/log">{t("log.name")}</Link> / #{position}
        </nav>
        <h1>{event ? say(event.says) : t("log.event")}</h1>
      </header>
      <Waiting of={answer} lines={6} />
      {event && (
        <>
          <section className="card log-card">
            <dl className="facts">
              <dt>{t("log.kind")}</dt>
              <dd className="code">{event.type}</dd>
              <dt>{t("log.subject")}</dt>
              <dd>
                <Subject subject={event.subject} />
              </dd>
              <dt>{t("log.actor")}</dt>
              <dd>{actorOf(event.actor, t)}</dd>
              {purposeOf(event) !== null && (
                <>
                  <dt>{t("log.purpose")}</dt>
                  <dd>{purposeOf(event) || t("log.purposeNone")}</dd>
                </>
              )}
              <dt>{t("log.time")}</dt>
              <dd>{instant(event.time, zone)}</dd>
              <dt>{t("log.sealed")}</dt>
              <dd>{instant(event.sealed, zone)}</dd>
            </dl>
            {event.data === null ? (
              <p className="notice">{t("log.erasedLong")}</p>
            ) : (
              Object.keys(event.data).length > 0 && (
                <pre className="log-data code" tabIndex={0} role="region" aria-label={t("log.data")}>
                  {JSON.stringify(event.data, null, 2)}
                </pre>
              )
            )}
          </section>
          <section className="card log-card">
            <h2>{t("log.receipt")}</h2>
            <p className="small">{t("log.receiptLead")}</p>
            <KeyField trusted={key} />
            <p className="log-actions">
              <button
                type="button"
                className="button primary"
                disabled={!key.text || check.isPending}
                onClick={() => check.mutate()}
              >
                <ShieldCheck aria-hidden />
                {t("log.verifyHere")}
              </button>
              <a className="button" href={`/api/log/${event.position}/receipt`} download={`${event.position}.tlog-proof`}>
                <Download aria-hidden />
                {t("log.download")}
              </a>
            </p>
            {check.error && <Failure error={check.error} compact />}
            {check.data && <VerdictCard checked={check.data} />}
          </section>
        </>
      )}
    </div>
  );
}
