/** What was reported from this telephone, what waits to be sent, and following by code. */
import { type FormEvent, useEffect, useState } from "react";
import { Account } from "./Account";
import { Fault, json, type Report, sentences } from "./ask";
import { go } from "./main";
import { type Draft, discard, draft, flush, onChange, type Sent, sent, waiting } from "./store";
import { say, t, type Text, when } from "./words";

export function MinePage({ zone, mail, provider }: { zone: string; mail: boolean; provider: Text | null }) {
  const [mine, setMine] = useState<Sent[]>();
  const [held, setHeld] = useState<Draft[]>([]);
  useEffect(() => {
    const read = () => void Promise.all([sent.all().then(setMine), waiting().then(setHeld)]);
    read();
    return onChange(read);
  }, []);
  return (
    <div className="mine">
      <h1>{t("mine")}</h1>
      {held.length > 0 && (
        <section aria-labelledby="held">
          <h2 id="held">{t("waiting")}</h2>
          <ul className="cards">
            {held.map((one) => (
              <li key={one.secret}>
                <strong>{say(one.type?.name)}</strong>
                {one.at && <time dateTime={one.at}>{when(one.at, zone)}</time>}
                {one.words && <p>{one.words}</p>}
                {one.refusal && (
                  <>
                    <p className="note bad" role="alert">
                      {t("refused", { why: sentences(one.refusal.title, one.refusal.mend) })}
                    </p>
                    <div className="row">
                      <button
                        type="button"
                        onClick={() =>
                          void draft
                            .keep({ ...one, refusal: undefined })
                            .then(() => discard(one.secret))
                            .then(() => go("/report"))
                        }
                      >
                        {t("mend")}
                      </button>
                      <button type="button" onClick={() => void discard(one.secret)}>
                        {t("discard")}
                      </button>
                    </div>
                  </>
                )}
              </li>
            ))}
          </ul>
          {held.some((one) => !one.refusal) && (
            <button type="button" onClick={() => void flush()}>
              {t("again")}
            </button>
          )}
        </section>
      )}
      {mine && mine.length === 0 && held.length === 0 && <p>{t("nothingMine")}</p>}
      <ul className="cards">
        {mine?.map((one) => (
          <li key={one.secret}>
            <a
              href={`/report/follow#${one.secret}`}
              onClick={(event) => {
                event.preventDefault();
                go(`/report/follow#${one.secret}`);
              }}
            >
              {say(one.title)} · {one.number}
            </a>
            <time dateTime={one.at}>{when(one.at, zone)}</time>
            <button type="button" className="quiet" onClick={() => void sent.forget(one.secret).then(() => sent.all().then(setMine))}>
              {t("forget")}
            </button>
          </li>
        ))}
      </ul>
      {(mail || provider) && <Account mail={mail} provider={provider} changed={() => void sent.all().then(setMine)} />}
      <ByCode />
    </div>
  );
}

function ByCode() {
  const [code, setCode] = useState("");
  const [fault, setFault] = useState("");
  const find = async (event: FormEvent) => {
    event.preventDefault();
    try {
      await json<Report>("/reports/mine", { secret: code.trim() });
      go(`/report/follow#${code.trim().replace(/[\s-]/g, "").toUpperCase()}`);
    } catch (error) {
      if (error instanceof Fault) setFault(error.status ? error.said : t("unreachable"));
    }
  };
  return (
    <form className="by-code" onSubmit={(event) => void find(event)}>
      <h2>{t("findByCode")}</h2>
      <div className="field">
        <label htmlFor="code">{t("code")}</label>
        <input id="code" value={code} maxLength={20} autoComplete="off" autoCapitalize="characters" required onChange={(event) => setCode(event.target.value)} />
      </div>
      {fault && (
        <p className="note bad" role="alert">
          {fault}
        </p>
      )}
      <button type="submit">{t("find")}</button>
    </form>
  );
}
