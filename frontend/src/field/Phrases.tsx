/** What a step offers to write, kept for when the network is away; a tap adds it to what is written. */
import { useTranslation } from "react-i18next";
import { phrasesOf } from "../cases/phrases";
import { usePhrases } from "./questions";

export function Phrases({ person, action, text, set }: { person: string; action: string; text: string; set: (text: string) => void }) {
  const { t, i18n } = useTranslation();
  const offered = phrasesOf(action, usePhrases(person).data?.answer.phrases, i18n);
  if (offered.length === 0) return null;
  return (
    <ul className="field-phrases" aria-label={t("cases.step.templates")}>
      {offered.map((one) => (
        <li key={one}>
          <button type="button" onClick={() => set(text ? `${text} ${one}` : one)}>
            {one}
          </button>
        </li>
      ))}
    </ul>
  );
}
