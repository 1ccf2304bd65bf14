/** Searching the log: by kind of event, by what it was done to, by who did it. */
import { RotateCw, ShieldCheck } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { useEvents } from "../api/events";
import { useZone } from "../api/questions";
import { More } from "../design/More";
import { Empty, Waiting } from "../design/States";
import { actorOf } from "../session/actors";
import { count, instant, say } from "../words";
import { purposeOf, useLog, useTypes } from "./questions";
import { Subject } from "./Subject";

export function SearchPage() {
  const { t } = useTranslation();
  const [asked, setAsked] = useSearchParams();
  const zone = useZone();
  const search = Object.fromEntries(["type", "subject", "actor"].map((name) => [name, asked.get(name) ?? undefined]));
  const answer = useLog(search);
  const types = useTypes();
  const [fresh, setFresh] = useState(0);
  useEvents([], ({ type, subject, actor }) => {
    const fits = (wanted: string | undefined, is: string | null | undefined) => !wanted || wanted === is;
    if (fits(search.type, type) && fits(search.subject, subject) && fits(search.actor, actor)) setFresh((n) => n + 1);
  });
  const events = answer.data?.pages.flatMap((page) => page.events) ?? [];

  const submit = (event: React.FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setAsked(
      Object.fromEntries(
        [...form].map(([name, value]) => [name, String(value).trim()]).filter(([, value]) => value),
      ) as Record<string, string>,
    );
  };

  return (
    <div className="page">
      <header>
        <h1>{t("log.name")}</h1>
        <p className="lead">{t("log.lead")}</p>
      </header>
      <form className="log-search" role="search" onSubmit={submit} key={asked.toString()}>
        <label>
          <span>{t("log.kind")}</span>
          <select className="choice" name="type" defaultValue={search.type ?? ""}>
            <option value="">{t("log.anyKind")}</option>
            {Object.entries(types.data ?? {}).map(([name, says]) => (
              <option key={name} value={name}>
                {say(says)}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{t("log.subject")}</span>
          <div className="field">
            <input name="subject" defaultValue={search.subject ?? ""} placeholder="dataset/stops" maxLength={200} />
          </div>
        </label>
        <label>
          <span>{t("log.actor")}</span>
          <div className="field">
            <input name="actor" defaultValue={search.actor ?? ""} placeholder="person/…" maxLength={200} />
          </div>
        </label>
        <button type="submit" className="button primary">
          {t("log.search")}
        </button>
        <Link className="button" to="verify">
          <ShieldCheck aria-hidden />
          {t("log.verifyReceipt")}
        </Link>
      </form>
      <div aria-live="polite" className="log-fresh">
        {fresh > 0 && (
          <button
            type="button"
            className="button"
            onClick={() => {
              setFresh(0);
              void answer.refetch();
            }}
          >
            <RotateCw aria-hidden />
            {t("log.fresh", { count: fresh })}
          </button>
        )}
      </div>
      <Waiting of={answer} lines={8} />
      {answer.data && events.length === 0 && <Empty title={t("log.none")} />}
      {events.length > 0 && (
        <>
          <p className="small quiet">{t("log.size", { size: count(answer.data!.pages[0]!.size) })}</p>
          <ol className="log-events">
            {events.map((event) => (
              <li key={event.position}>
                <Link to={`/log/${event.position}`} className="log-position numbers">
                  #{event.position}
                </Link>
                <div className="log-what">
                  <strong>{say(event.says)}</strong>
                  <span className="small">
                    <Subject subject={event.subject} />
                  </span>
                  {purposeOf(event) !== null && (
                    <span className="small">
                      {t("log.purpose")}
                      {t("map.colon")}
                      {purposeOf(event) || t("log.purposeNone")}
                    </span>
                  )}
                </div>
                <div className="log-who small quiet">
                  <span>{actorOf(event.actor, t)}</span>
                  <time dateTime={event.time}>{instant(event.time, zone)}</time>
                </div>
              </li>
            ))}
          </ol>
          <More of={answer} label={t("log.older")} />
        </>
      )}
    </div>
  );
}
