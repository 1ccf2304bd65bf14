/** Signing in: name and password, then a code if one is set up; or through the city's provider. */
import { KeyRound } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "react-router";
import { askJson, Problem } from "../api/client";
import { Form, Input } from "../design/Form";
import { type Text, say } from "../words";
import { DoorFrame } from "./DoorFrame";
import type { Session } from "./questions";
import { CurrentPassword } from "./passwords";

const KNOWN_FAILURES = ["sign-in-failed", "provider-failed", "duties-not-separated", "too-often"];

export function SignIn({ provider, done }: { provider: Text | null; done: (session: Session) => void }) {
  const { t } = useTranslation();
  const place = useLocation();
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asksCode, setAsksCode] = useState(false);
  const [recovery, setRecovery] = useState(false);
  const codeBox = useRef<HTMLDivElement>(null);
  const failed = new URLSearchParams(place.search).get("sign-in");

  useEffect(() => {
    if (asksCode) codeBox.current?.querySelector("input")?.focus();
  }, [asksCode, recovery]);

  const send = async (): Promise<Session | null> => {
    try {
      return await askJson<Session>("/api/session", { method: "POST", body: { login, password, code } });
    } catch (error) {
      if (error instanceof Problem && error.code === "second-factor-needed") return null;
      setCode("");
      throw error;
    }
  };
  const answered = (session: Session | null) => (session ? done(session) : setAsksCode(true));
  const back = () => {
    setAsksCode(false);
    setCode("");
    setPassword("");
  };

  if (asksCode) {
    return (
      <DoorFrame title={t("session.secondStep")}>
        <p className="small">{recovery ? t("session.recoveryHint") : t("session.codeHint")}</p>
        <div ref={codeBox}>
          <Form
            key={String(recovery)}
            send={send}
            done={answered}
            action={t("session.signIn")}
            extra={
              <button type="button" className="button" onClick={back}>
                {t("session.otherPerson")}
              </button>
            }
          >
            <Input
              label={recovery ? t("session.recoveryCode") : t("session.code")}
              value={code}
              onChange={(event) => setCode(event.target.value)}
              autoComplete="one-time-code"
              inputMode={recovery ? "text" : "numeric"}
              maxLength={40}
              required
              spellCheck={false}
              className="code"
            />
          </Form>
        </div>
        <button
          type="button"
          className="link-button"
          onClick={() => {
            setRecovery(!recovery);
            setCode("");
          }}
        >
          {recovery ? t("session.useCode") : t("session.useRecovery")}
        </button>
      </DoorFrame>
    );
  }
  return (
    <DoorFrame title={t("session.signIn")}>
      {failed && (
        <p role="alert" className="notice bad">
          {t(`session.failures.${KNOWN_FAILURES.includes(failed) ? failed : "other"}`)}
        </p>
      )}
      <Form send={send} done={answered} action={t("session.signIn")}>
        <Input
          label={t("session.login")}
          value={login}
          onChange={(event) => setLogin(event.target.value)}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={120}
          required
          autoFocus
        />
        <CurrentPassword label={t("session.password")} value={password} set={setPassword} />
      </Form>
      {provider && (
        <>
          <p className="door-or small quiet">{t("session.or")}</p>
          <a className="button" href={`/api/session/oidc?to=${encodeURIComponent(place.pathname + (failed ? "" : place.search))}`}>
            <KeyRound aria-hidden />
            {say(provider)}
          </a>
        </>
      )}
      <p className="small quiet">{t("session.forgot")}</p>
    </DoorFrame>
  );
}
