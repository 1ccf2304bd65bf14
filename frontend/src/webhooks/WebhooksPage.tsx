/** Systems that are told of events by themselves: which there are, what they are told, and how that went. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { ChevronDown, Plus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ask, askJson } from "../api/client";
import { useEvents } from "../api/events";
import { useZone } from "../api/questions";
import { Dialog } from "../design/Dialog";
import { Fault, Form, Input } from "../design/Form";
import { More } from "../design/More";
import { Secret } from "../design/Secret";
import { Empty, Waiting } from "../design/States";
import { Table } from "../design/Table";
import { count, instant } from "../words";
import "./webhooks.css";

type Subscriber = {
  id: number;
  title: string;
  url: string;
  types: string[];
  person: string;
  on: boolean;
  why: string;
  made: string;
  waiting: number;
  tries: number;
  next: string | null;
  status: number;
  fault: string;
};
type Delivery = { id: number; position: number; type: string; made: string; done: string | null; result: string; tries: number; status: number; fault: string };

const KEY = ["webhooks"];

export default function WebhooksPage() {
  const { t } = useTranslation();
  const questions = useQueryClient();
  useEvents(["webhook"], () => void questions.invalidateQueries({ queryKey: KEY }));
  const [adding, setAdding] = useState(false);
  const [secret, setSecret] = useState("");
  const found = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => askJson<{ subscribers: Subscriber[] }>("/api/webhooks", { signal }),
    refetchInterval: 15_000,
  });
  return (
    <div className="page">
      <h1>{t("webhooks.name")}</h1>
      <p className="lead">{t("webhooks.lead")}</p>
      <div className="form-actions">
        <button type="button" className="button primary" onClick={() => setAdding(true)}>
          <Plus aria-hidden />
          {t("webhooks.add")}
        </button>
      </div>
      <Waiting of={found} lines={5} stale />
      {found.data?.subscribers.length === 0 && <Empty title={t("webhooks.none")}>{t("webhooks.noneMend")}</Empty>}
      <ul className="webhooks">
        {found.data?.subscribers.map((one) => (
          <Item key={one.id} one={one} shown={setSecret} />
        ))}
      </ul>
      {adding && (
        <Dialog title={t("webhooks.add")} close={() => setAdding(false)}>
          <Fields
            action={t("webhooks.add")}
            withSecret
            send={(body) => askJson<{ secret: string }>("/api/webhooks", { method: "POST", body })}
            done={(answer) => {
              setAdding(false);
              setSecret(answer.secret);
              void questions.invalidateQueries({ queryKey: KEY });
            }}
          />
        </Dialog>
      )}
      {secret && (
        <Dialog title={t("webhooks.secret")} close={() => setSecret("")}>
          <p>{t("webhooks.secretOnce")}</p>
          <Secret value={secret} label={t("webhooks.secret")} />
        </Dialog>
      )}
    </div>
  );
}

/** What a subscriber answered, and why that did not do. */
function answered({ status, fault }: { status: number; fault: string }, t: (key: string, more?: { defaultValue: string }) => string): string {
  return [status || "", fault && t(`webhooks.faults.${fault}`, { defaultValue: fault })].filter(Boolean).join(" ");
}

type Body = { title: string; url: string; types: string[]; secret?: string };

function Fields<T>({ one, action, withSecret, send, done }: {
  one?: Subscriber;
  action: string;
  withSecret?: boolean;
  send: (body: Body) => Promise<T>;
  done: (answer: T) => void;
}) {
  const { t } = useTranslation();
  const [title, setTitle] = useState(one?.title ?? "");
  const [url, setUrl] = useState(one?.url ?? "https://");
  const [types, setTypes] = useState(one?.types.join(" ") ?? "");
  const [secret, setSecret] = useState("");
  const body = (): Body => ({ title, url, types: types.split(/[\s,，]+/).filter(Boolean), ...(withSecret && secret ? { secret } : {}) });
  return (
    <Form send={() => send(body())} done={done} action={action}>
      <Input label={t("webhooks.title")} required maxLength={120} value={title} onChange={(event) => setTitle(event.target.value)} />
      <Input label={t("webhooks.url")} hint={t("webhooks.urlHint")} type="url" required maxLength={1000} value={url} onChange={(event) => setUrl(event.target.value)} />
      <Input label={t("webhooks.types")} hint={t("webhooks.typesHint")} value={types} onChange={(event) => setTypes(event.target.value)} />
      {withSecret && <Input label={t("webhooks.ownSecret")} hint={t("webhooks.ownSecretHint")} maxLength={120} autoComplete="off" value={secret} onChange={(event) => setSecret(event.target.value)} />}
    </Form>
  );
}

function Item({ one, shown }: { one: Subscriber; shown: (secret: string) => void }) {
  const { t } = useTranslation();
  const zone = useZone();
  const questions = useQueryClient();
  const [open, setOpen] = useState<"" | "change" | "remove">("");
  const [listed, setListed] = useState(false);
  const [error, setError] = useState<unknown>();
  const path = `/api/webhooks/${one.id}`;
  const fresh = () => void questions.invalidateQueries({ queryKey: KEY });
  const act = async (what: () => Promise<unknown>) => {
    setError(undefined);
    try {
      await what();
      fresh();
    } catch (problem) {
      setError(problem);
    }
  };
  return (
    <li className="card webhook">
      <div className="webhook-head">
        <span className={one.on ? "badge good" : one.why ? "badge bad" : "badge"}>{t(one.on ? "webhooks.on" : "webhooks.off")}</span>
        <b>{one.title}</b>
        <code className="small">{one.url}</code>
      </div>
      {one.why && <p className="notice bad">{t(`webhooks.whys.${one.why}`)}</p>}
      <p className="small quiet">
        {one.types.length ? one.types.join(" ") : t("webhooks.allTypes")}
        {" · "}
        {t("webhooks.waiting", { count: one.waiting, n: count(one.waiting) })}
        {one.next && ` · ${t("webhooks.again", { tries: one.tries, time: instant(one.next, zone) })}`}
        {one.fault && ` · ${answered(one, t)}`}
      </p>
      <div className="webhook-acts">
        <button type="button" className="button" onClick={() => void act(() => ask(`${path}/switch`, { method: "POST", body: { to: one.on ? "off" : "on" } }))}>
          {t(one.on ? "webhooks.switchOff" : "webhooks.switchOn")}
        </button>
        <button type="button" className="button" onClick={() => setOpen("change")}>{t("webhooks.change")}</button>
        <button type="button" className="button" onClick={() => void act(async () => shown((await askJson<{ secret: string }>(`${path}/secret`, { method: "POST" })).secret))}>
          {t("webhooks.newSecret")}
        </button>
        <button type="button" className="button" onClick={() => setOpen("remove")}>{t("webhooks.remove")}</button>
      </div>
      {error !== undefined && <Fault error={error} />}
      <details open={listed} onToggle={(event) => setListed(event.currentTarget.open)}>
        <summary className="small">
          <ChevronDown aria-hidden /> {t("webhooks.deliveries")}
        </summary>
        {listed && <Deliveries number={one.id} title={one.title} act={act} />}
      </details>
      {open === "change" && (
        <Dialog title={t("webhooks.change")} close={() => setOpen("")}>
          <Fields
            one={one}
            action={t("webhooks.save")}
            send={(body) => askJson(path, { method: "PUT", body })}
            done={() => {
              setOpen("");
              fresh();
            }}
          />
        </Dialog>
      )}
      {open === "remove" && (
        <Dialog title={t("webhooks.remove")} close={() => setOpen("")}>
          <p>{t("webhooks.removeSure", { name: one.title })}</p>
          <div className="form-actions">
            <button type="button" className="button danger" onClick={() => void act(() => ask(path, { method: "DELETE" }))}>{t("webhooks.remove")}</button>
          </div>
        </Dialog>
      )}
    </li>
  );
}

function Deliveries({ number, title, act }: { number: number; title: string; act: (what: () => Promise<unknown>) => Promise<void> }) {
  const { t } = useTranslation();
  const zone = useZone();
  const found = useInfiniteQuery({
    queryKey: [...KEY, number, "deliveries"],
    queryFn: ({ pageParam, signal }) =>
      askJson<{ deliveries: Delivery[]; before: number | null }>(`/api/webhooks/${number}/deliveries`, { query: { before: pageParam, limit: 25 }, signal }),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.before,
  });
  const rows = found.data?.pages.flatMap((page) => page.deliveries) ?? [];
  if (!found.data) return <Waiting of={found} lines={3} compact />;
  if (rows.length === 0) return <Empty title={t("webhooks.noDeliveries")} compact />;
  return (
    <>
      <Table label={`${t("webhooks.deliveries")} ${title}`}>
        <thead>
          <tr>
            {["position", "type", "made", "result", "tries", "answer"].map((one) => (
              <th key={one} scope="col">{t(`webhooks.columns.${one}`)}</th>
            ))}
            <th scope="col"><span className="hidden-visually">{t("webhooks.sendAgain")}</span></th>
          </tr>
        </thead>
        <tbody>
          {rows.map((one) => (
            <tr key={one.id}>
              <td>{one.position}</td>
              <td><code>{one.type}</code></td>
              <td className="nowrap">{instant(one.made, zone)}</td>
              <td className="nowrap">{t(`webhooks.results.${one.result || "waiting"}`)}</td>
              <td>{one.tries}</td>
              <td className="nowrap">{answered(one, t) || "–"}</td>
              <td>
                {one.done && (
                  <button type="button" className="button" aria-label={`${t("webhooks.sendAgain")} ${one.position}`} onClick={() => void act(() => ask(`/api/webhooks/${number}/deliveries/${one.id}/again`, { method: "POST" }))}>
                    {t("webhooks.sendAgain")}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
      <More of={found} label={t("webhooks.more")} />
    </>
  );
}
