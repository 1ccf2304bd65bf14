/** Answers that are given again and again: chosen where a reporter will read them, put in in one or both languages. */
import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import { languageNow, say, type Text } from "../words";

export type Answer = { key: string; title_zh: string; title_en: string; zh: string; en: string; places: string[] };
export type Answers = { version: number; answers: Answer[]; places: Record<string, Text>; fields: string[] };
/** What an answer can name, in both languages; what is not known is left out. */
export type Named = Record<string, Text | undefined>;

export function useAnswers() {
  return useQuery({
    queryKey: ["case-answers"],
    queryFn: ({ signal }) => askJson<Answers>("/api/cases/answers", { signal }),
    staleTime: 60_000,
  });
}

const FIELD = /\{(\w+)\}/g;
const filled = (text: string, named: Named, language: "zh" | "en") => text.replace(FIELD, (_, name: string) => named[name]?.[language] ?? "");
const known = (one: Answer, named: Named) => [...`${one.zh}${one.en}`.matchAll(FIELD)].every(([, name]) => named[name!]);

export function AnswerPicker({ place, named = {}, add }: { place: string; named?: Named; add: (words: string) => void }) {
  const { t } = useTranslation();
  const id = useId();
  const [key, setKey] = useState("");
  const offered = (useAnswers().data?.answers ?? []).filter((one) => one.places.includes(place) && known(one, named));
  const chosen = offered.find((one) => one.key === key);
  if (offered.length === 0) return null;
  const texts = chosen && { zh: filled(chosen.zh, named, "zh"), en: filled(chosen.en, named, "en") };
  return (
    <div className="input answers">
      <label htmlFor={id}>{t("cases.answer.choose")}</label>
      <select id={id} className="choice" value={chosen ? key : ""} onChange={(event) => setKey(event.target.value)}>
        <option value="">{t("cases.answer.none")}</option>
        {offered.map((one) => (
          <option key={one.key} value={one.key}>
            {say({ zh: one.title_zh, en: one.title_en })}
          </option>
        ))}
      </select>
      {texts && (
        <>
          <p className="small quiet">{texts[languageNow() === "en" ? "en" : "zh"]}</p>
          <div className="templates" role="group" aria-label={t("cases.answer.language")}>
            <button type="button" className="chip" onClick={() => add(texts.zh)}>
              {t("cases.answer.zh")}
            </button>
            <button type="button" className="chip" onClick={() => add(texts.en)}>
              {t("cases.answer.en")}
            </button>
            <button type="button" className="chip" onClick={() => add(`${texts.zh}\n${texts.en}`)}>
              {t("cases.answer.both")}
            </button>
          </div>
        </>
      )}
    </div>
  );
}

export const joined = (before: string, words: string) => (before.trim() ? `${before.trimEnd()}\n${words}` : words);
