/** Tokens by which programs act for one: named, limited, shown once, revoked. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ask, askJson } from "../api/client";
import { useZone } from "../api/questions";
import { Dialog } from "../design/Dialog";
import { Fault, Form, Input } from "../design/Form";
import { Secret } from "../design/Secret";
import { Empty, Waiting } from "../design/States";
import { instant, list, say, type Text } from "../words";
import { CurrentPassword } from "../session/passwords";

type Token = { id: string; title: string; actions: string[]; created: string; expires: string; used: string | null };
type Action = { name: string; says: Text };

/** What a program that only reads data needs; offered by one press. */
const READING = ["city.read", "dataset.read", "object.read"];
const DAYS = [7, 30, 90, 365];

export function Tokens({ password, factor }: { password: boolean; factor: boolean }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const zone = useZone();
  const [making, setMaking] = useState(false);
  const found = useQuery({
    queryKey: ["tokens"],
    queryFn: ({ signal }) => askJson<Token[]>("/api/account/tokens", { signal }),
  });
  const actions = useQuery({
    queryKey: ["token-actions"],
    queryFn: ({ signal }) => askJson<Action[]>("/api/account/tokens/actions", { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const revoking = useMutation({
    mutationFn: (id: string) => ask(`/api/account/tokens/${id}`, { method: "DELETE" }),
    onSettled: () => client.invalidateQueries({ queryKey: ["tokens"] }),
  });
  const says = (name: string) => say(actions.data?.find((one) => one.name === name)?.says) || name;
  return (
    <section className="card part" aria-labelledby="tokens">
      <h2 id="tokens">{t("tokens.name")}</h2>
      <p className="small">{t("tokens.lead")}</p>
      <Waiting of={found} lines={2} compact />
      {found.data?.length === 0 && <Empty title={t("tokens.none")} compact />}
      <ul className="rows">
        {found.data?.map((one) => (
          <li key={one.id}>
            <div>
              <b>
                <KeyRound aria-hidden /> {one.title}
              </b>
              <span className="small">{list(one.actions.map(says))}</span>
              <span className="small quiet">
                {t("tokens.until", { time: instant(one.expires, zone, "day") })} ·{" "}
                {one.used ? t("tokens.used", { time: instant(one.used, zone, "minute") }) : t("tokens.unused")}
              </span>
            </div>
            <button
              type="button"
              className="button danger"
              disabled={revoking.isPending}
              aria-label={t("tokens.revokeOf", { title: one.title })}
              onClick={() => revoking.mutate(one.id)}
            >
              {t("tokens.revoke")}
            </button>
          </li>
        ))}
      </ul>
      <Fault error={revoking.error} />
      <div className="form-actions">
        <button type="button" className="button primary" onClick={() => setMaking(true)}>
          <Plus aria-hidden />
          {t("tokens.make")}
        </button>
      </div>
      {making && (
        <Dialog title={t("tokens.make")} close={() => setMaking(false)}>
          <Make
            actions={actions.data ?? []}
            password={password}
            factor={factor}
            made={() => void client.invalidateQueries({ queryKey: ["tokens"] })}
            close={() => setMaking(false)}
          />
        </Dialog>
      )}
    </section>
  );
}

function Make({ actions, password, factor, made, close }: {
  actions: Action[];
  password: boolean;
  factor: boolean;
  made: () => void;
  close: () => void;
}) {
  const { t } = useTranslation();
  const [title, setTitle] = useState("");
  const [chosen, setChosen] = useState<string[]>([]);
  const [days, setDays] = useState(30);
  const [own, setOwn] = useState("");
  const [code, setCode] = useState("");
  const [token, setToken] = useState<string>();
  const send = () =>
    askJson<{ token: string }>("/api/account/tokens", { method: "POST", body: { title, actions: chosen, days, password: own, code } });
  if (token) {
    return (
      <>
        <p>{t("tokens.once")}</p>
        <Secret value={token} label={t("tokens.token")} />
        <p className="small quiet">{t("tokens.how")}</p>
        <pre className="sample">
          <code>{`curl -H "Authorization: Bearer ${token.slice(0, 8)}…" ${location.origin}/api/city`}</code>
        </pre>
        <div className="form-actions">
          <button type="button" className="button primary" onClick={close}>
            {t("tokens.kept")}
          </button>
        </div>
      </>
    );
  }
  const turn = (name: string) =>
    setChosen(chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name]);
  return (
    <Form
      send={send}
      done={(answer) => {
        setToken(answer.token);
        made();
      }}
      action={t("tokens.make")}
    >
      <Input
        label={t("tokens.title")}
        hint={t("tokens.titleHint")}
        value={title}
        onChange={(event) => setTitle(event.target.value)}
        maxLength={120}
        required
      />
      <fieldset className="choices">
        <legend>{t("tokens.actions")}</legend>
        <button type="button" className="link-button" onClick={() => setChosen(READING)}>
          {t("tokens.reading")}
        </button>
        {actions.map((action) => (
          <label key={action.name}>
            <input type="checkbox" checked={chosen.includes(action.name)} onChange={() => turn(action.name)} />
            <span>{say(action.says)}</span>
            <code className="quiet small">{action.name}</code>
          </label>
        ))}
      </fieldset>
      <div className="input">
        <label htmlFor="token-days">{t("tokens.days")}</label>
        <select id="token-days" className="choice" value={days} onChange={(event) => setDays(Number(event.target.value))}>
          {DAYS.map((count) => (
            <option key={count} value={count}>
              {t("tokens.daysCount", { count })}
            </option>
          ))}
        </select>
      </div>
      {password && (
        <>
          <p className="small">{t("tokens.anew")}</p>
          <CurrentPassword label={t("account.ownPassword")} value={own} set={setOwn} />
        </>
      )}
      {factor && (
        <Input
          label={t("factor.anyCode")}
          value={code}
          onChange={(event) => setCode(event.target.value)}
          autoComplete="one-time-code"
          maxLength={40}
          required
          className="code"
        />
      )}
    </Form>
  );
}
