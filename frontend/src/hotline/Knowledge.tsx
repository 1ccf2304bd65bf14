/** The articles that fit what is written, to be used with a key; and whether those that were used helped. */
import { ThumbsDown, ThumbsUp, X } from "lucide-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Failure } from "../design/States";
import { count as written } from "../words";
import { type Article, useArticles } from "./questions";

export type Chosen = { id: number; title: string; helped: boolean | null };

export function Knowledge({ asked, chosen, setChosen, use }: {
  asked: string;
  chosen: Chosen[];
  setChosen: (chosen: Chosen[]) => void;
  use: (one: Article) => void;
}) {
  const { t } = useTranslation();
  const found = useArticles(asked, { limit: 5 }, asked !== "");
  const shown = asked ? (found.data?.articles ?? []) : [];
  const newest = useRef({ shown, use });
  newest.current = { shown, use };
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (!event.altKey || event.shiftKey || event.ctrlKey || !/^Digit[1-9]$/.test(event.code)) return;
      const one = newest.current.shown[Number(event.code.slice(5)) - 1];
      if (!one) return;
      event.preventDefault();
      newest.current.use(one);
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
  return (
    <section className="card part" aria-label={t("hotline.article.name")}>
      <h2>{t("hotline.article.name")}</h2>
      {found.error && <Failure error={found.error} compact />}
      <p role="status" className="small quiet">
        {asked && found.data && (shown.length ? t("hotline.article.count", { count: found.data.count, n: written(found.data.count) }) : t("hotline.article.none"))}
        {!asked && t("hotline.desk.saidHint")}
      </p>
      <ol className="knowledge">
        {shown.map((one, index) => (
          <li key={one.id}>
            <details open={index === 0}>
              <summary>{one.title}</summary>
              <p className="article-body">{one.body}</p>
              <p className="small quiet">{`${one.department_title} · ${t("hotline.article.used", { n: written(one.used) })} · ${t("hotline.article.helped", { n: written(one.helped) })}`}</p>
            </details>
            <button type="button" className="button" onClick={() => use(one)}>
              {t("hotline.article.use")} <kbd>{`Alt ${index + 1}`}</kbd> <span className="hidden-visually">{one.title}</span>
            </button>
          </li>
        ))}
      </ol>
      {chosen.map((one) => (
        <div key={one.id} className="chosen-article">
          <b>{one.title}</b>
          <span className="small">{t("hotline.article.wasHelpful")}</span>
          {([true, false] as const).map((helped) => (
            <button
              key={String(helped)}
              type="button"
              className="icon-button"
              aria-pressed={one.helped === helped}
              aria-label={`${t(helped ? "hotline.article.yes" : "hotline.article.no")} ${one.title}`}
              onClick={() => setChosen(chosen.map((each) => (each.id === one.id ? { ...each, helped: each.helped === helped ? null : helped } : each)))}
            >
              {helped ? <ThumbsUp aria-hidden /> : <ThumbsDown aria-hidden />}
            </button>
          ))}
          <button type="button" className="icon-button" aria-label={`${t("hotline.article.remove")} ${one.title}`} onClick={() => setChosen(chosen.filter((each) => each.id !== one.id))}>
            <X aria-hidden />
          </button>
        </div>
      ))}
    </section>
  );
}
