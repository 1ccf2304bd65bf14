/** Answers that staff give again and again: read, written in both languages, put back to the usual ones. */
import { useQueryClient } from "@tanstack/react-query";
import { Pencil, Plus, Trash2 } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../../api/client";
import { Dialog } from "../../design/Dialog";
import { Form, Input } from "../../design/Form";
import { Empty, Waiting } from "../../design/States";
import { say } from "../../words";
import { type Answer, type Answers, useAnswers } from "../Answers";
import { Versions } from "../RulesPage";
import { Head } from "./parts";

const NEW: Answer = { key: "", title_zh: "", title_en: "", zh: "", en: "", places: [] };
const named = (one: Answer) => say({ zh: one.title_zh, en: one.title_en });

export function AnswerTemplates() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const found = useAnswers();
  const [editing, setEditing] = useState<Answer | null>(null);
  const [removing, setRemoving] = useState<Answer | null>(null);
  const [restoring, setRestoring] = useState(false);
  const [said, setSaid] = useState("");
  const now = found.data;
  const put = (answers: Answer[] | null) =>
    askJson<{ version: number }>("/api/cases/answers", { method: "PUT", body: { answers, seen: now?.version } });
  const done = (answer: { version: number }) => {
    setEditing(null);
    setRemoving(null);
    setRestoring(false);
    setSaid(t("cases.administration.adopted", { version: answer.version }));
    void client.invalidateQueries({ queryKey: ["case-answers"] });
    void client.invalidateQueries({ queryKey: ["case-regime"] });
  };
  return (
    <>
      <Head room="answers" />
      <div className="chips">
        <button type="button" className="button" onClick={() => setEditing(NEW)}>
          <Plus aria-hidden />
          {t("cases.administration.answers.add")}
        </button>
        {now && now.version > 0 && (
          <button type="button" className="button" onClick={() => setRestoring(true)}>
            {t("cases.administration.answers.back")}
          </button>
        )}
      </div>
      <p role="status" className="small">
        {said}
      </p>
      <Waiting of={found} lines={5} />
      {now?.answers.length === 0 && <Empty title={t("cases.administration.answers.empty")} />}
      {now && now.answers.length > 0 && (
        <ul className="rows card">
          {now.answers.map((one) => (
            <li key={one.key}>
              <div>
                <b>{named(one)}</b>
                <span className="small quiet block">{one.places.map((place) => say(now.places[place])).join(t("cases.semicolon"))}</span>
                <span className="small block" lang="zh-CN">
                  {one.zh}
                </span>
                <span className="small block" lang="en">
                  {one.en}
                </span>
              </div>
              <div className="row-actions">
                <button type="button" className="icon-button" aria-label={t("cases.administration.answers.edit", { title: named(one) })} onClick={() => setEditing(one)}>
                  <Pencil aria-hidden />
                </button>
                <button type="button" className="icon-button" aria-label={t("cases.administration.answers.remove", { title: named(one) })} onClick={() => setRemoving(one)}>
                  <Trash2 aria-hidden />
                </button>
              </div>
            </li>
          ))}
        </ul>
      )}
      {now && <Versions part="answers" now={now.version} />}
      {now && editing && (
        <EditAnswer
          one={editing}
          now={now}
          close={() => setEditing(null)}
          done={done}
          send={(fresh) => put(editing.key ? now.answers.map((one) => (one.key === editing.key ? fresh : one)) : [...now.answers, fresh])}
        />
      )}
      {now && removing && (
        <Dialog title={t("cases.administration.answers.remove", { title: named(removing) })} close={() => setRemoving(null)}>
          <Form send={() => put(now.answers.filter((one) => one.key !== removing.key))} done={done} action={t("cases.rules.remove")} danger>
            <p>{t("cases.administration.answers.removeLead")}</p>
          </Form>
        </Dialog>
      )}
      {restoring && (
        <Dialog title={t("cases.administration.answers.back")} close={() => setRestoring(false)}>
          <Form send={() => put(null)} done={done} action={t("cases.administration.answers.back")}>
            <p>{t("cases.administration.answers.backLead")}</p>
          </Form>
        </Dialog>
      )}
    </>
  );
}

type EditProps = { one: Answer; now: Answers; close: () => void; done: (answer: { version: number }) => void; send: (fresh: Answer) => Promise<{ version: number }> };

function EditAnswer({ one, now, close, done, send }: EditProps) {
  const { t } = useTranslation();
  const [fresh, setFresh] = useState(one);
  const set = (values: Partial<Answer>) => setFresh((before) => ({ ...before, ...values }));
  const fields = now.fields.map((name) => `{${name}}`).join(" ");
  const free = () => {
    const taken = new Set(now.answers.map((other) => other.key));
    let n = now.answers.length + 1;
    while (taken.has(`answer_${n}`)) n += 1;
    return `answer_${n}`;
  };
  return (
    <Dialog title={one.key ? t("cases.administration.answers.edit", { title: named(one) }) : t("cases.administration.answers.add")} close={close}>
      <Form send={() => send({ ...fresh, key: fresh.key || free() })} done={done} action={t("form.save")}>
        <Input label={t("cases.administration.answers.title_zh")} lang="zh-CN" value={fresh.title_zh} required maxLength={40} onChange={(event) => set({ title_zh: event.target.value })} />
        <Input label={t("cases.administration.answers.title_en")} lang="en" value={fresh.title_en} required maxLength={40} onChange={(event) => set({ title_en: event.target.value })} />
        <Area label={t("cases.administration.answers.zh")} lang="zh-CN" value={fresh.zh} set={(zh) => set({ zh })} max={1000} hint={t("cases.administration.answers.hint", { fields })} />
        <Area label={t("cases.administration.answers.en")} lang="en" value={fresh.en} set={(en) => set({ en })} max={1000} />
        <fieldset>
          <legend>{t("cases.administration.answers.places")}</legend>
          <div className="checks">
            {Object.entries(now.places).map(([place, says]) => (
              <label key={place}>
                <input
                  type="checkbox"
                  checked={fresh.places.includes(place)}
                  onChange={(event) => set({ places: event.target.checked ? [...fresh.places, place] : fresh.places.filter((other) => other !== place) })}
                />
                {say(says)}
              </label>
            ))}
          </div>
        </fieldset>
      </Form>
    </Dialog>
  );
}

/** Several lines of words in one language. */
export function Area({ label, lang, value, set, max, rows = 3, required = true, hint }: {
  label: string;
  lang: string;
  value: string;
  set: (value: string) => void;
  max: number;
  rows?: number;
  required?: boolean;
  hint?: string;
}) {
  const id = useId();
  return (
    <div className="input">
      <label htmlFor={id}>{label}</label>
      <textarea id={id} className="area" rows={rows} lang={lang} value={value} maxLength={max} required={required} aria-describedby={hint && `${id}-hint`} onChange={(event) => set(event.target.value)} />
      {hint && (
        <p id={`${id}-hint`} className="small quiet">
          {hint}
        </p>
      )}
    </div>
  );
}
