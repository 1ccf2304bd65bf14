/** One's own account: name, password, second factor, sign-ins, tokens. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ask, askJson } from "../api/client";
import { Form, Input } from "../design/Form";
import { Empty, Failure, Loading } from "../design/States";
import { Duties } from "../session/OpenBanner";
import { agreed, CurrentPassword, NewPassword, NOTHING_TYPED } from "../session/passwords";
import { type Person, SESSION, useSession } from "../session/questions";
import "./account.css";
import { SecondFactor } from "./SecondFactor";
import { SignIns } from "./SignIns";
import { Tokens } from "./Tokens";

export const ACCOUNT = ["account"];

export default function AccountPage() {
  const { t } = useTranslation();
  const session = useSession();
  const known = session.data?.person != null;
  const account = useQuery({
    queryKey: ACCOUNT,
    queryFn: ({ signal }) => askJson<Person>("/api/account", { signal }),
    enabled: known,
  });
  return (
    <div className="page narrow">
      <header>
        <h1>{t("account.name")}</h1>
        <p className="lead">{t("account.lead")}</p>
      </header>
      {!known && <Empty title={t("account.nobody")}>{t("account.nobodyLead")}</Empty>}
      {known && account.isPending && <Loading lines={8} />}
      {account.error && <Failure error={account.error} retry={() => account.refetch()} />}
      {known && account.data && (
        <>
          <Self person={account.data} />
          {account.data.has_password ? <Password /> : <p className="notice">{t("account.outside")}</p>}
          {account.data.has_password && <SecondFactor on={account.data.has_second_factor} />}
          <SignIns />
          <Tokens
            password={account.data.has_password && !session.data?.open}
            factor={account.data.has_second_factor && !session.data?.open}
          />
        </>
      )}
    </div>
  );
}

function Self({ person }: { person: Person }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState(person.name);
  const send = () => askJson<Person>("/api/account", { method: "PATCH", body: { name } });
  const done = (changed: Person) => {
    client.setQueryData(ACCOUNT, changed);
    void client.invalidateQueries({ queryKey: SESSION });
  };
  return (
    <section className="card part" aria-labelledby="self">
      <h2 id="self">{t("account.self")}</h2>
      <dl className="facts">
        <dt>{t("session.login")}</dt>
        <dd className="code">{person.login}</dd>
        <dt>{t("people.roles")}</dt>
        <dd>
          <Duties duties={person.duties} />
        </dd>
      </dl>
      <Form send={send} done={done} action={t("form.save")}>
        <Input
          label={t("people.personName")}
          value={name}
          onChange={(event) => setName(event.target.value)}
          maxLength={120}
          autoComplete="name"
          required
        />
      </Form>
    </section>
  );
}

function Password() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [old, setOld] = useState("");
  const [typed, setTyped] = useState(NOTHING_TYPED);
  const [keep, setKeep] = useState(false);
  const [changed, setChanged] = useState(false);
  const send = async () => {
    setChanged(false);
    const fresh = agreed(typed, t("session.unequal"));
    await ask("/api/account/password", { method: "POST", body: { old, new: fresh, keep_tokens: keep } });
  };
  const done = () => {
    setChanged(true);
    setOld("");
    setTyped(NOTHING_TYPED);
    void client.invalidateQueries({ queryKey: ["sign-ins"] });
    void client.invalidateQueries({ queryKey: ["tokens"] });
  };
  return (
    <section className="card part" aria-labelledby="password">
      <h2 id="password">{t("session.password")}</h2>
      <Form
        send={send}
        done={done}
        action={t("account.changePassword")}
        extra={
          <span role="status" className="small">
            {changed ? t("account.passwordChanged") : ""}
          </span>
        }
      >
        <CurrentPassword label={t("account.oldPassword")} value={old} set={setOld} />
        <NewPassword typed={typed} set={setTyped} />
        <label className="tick">
          <input type="checkbox" checked={keep} onChange={(event) => setKeep(event.target.checked)} />
          <span>{t("account.keepTokens")}</span>
        </label>
      </Form>
    </section>
  );
}
