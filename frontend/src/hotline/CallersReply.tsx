/** On the page of a case that came by the hotline: its callers are told, and their clocks stop. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import { AnswerPicker, type Named } from "../cases/Answers";
import { Form, Input } from "../design/Form";
import { useSession } from "../session/questions";

const TELL = ["case_department", "case_handler", "hotline_taker", "hotline_supervisor"];

export function CallersReply({ number, named }: { number: string; named?: Named }) {
  const { t } = useTranslation();
  const reader = useSession().data;
  const [words, setWords] = useState("");
  const [told, setTold] = useState(false);
  if (!reader?.open && !reader?.duties.some((one) => TELL.includes(one.role))) return null;
  return (
    <details className="card stack">
      <summary>{t("hotline.call.reply")}</summary>
      {told ? (
        <p role="status">{t("hotline.calls.replied")}</p>
      ) : (
        <Form
          send={() => askJson(`/api/hotline/cases/${number}/reply`, { method: "POST", body: { reached: true, words } })}
          done={() => setTold(true)}
          action={t("hotline.call.reached")}
        >
          <p className="small quiet">{t("hotline.call.replyLead")}</p>
          <Input label={t("hotline.call.words")} value={words} maxLength={400} onChange={(event) => setWords(event.target.value)} />
          <AnswerPicker place="hotline_reply" named={{ number: { zh: number, en: number }, ...named }} add={(more) => setWords(words ? `${words} ${more}` : more)} />
        </Form>
      )}
    </details>
  );
}
