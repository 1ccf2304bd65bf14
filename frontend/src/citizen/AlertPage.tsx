/** E-mail alerts: asking for one, and saying yes to it or ending it by the code of the message. */
import { type FormEvent, useEffect, useId, useState } from "react";
import { type Alert, ask, Fault, json, proof } from "./ask";
import { fresh } from "./store";
import { say, t, type Word } from "./words";

const EVERY = ["hour", "day", "week"] as const;
const told = (error: unknown) => {
  if (!(error instanceof Fault)) throw error;
  return error.status ? error.said : t("unreachable");
};

/** Asks for an alert of what is chosen. */
export function AskForAlert({ area, type }: { area: string; type: string }) {
  const id = useId();
  const [email, setEmail] = useState("");
  const [every, setEvery] = useState<string>("day");
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState("");
  const [asked, setAsked] = useState("");
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setFault("");
    try {
      const { secret } = fresh();
      await ask("/alerts", { method: "POST", body: { secret, ...(await proof(secret)), email: email.trim(), area, types: type ? [type] : [], every } });
      setAsked(email.trim());
    } catch (error) {
      setFault(told(error));
    }
    setBusy(false);
  };
  return (
    <details className="alert">
      <summary>{t("alertAsk")}</summary>
      <form onSubmit={(event) => void submit(event)}>
        <p className="hint">{t("alertHint")}</p>
        <div className="field">
          <label htmlFor={`${id}-email`}>{t("email")}</label>
          <input id={`${id}-email`} type="email" required maxLength={254} autoComplete="email" value={email} onChange={(event) => setEmail(event.target.value)} />
        </div>
        <div className="choose">
          <label className="field">
            <span>{t("alertEvery")}</span>
            <select value={every} onChange={(event) => setEvery(event.target.value)}>
              {EVERY.map((one) => (
                <option key={one} value={one}>
                  {t(`every_${one}` as Word)}
                </option>
              ))}
            </select>
          </label>
        </div>
        {fault && (
          <p className="note bad" role="alert">
            {fault}
          </p>
        )}
        <p role="status">{asked && t("alertAsked", { email: asked })}</p>
        <button type="submit" aria-disabled={busy}>
          {busy ? t("sending") : t("alertSend")}
        </button>
      </form>
    </details>
  );
}

/** What an alert tells, to who has its code. */
export function AlertPage() {
  const [code, setCode] = useState(() => decodeURIComponent(location.hash.slice(1)));
  const [alert, setAlert] = useState<Alert>();
  const [ended, setEnded] = useState(false);
  const [fault, setFault] = useState("");
  const attempt = (work: () => Promise<void>) => {
    setFault("");
    void work().catch((error: unknown) => setFault(told(error)));
  };
  const header = () => ({ headers: { "Jingwei-Alert": code.trim() } });
  const read = () => attempt(async () => setAlert(await json<Alert>("/alerts/mine", header())));
  useEffect(() => {
    if (code) read();
  }, []);
  return (
    <div className="mine">
      <h1>{t("alert")}</h1>
      {ended ? (
        <p role="status">{t("alertEnded")}</p>
      ) : alert ? (
        <>
          <p>
            {say(alert.what)} · {t("alertPace", { every: t(`every_${alert.every}` as Word) })}
          </p>
          <p role="status">{t(alert.confirmed ? "alertOn" : "alertOff")}</p>
          <div className="row">
            {!alert.confirmed && (
              <button type="button" className="primary" onClick={() => attempt(async () => setAlert(await json<Alert>("/alerts/mine", { method: "POST", ...header() })))}>
                {t("alertYes")}
              </button>
            )}
            <button
              type="button"
              onClick={() =>
                attempt(async () => {
                  await ask("/alerts/mine", { method: "DELETE", ...header() });
                  setEnded(true);
                })
              }
            >
              {t("alertEnd")}
            </button>
          </div>
        </>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            read();
          }}
        >
          <p className="hint">{t("alertFind")}</p>
          <div className="field">
            <label htmlFor="alert-code">{t("alertCode")}</label>
            <input id="alert-code" value={code} required maxLength={20} autoComplete="off" autoCapitalize="characters" onChange={(event) => setCode(event.target.value)} />
          </div>
          <button type="submit">{t("find")}</button>
        </form>
      )}
      {fault && (
        <p className="note bad" role="alert">
          {fault}
        </p>
      )}
    </div>
  );
}
