/** The words of messages to reporters: read, written in both languages, looked at before anybody gets them. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../../api/client";
import { Fault, Form, Input } from "../../design/Form";
import { Waiting } from "../../design/States";
import { Versions } from "../RulesPage";
import { Area } from "./AnswerTemplates";
import { Head } from "./parts";

type Words = { subject_zh: string; subject_en: string; body_zh: string; body_en: string; short_zh: string; short_en: string };
type Notices = { version: number; fields: string[]; notices: Record<string, Words & { own: boolean }>; usual: Words };
type Shown = Record<"zh" | "en", { subject: string; body: string; short: string }>;

const LANGUAGES = [["zh", "zh-CN"], ["en", "en"]] as const;
const LONGEST = 2000;

export function NoticeWords() {
  const { t } = useTranslation();
  const [wish, setWish] = useState("received");
  const found = useQuery({ queryKey: ["case-notices"], queryFn: ({ signal }) => askJson<Notices>("/api/cases/notices", { signal }) });
  const now = found.data;
  return (
    <>
      <Head room="notices" />
      <Waiting of={found} lines={6} />
      {now && (
        <div className="wide-form stack">
          <label className="input">
            <span className="small">{t("cases.administration.notices.which")}</span>
            <select className="choice" value={wish} onChange={(event) => setWish(event.target.value)}>
              {Object.entries(now.notices).map(([one, { own }]) => (
                <option key={one} value={one}>
                  {t(`cases.administration.notices.wish.${one}`)}
                  {own ? ` · ${t("cases.administration.phrases.own")}` : ""}
                </option>
              ))}
            </select>
          </label>
          <Edit key={`${wish}-${now.version}`} wish={wish} now={now} />
        </div>
      )}
      {now && <Versions part="settings" now={now.version} />}
    </>
  );
}

function Edit({ wish, now }: { wish: string; now: Notices }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { own, ...words } = now.notices[wish]!;
  const [fresh, setFresh] = useState<Words>(words);
  const set = (values: Partial<Words>) => setFresh((before) => ({ ...before, ...values }));
  const show = useMutation({ mutationFn: () => askJson<Shown>("/api/cases/notices/shown", { method: "POST", body: { wish, words: fresh } }) });
  const put = (one: Words | null) => askJson<{ version: number }>("/api/cases/notices", { method: "PUT", body: { notices: { [wish]: one }, seen: now.version } });
  const done = () => {
    for (const key of ["case-notices", "case-settings", "case-regime"]) void client.invalidateQueries({ queryKey: [key] });
  };
  const fields = now.fields.map((name) => `{${name}} ${t(`cases.administration.notices.field.${name}`)}`).join(t("cases.semicolon"));
  return (
    <>
      <Form
        send={() => put(fresh)}
        done={done}
        action={t("form.save")}
        extra={
          <button type="button" className="button" disabled={show.isPending} onClick={() => show.mutate()}>
            {t("cases.administration.notices.show")}
          </button>
        }
      >
        <p className="small quiet">{t("cases.administration.notices.fields", { fields })}</p>
        {LANGUAGES.map(([language, lang]) => (
          <fieldset key={language}>
            <legend>{t(`cases.administration.notices.${language}`)}</legend>
            <Input label={t("cases.administration.notices.subject")} lang={lang} required maxLength={LONGEST} value={fresh[`subject_${language}`]} onChange={(event) => set({ [`subject_${language}`]: event.target.value })} />
            <Area label={t("cases.administration.notices.body")} lang={lang} rows={8} max={LONGEST} value={fresh[`body_${language}`]} set={(text) => set({ [`body_${language}`]: text })} />
            <Area label={t("cases.administration.notices.short")} lang={lang} rows={2} max={LONGEST} required={false} value={fresh[`short_${language}`]} set={(text) => set({ [`short_${language}`]: text })} />
          </fieldset>
        ))}
      </Form>
      <Fault error={show.error} />
      <div aria-live="polite">
        {show.data && (
          <section className="card stack" aria-label={t("cases.administration.notices.shown")}>
            <p className="small quiet">{t("cases.administration.notices.example")}</p>
            {LANGUAGES.map(([language, lang]) => (
              <div key={language} lang={lang} className="notice-shown">
                <b>{show.data[language].subject}</b>
                <p>{show.data[language].body}</p>
                {show.data[language].short !== show.data[language].body && <p className="small">{show.data[language].short}</p>}
              </div>
            ))}
          </section>
        )}
      </div>
      {own && <Form send={() => put(null)} done={done} action={t("cases.administration.notices.back")} />}
    </>
  );
}
