/** Make what a check found a request to the department that owns the dataset. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { askJson } from "../api/client";
import { Form, Input } from "../design/Form";
import { say, type Text } from "../words";

type Broken = { id: string; text: Text; severity: "error" | "warning" };

export function Ask({ dataset, check, rules }: { dataset: string; check: string; rules: Broken[] }) {
  const { t } = useTranslation();
  const go = useNavigate();
  const [chosen, setChosen] = useState(() => new Set(rules.filter((rule) => rule.severity === "error").map((rule) => rule.id)));
  const [note, setNote] = useState("");
  const [days, setDays] = useState("");
  const turn = (id: string) =>
    setChosen((now) => {
      const next = new Set(now);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  return (
    <details className="card ask">
      <summary>{t("intake.ask")}</summary>
      <Form
        send={() =>
          askJson<{ id: number }>("/api/corrections", {
            method: "POST",
            body: { dataset, check, rules: [...chosen], note, ...(days ? { days: Number(days) } : {}) },
          })
        }
        done={(made) => go(`/data/corrections/${made.id}`)}
        action={t("intake.ask")}
      >
        <fieldset className="plain">
          <legend>{t("intake.what")}</legend>
          {rules.map((rule) => (
            <label key={rule.id} className="check">
              <input type="checkbox" checked={chosen.has(rule.id)} onChange={() => turn(rule.id)} /> {say(rule.text)}
            </label>
          ))}
        </fieldset>
        <Input label={t("intake.words")} value={note} maxLength={2000} onChange={(event) => setNote(event.target.value)} />
        <Input label={t("intake.deadline")} type="number" min={1} max={365} value={days} placeholder={t("intake.asAgreed")} onChange={(event) => setDays(event.target.value)} />
      </Form>
    </details>
  );
}
