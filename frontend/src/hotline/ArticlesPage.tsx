/** The articles: found in a caller's words, written in versions by the department that owns them. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil, Plus } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import { useZone } from "../api/questions";
import { HandlingDepartment } from "../cases/pickers";
import { Dialog } from "../design/Dialog";
import { Form, Input } from "../design/Form";
import { SearchField } from "../design/SearchField";
import { Empty, Failure, Waiting } from "../design/States";
import { useSession } from "../session/questions";
import { count as written, instant } from "../words";
import { dayIn, midnight } from "../words/days";
import { type Article, ARTICLES, useArticles, useSettled } from "./questions";

const PAGE = 20;
const WRITERS = ["hotline_supervisor", "department_head", "case_department", "case_handler"];

export function ArticlesPage() {
  const { t } = useTranslation();
  const reader = useSession().data;
  const [search, setSearch] = useState("");
  const [all, setAll] = useState(false);
  const [skip, setSkip] = useState(0);
  const [editing, setEditing] = useState<Article | "new" | null>(null);
  const asked = useSettled(search.trim());
  const found = useArticles(asked, { limit: PAGE, all, skip });
  const writes = reader?.open || reader?.duties.some((one) => WRITERS.includes(one.role));
  const shown = found.data?.articles ?? [];
  return (
    <>
      <div className="filter-row">
        <SearchField label={t("hotline.article.search")} value={search} most={200} set={(text) => { setSearch(text); setSkip(0); }} />
        <label className="radio">
          <input type="checkbox" checked={all} onChange={(event) => setAll(event.target.checked)} />
          <span>{t("hotline.article.all")}</span>
        </label>
        {writes && (
          <button type="button" className="button" onClick={() => setEditing("new")}>
            <Plus aria-hidden />
            {t("hotline.article.add")}
          </button>
        )}
      </div>
      <p role="status" className="small quiet">
        {found.data && t("hotline.article.count", { count: found.data.count, n: written(found.data.count) })}
      </p>
      <Waiting of={found} lines={8} />
      {found.isSuccess && shown.length === 0 && <Empty title={t("hotline.article.none")}>{t("hotline.article.noneMend")}</Empty>}
      <ul className="articles">
        {shown.map((one) => (
          <li key={one.id} className="card stack">
            <Item one={one} edit={one.may_write ? () => setEditing(one) : undefined} />
          </li>
        ))}
      </ul>
      {found.data && found.data.count > PAGE && (
        <div className="pages">
          <button type="button" className="button" disabled={skip === 0} onClick={() => setSkip(Math.max(0, skip - PAGE))}>
            {t("cases.before")}
          </button>
          <button type="button" className="button" disabled={skip + PAGE >= found.data.count} onClick={() => setSkip(skip + PAGE)}>
            {t("cases.next")}
          </button>
        </div>
      )}
      {editing && <Edit article={editing === "new" ? null : editing} close={() => setEditing(null)} />}
    </>
  );
}

function Item({ one, edit }: { one: Article; edit?: () => void }) {
  const { t } = useTranslation();
  const zone = useZone();
  const day = (iso: string) => instant(iso, zone, "day");
  return (
    <>
      <header className="article-head">
        <h2>{one.title}</h2>
        <span className={one.holds ? "badge good" : "badge"}>{t(one.holds ? "hotline.article.holds" : "hotline.article.over")}</span>
        {edit && (
          <button type="button" className="icon-button" aria-label={`${t("hotline.article.change")} ${one.title}`} onClick={edit}>
            <Pencil aria-hidden />
          </button>
        )}
      </header>
      <p className="article-body">{one.body}</p>
      {one.questions.length > 0 && <p className="small quiet">{one.questions.join(" · ")}</p>}
      <p className="small quiet">
        {[
          one.department_title,
          one.until ? t("hotline.article.period", { since: day(one.since), until: day(one.until) }) : t("hotline.article.from", { since: day(one.since) }),
          t("hotline.article.version", { n: one.version }),
          t("hotline.article.used", { n: written(one.used) }),
          t("hotline.article.helped", { n: written(one.helped) }),
          t("hotline.article.failed", { n: written(one.failed) }),
        ].join(" · ")}
      </p>
      {one.version > 1 && <Versions one={one} />}
    </>
  );
}

function Versions({ one }: { one: Article }) {
  const { t } = useTranslation();
  const zone = useZone();
  const [open, setOpen] = useState(false);
  const found = useQuery({
    queryKey: [...ARTICLES, "versions", one.id, one.version],
    queryFn: ({ signal }) => askJson<Article[]>(`/api/hotline/articles/${one.id}/versions`, { signal }),
    enabled: open,
  });
  return (
    <details className="filter-more" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("hotline.article.versions", { count: one.version })}</summary>
      {found.error && <Failure error={found.error} compact />}
      <ul className="rows">
        {found.data?.map((each) => (
          <li key={each.version}>
            <div>
              <b>{`${t("hotline.article.version", { n: each.version })} · ${each.title}`}</b>
              <span className="article-body">{each.body}</span>
              <span className="small quiet">{[instant(each.written, zone, "minute"), each.note].filter(Boolean).join(" · ")}</span>
            </div>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Edit({ article, close }: { article: Article | null; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const zone = useZone();
  const id = useId();
  const [title, setTitle] = useState(article?.title ?? "");
  const [body, setBody] = useState(article?.body ?? "");
  const [questions, setQuestions] = useState(article?.questions.join("\n") ?? "");
  const [department, setDepartment] = useState(article ? { code: article.department, title: article.department_title } : null);
  const [since, setSince] = useState(article ? dayIn(zone, new Date(article.since)) : "");
  const [until, setUntil] = useState(article?.until ? dayIn(zone, new Date(article.until)) : "");
  const [note, setNote] = useState("");
  const send = () =>
    askJson<Article>(article ? `/api/hotline/articles/${article.id}` : "/api/hotline/articles", {
      method: article ? "PUT" : "POST",
      body: {
        title,
        body,
        questions: questions.split("\n").map((one) => one.trim()).filter(Boolean),
        department: department?.code ?? "",
        since: since ? midnight(since, zone) : null,
        until: until ? midnight(until, zone) : null,
        seen: article?.version ?? null,
        note,
      },
    });
  return (
    <Dialog title={t(article ? "hotline.article.change" : "hotline.article.add")} close={close}>
      <Form
        send={send}
        done={() => {
          void client.invalidateQueries({ queryKey: ARTICLES });
          close();
        }}
        action={t("form.save")}
      >
        <Input label={t("hotline.article.title")} value={title} required maxLength={200} onChange={(event) => setTitle(event.target.value)} />
        <div className="input">
          <label htmlFor={`${id}-body`}>{t("hotline.article.body")}</label>
          <textarea id={`${id}-body`} className="area" rows={6} required maxLength={20000} value={body} onChange={(event) => setBody(event.target.value)} />
        </div>
        <div className="input">
          <label htmlFor={`${id}-questions`}>{t("hotline.article.questions")}</label>
          <textarea id={`${id}-questions`} className="area" rows={3} value={questions} onChange={(event) => setQuestions(event.target.value)} />
        </div>
        <HandlingDepartment label={t("hotline.article.department")} value={department} pick={(one) => setDepartment(one && { code: one.code, title: one.title })} />
        <div className="two">
          <Input label={t("hotline.article.since")} type="date" value={since} onChange={(event) => setSince(event.target.value)} />
          <Input label={t("hotline.article.until")} type="date" value={until} hint={until ? undefined : t("hotline.article.always")} onChange={(event) => setUntil(event.target.value)} />
        </div>
        <Input label={t("hotline.article.note")} value={note} maxLength={400} onChange={(event) => setNote(event.target.value)} />
      </Form>
    </Dialog>
  );
}
