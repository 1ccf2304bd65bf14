/** An account for who wants one: reports of this telephone are found from another, behind an e-mail address or an account elsewhere. */
import { type FormEvent, useEffect, useState } from "react";
import { ask, Fault, json, proof } from "./ask";
import { fresh, sent } from "./store";
import { recall, say, store, t, type Text } from "./words";

const TOKEN = "jingwei.account";
type Kept = { secret: string; number: string; type: { zh: string; en: string }; at: string };
const told = (error: unknown) => {
  if (!(error instanceof Fault)) throw error;
  return error.status ? error.said : t("unreachable");
};

/** Puts what this telephone has into the account, and takes what it has not out of it. */
async function gather(token: string): Promise<void> {
  const headers = { "Jingwei-Account": token };
  const mine = (await sent.all()).map((one) => one.secret);
  if (mine.length > 0) await ask("/account/reports", { method: "PUT", body: { secrets: mine.slice(0, 200) }, headers });
  const { reports } = await json<{ reports: Kept[] }>("/account", { headers });
  for (const one of reports) if (!mine.includes(one.secret)) await sent.keep({ secret: one.secret, number: one.number, code: "", at: one.at, title: one.type });
}

/** What became of going to the provider; the address then forgets it. */
function cameBack(): string {
  const found = new URLSearchParams(location.search).get("sign-in") ?? "";
  if (found) history.replaceState(null, "", location.pathname);
  return found;
}

export function Account({ mail, provider, changed }: { mail: boolean; provider: Text | null; changed: () => void }) {
  const [token, setToken] = useState(() => recall(TOKEN) ?? "");
  const [email, setEmail] = useState("");
  const [code, setCode] = useState("");
  const [asked, setAsked] = useState(false);
  const [said, setSaid] = useState("");
  const [fault, setFault] = useState("");
  const keep = (value: string) => {
    store(TOKEN, value || null);
    setToken(value);
  };
  const attempt = async (work: () => Promise<void>) => {
    setFault("");
    try {
      await work();
    } catch (error) {
      if (error instanceof Fault && error.code === "case-account-unknown") keep("");
      setFault(told(error));
    }
  };
  useEffect(() => {
    const back = cameBack();
    if (back === "done") void attempt(async () => keep((await json<{ token: string }>("/account/oidc", { method: "POST" })).token));
    else if (back) setFault(t("accountRefused"));
  }, []);
  useEffect(() => {
    if (token) void attempt(() => gather(token).then(changed));
  }, [token]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void attempt(async () => {
      if (!asked) {
        const { secret } = fresh();
        await ask("/account/code", { method: "POST", body: { secret, ...(await proof(secret)), email: email.trim() } });
        setAsked(true);
        setSaid(t("accountSent", { email: email.trim() }));
        return;
      }
      const entered = await json<{ token: string }>("/account", { method: "POST", body: { email: email.trim(), code } });
      setSaid("");
      setAsked(false);
      keep(entered.token);
    });
  };
  const end = () =>
    void attempt(async () => {
      await ask("/account", { method: "DELETE", headers: { "Jingwei-Account": token } });
      keep("");
      setSaid(t("accountEnded"));
    });
  return (
    <details className="alert" open={Boolean(token) || asked || Boolean(said || fault) || undefined}>
      <summary>{t("account")}</summary>
      {token ? (
        <>
          <p className="hint">{t("accountIn")}</p>
          <div className="row">
            <button type="button" onClick={() => keep("")}>
              {t("accountLeave")}
            </button>
            <button type="button" className="quiet" onClick={end}>
              {t("accountEnd")}
            </button>
          </div>
        </>
      ) : (
        <>
          <p className="hint">{t("accountHint")}</p>
          {provider && (
            <p>
              <button type="button" onClick={() => location.assign("/api/public/account/oidc")}>
                {say(provider)}
              </button>
            </p>
          )}
          {mail && (
            <form onSubmit={submit}>
              <p className="hint">{t("accountMail")}</p>
              <div className="field">
                <label htmlFor="account-email">{t("email")}</label>
                <input id="account-email" type="email" required maxLength={254} autoComplete="email" readOnly={asked} value={email} onChange={(event) => setEmail(event.target.value)} />
              </div>
              {asked && (
                <div className="field">
                  <label htmlFor="account-code">{t("accountCode")}</label>
                  <input id="account-code" required maxLength={20} autoComplete="one-time-code" autoCapitalize="characters" value={code} onChange={(event) => setCode(event.target.value)} />
                </div>
              )}
              <button type="submit">{t(asked ? "accountEnter" : "accountAsk")}</button>
            </form>
          )}
        </>
      )}
      {fault && (
        <p className="note bad" role="alert">
          {fault}
        </p>
      )}
      <p role="status">{said}</p>
    </details>
  );
}
