/** One case, as everybody is told of it. */
import { lazy, Suspense } from "react";
import { useAnswer } from "./AroundPage";
import type { PublicCaseWhole } from "./ask";
import { go } from "./main";
import { draft, fresh } from "./store";
import { say, t, when } from "./words";

const PlaceShown = lazy(() => import("./AroundMap").then((one) => ({ default: one.PlaceShown })));

export function PublicCasePage({ number, zone }: { number: string; zone: string }) {
  const { answer: one, fault } = useAnswer<PublicCaseWhole>(`/cases/${encodeURIComponent(number)}`);
  if (fault)
    return (
      <p className="note bad" role="alert">
        {fault}
      </p>
    );
  if (!one) return <p role="status">{t("loading")}</p>;
  const place = one.lon !== null && one.lat !== null ? { lon: one.lon, lat: one.lat } : undefined;
  const areas = [one.street_name, one.community_name].map(say).filter(Boolean).join(" ");
  const join = async () => {
    const before = (await draft.read()) ?? fresh();
    await draft.keep({ ...before, place: place && { ...place, from: "map" }, type: { kind: one.kind, code: one.type, name: one.type_name }, join: one.number });
    go("/report");
  };
  return (
    <article className="follow">
      <p className="hint">{one.number}</p>
      <h1>{say(one.type_name)}</h1>
      <dl>
        <dt>{t("state")}</dt>
        <dd>
          <strong>{say(one.state)}</strong>
        </dd>
        {one.office && (
          <>
            <dt>{t("office")}</dt>
            <dd>{one.office}</dd>
          </>
        )}
        {one.due && (
          <>
            <dt>{t("due")}</dt>
            <dd>
              <time dateTime={one.due}>{when(one.due, zone)}</time>
            </dd>
          </>
        )}
        {areas && (
          <>
            <dt>{t("area")}</dt>
            <dd>
              <a
                href={`/report/around?area=${one.area.slice(0, 12)}`}
                onClick={(event) => {
                  event.preventDefault();
                  go(`/report/around?area=${one.area.slice(0, 12)}`);
                }}
              >
                {areas}
              </a>
            </dd>
          </>
        )}
      </dl>
      {one.forwarded.map((there) => (
        <p className="note" key={there.to}>
          {t(there.status === "closed" ? "forwardClosed" : "forwarded", { city: there.to, number: there.number ?? "" })}
        </p>
      ))}
      {one.words && <p className="said">{one.words}</p>}
      {one.photos.length > 0 && (
        <ul className="shots">
          {one.photos.map((digest, n) => (
            <li key={digest}>
              <a href={`/api/public/cases/${one.number}/photos/${digest}`}>
                <img src={`/api/public/cases/${one.number}/photos/${digest}?form=small`} alt={t("photoN", { n: n + 1 })} />
              </a>
            </li>
          ))}
        </ul>
      )}
      {!one.ended && (
        <div className="row">
          <button type="button" className="strong" onClick={() => void join()}>
            {t("alsoMet")}
          </button>
        </div>
      )}
      {place && (
        <Suspense fallback={<p role="status">{t("loading")}</p>}>
          <PlaceShown place={place} />
        </Suspense>
      )}
      <section aria-labelledby="told">
        <h2 id="told">{t("progress")}</h2>
        <ol className="told">
          {[...one.told].reverse().map((step, n) => (
            <li key={n}>
              <time dateTime={step.at}>{when(step.at, zone)}</time>
              <strong>{say(step.says)}</strong>
            </li>
          ))}
        </ol>
      </section>
    </article>
  );
}
