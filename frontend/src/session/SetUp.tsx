/** Setting a password with a setup code: the first administrator's, or one that an administrator gave. */
import { useQuery } from "@tanstack/react-query";
import { RotateCw } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import { Form, Input } from "../design/Form";
import { Waiting } from "../design/States";
import { DoorFrame } from "./DoorFrame";
import { agreed, NewPassword, NOTHING_TYPED } from "./passwords";
import type { Session } from "./questions";

export function SetUp({ code, first, done }: { code: string; first: boolean; done: (session: Session) => void }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(NOTHING_TYPED);
  const who = useQuery({
    queryKey: ["set-up", code],
    queryFn: ({ signal }) =>
      askJson<{ login: string }>("/api/session/set-up/who", { method: "POST", body: { code }, signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const send = async () => {
    const password = agreed(typed, t("session.unequal"));
    return askJson<Session>("/api/session/set-up", { method: "POST", body: { code, password } });
  };
  return (
    <DoorFrame title={first ? t("session.firstStart") : t("session.setPassword")}>
      <Waiting of={who} lines={3} compact />
      {who.data && (
        <>
          <p className="small">{t(first ? "session.firstStartLead" : "session.setPasswordLead", { login: who.data.login })}</p>
          <Form send={send} done={done} action={t("session.setPassword")}>
            <Input label={t("session.login")} value={who.data.login} readOnly autoComplete="username" />
            <NewPassword typed={typed} set={setTyped} autoFocus />
          </Form>
        </>
      )}
    </DoorFrame>
  );
}

/** Before the first password is set, a page can only say what is to be done. */
export function WaitForSetUp({ again }: { again: () => void }) {
  const { t } = useTranslation();
  return (
    <DoorFrame title={t("session.notSetUp")}>
      <p>{t("session.notSetUpLead")}</p>
      <button type="button" className="button" onClick={again}>
        <RotateCw aria-hidden />
        {t("state.retry")}
      </button>
    </DoorFrame>
  );
}
