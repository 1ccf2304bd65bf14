/** One object: what it is, what became of it, what happened to it, and its label. */
import { useQuery } from "@tanstack/react-query";
import { Printer } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link, Route, Routes, useNavigate, useParams } from "react-router";
import { askJson } from "../api/client";
import { useZone } from "../api/questions";
import { Empty, Waiting } from "../design/States";
import { actorOf } from "../session/actors";
import { instant, say, type Text } from "../words";
import "./objects.css";

type Thing = {
  id: string;
  kind: string;
  owner: string;
  title: string;
  state: "active" | "split" | "merged" | "retired";
  created: string;
  valid_from: string | null;
  valid_to: string | null;
  cell: string | null;
  level: number | null;
  code: string | null;
  dataset: { id: string; title: Text } | null;
};
type Resolution = { object: Thing; current: Thing[] };
type Change = { type: string; says: Text; time: string; actor: string | null; data: Record<string, unknown> | null };

const grouped = (id: string) => [id.slice(0, 4), id.slice(4, 8), id.slice(8, 12), id.slice(12)].join("-");

export default function ObjectPages() {
  return (
    <Routes>
      <Route index element={<Find />} />
      <Route path=":id" element={<ObjectPage />} />
    </Routes>
  );
}

/** Where one types the identifier of a label that cannot be scanned. */
function Find() {
  const { t } = useTranslation();
  const go = useNavigate();
  return (
    <div className="page">
      <header>
        <h1>{t("objects.name")}</h1>
        <p className="lead">{t("objects.lead")}</p>
      </header>
      <form
        className="object-find"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          const typed = String(new FormData(event.currentTarget).get("id") ?? "").trim();
          if (typed) void go(`/objects/${encodeURIComponent(typed)}`);
        }}
      >
        <label>
          <span className="small">{t("objects.identifier")}</span>
          <div className="field">
            <input name="id" className="code" placeholder="7Q2K-9M4T-1BXA-5" maxLength={40} spellCheck={false} />
          </div>
        </label>
        <button type="submit" className="button primary">
          {t("objects.find")}
        </button>
      </form>
    </div>
  );
}

function ObjectPage() {
  const { t } = useTranslation();
  const { id = "" } = useParams();
  const zone = useZone();
  const address = `/api/objects/${encodeURIComponent(id)}`;
  const answer = useQuery({
    queryKey: ["object", id],
    queryFn: ({ signal }) => askJson<Resolution>(address, { signal }),
  });
  const history = useQuery({
    queryKey: ["object", id, "history"],
    queryFn: ({ signal }) => askJson<Change[]>(`${address}/history`, { signal }),
    enabled: answer.data !== undefined,
  });
  const thing = answer.data?.object;
  const successors = answer.data?.current.filter((one) => one.id !== thing?.id) ?? [];

  return (
    <div className="page">
      <header>
        <nav aria-label={t("data.way")} className="small">
          <Link to="/objects">{t("objects.name")}</Link> / {thing ? grouped(thing.id) : id}
        </nav>
        <h1>{thing ? thing.title || grouped(thing.id) : t("objects.name")}</h1>
        {thing && (
          <p className="object-head">
            <code>{grouped(thing.id)}</code>
            <span className={thing.state === "active" ? "badge good" : "badge warn"}>{t(`objects.states.${thing.state}`)}</span>
          </p>
        )}
      </header>
      <Waiting of={answer} lines={6} />
      {thing && (
        <div className="object-parts">
          <section className="card object-card">
            <h2>{t("objects.about")}</h2>
            <dl className="facts">
              <dt>{t("objects.kind")}</dt>
              <dd>{thing.kind}</dd>
              <dt>{t("objects.owner")}</dt>
              <dd>{thing.dataset ? <Link to={`/data/${thing.dataset.id}`}>{say(thing.dataset.title)}</Link> : thing.owner}</dd>
              <dt>{t("objects.since")}</dt>
              <dd>{instant(thing.valid_from ?? thing.created, zone, "minute")}</dd>
              {thing.valid_to && (
                <>
                  <dt>{t("objects.until")}</dt>
                  <dd>{instant(thing.valid_to, zone, "minute")}</dd>
                </>
              )}
              {thing.code && (
                <>
                  <dt>{t("objects.place")}</dt>
                  <dd>
                    <Link to={`/?cell=${encodeURIComponent(thing.code)}`} className="code">
                      {thing.code}
                    </Link>{" "}
                    <span className="quiet">{t("objects.level", { level: thing.level })}</span>
                  </dd>
                </>
              )}
            </dl>
            {thing.state !== "active" && (
              <div className="object-successors">
                <h3>{t("objects.successors")}</h3>
                {successors.length === 0 && <p className="small quiet">{t("objects.noSuccessor")}</p>}
                <ul>
                  {successors.map((one) => (
                    <li key={one.id}>
                      <Link to={`/objects/${one.id}`}>{one.title || grouped(one.id)}</Link> <code>{grouped(one.id)}</code>
                    </li>
                  ))}
                </ul>
              </div>
            )}
          </section>
          <section className="card object-card">
            <h2>{t("objects.label")}</h2>
            <img className="object-label" src={`${address}/label`} alt={t("objects.labelAlt", { id: grouped(thing.id) })} />
            <p>
              <a className="button" href={`${address}/label`} target="_blank" rel="noreferrer">
                <Printer aria-hidden />
                {t("objects.print")}
              </a>
            </p>
          </section>
          <section className="card object-card object-history">
            <h2>{t("objects.history")}</h2>
            <Waiting of={history} compact />
            {history.data?.length === 0 && <Empty title={t("objects.noHistory")} compact />}
            <ol className="object-changes">
              {history.data?.map((change, at) => (
                <li key={at}>
                  <time dateTime={change.time} className="small quiet">
                    {instant(change.time, zone, "minute")}
                  </time>
                  <span>
                    <strong>{say(change.says)}</strong>
                    {change.actor && <span className="small quiet"> {actorOf(change.actor, t)}</span>}
                    {change.data && "reason" in change.data && <span className="small"> {String(change.data.reason)}</span>}
                    {change.data && "after" in change.data && (
                      <span className="small">
                        {" "}
                        {String(change.data.before)} → {String(change.data.after)}
                      </span>
                    )}
                  </span>
                </li>
              ))}
            </ol>
            <p className="small">
              <Link to={`/log?subject=${encodeURIComponent(`object/${thing.id}`)}`}>{t("objects.inLog")}</Link>
            </p>
          </section>
        </div>
      )}
    </div>
  );
}
