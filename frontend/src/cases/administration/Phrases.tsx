/** What steps offer to write: a city's own phrases instead of those that come with the product. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../../api/client";
import { Form } from "../../design/Form";
import { Failure, Loading } from "../../design/States";
import { say } from "../../words";
import { phrasesOf, usePhrases } from "../phrases";
import { type Transition, useLifecycle } from "../questions";
import { Versions } from "../RulesPage";
import { Head } from "./parts";

const WRITTEN = ["reason", "words"];

export function Phrases() {
  const { t } = useTranslation();
  const table = useLifecycle();
  const found = usePhrases();
  const steps = (table.data?.transitions ?? []).filter((one) => one.axis !== "system" && [...one.needs, ...one.takes].some((name) => WRITTEN.includes(name)));
  const [action, setAction] = useState("return_to_dispatcher");
  const step = steps.find((one) => one.action === action);
  return (
    <>
      <Head room="phrases" />
      {(found.isPending || table.isPending) && <Loading lines={4} />}
      {found.error && <Failure error={found.error} retry={() => found.refetch()} />}
      {found.data && step && (
        <div className="wide-form stack">
          <label className="input">
            <span className="small">{t("cases.administration.phrases.step")}</span>
            <select className="choice" value={action} onChange={(event) => setAction(event.target.value)}>
              {steps.map((one) => (
                <option key={one.action} value={one.action}>
                  {say(one.says)}
                  {found.data.phrases[one.action] ? ` · ${t("cases.administration.phrases.own")}` : ""}
                </option>
              ))}
            </select>
          </label>
          <Edit key={`${action}-${found.data.version}`} step={step} version={found.data.version} phrases={found.data.phrases} />
        </div>
      )}
      {found.data && <Versions part="phrases" now={found.data.version} />}
    </>
  );
}

function Edit({ step, version, phrases }: { step: Transition; version: number; phrases: Record<string, string[]> }) {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const [text, setText] = useState(phrasesOf(step.action, phrases, i18n).join("\n"));
  const [said, setSaid] = useState("");
  const put = (listed: string[] | null) =>
    askJson<{ version: number }>("/api/cases/phrases", { method: "PUT", body: { phrases: { [step.action]: listed }, seen: version } });
  const done = (answer: { version: number }) => {
    setSaid(t("cases.administration.adopted", { version: answer.version }));
    void client.invalidateQueries({ queryKey: ["case-phrases"] });
    void client.invalidateQueries({ queryKey: ["case-regime"] });
  };
  return (
    <>
      <Form send={() => put(text.split("\n"))} done={done} action={t("form.save")}>
        <label className="input">
          <span className="small">{t("cases.administration.phrases.listed", { step: say(step.says) })}</span>
          <textarea className="area" rows={8} value={text} maxLength={6000} onChange={(event) => setText(event.target.value)} />
        </label>
      </Form>
      {phrases[step.action] && <Form send={() => put(null)} done={done} action={t("cases.administration.phrases.back")} />}
      <p role="status" className="small">
        {said}
      </p>
    </>
  );
}
