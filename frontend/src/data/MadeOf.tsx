/** Of which datasets a file was made, where it does not say so itself. */
import { X } from "lucide-react";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import { useDatasets } from "../api/questions";
import type { Dataset } from "../api/types";
import { type Choice, Picker } from "../design/Picker";
import { langOf, say } from "../words";

/** As many are shown as one looks through. */
const SHOWN = 12;

export function MadeOf({ chosen, itself, choose }: {
  chosen: string[];
  /** The identifier of the file's own dataset, which it is not made of. */
  itself: string;
  choose: (chosen: string[]) => void;
}) {
  const { t } = useTranslation();
  const hint = useId();
  const datasets = useDatasets();
  const known = datasets.data ?? [];
  const left = known.filter((one) => one.version !== null && one.id !== itself && !chosen.includes(one.id));
  return (
    <fieldset className="plain stack" aria-describedby={hint}>
      <legend className="small">{t("intake.madeOf")}</legend>
      {chosen.length > 0 && (
        <ul className="made-of">
          {chosen.map((id) => {
            const title = titleOf(known, id);
            return (
              <li key={id} className="badge">
                <span lang={langOf(title)}>{title}</span>
                <button
                  type="button"
                  className="icon-button"
                  aria-label={t("intake.notMadeOf", { title })}
                  onClick={() => choose(chosen.filter((one) => one !== id))}
                >
                  <X aria-hidden />
                </button>
              </li>
            );
          })}
        </ul>
      )}
      <Picker
        label={t("intake.madeOf")}
        hideLabel
        hint={t("intake.addMadeOf")}
        value={null}
        pick={(one) => one && choose([...chosen, one.code])}
        find={async (text) => fitting(left, text)}
        name={`made of ${left.map((one) => one.id).join(" ")}`}
        clear={t("intake.addMadeOf")}
        nothing={t("intake.noSuchDataset")}
      />
      <p id={hint} className="small quiet">
        {t("intake.madeOfHint")}
      </p>
    </fieldset>
  );
}

function titleOf(known: Dataset[], id: string): string {
  const found = known.find((one) => one.id === id);
  return found ? say(found.title) : id;
}

/** The datasets of whose title or identifier a text is a part. */
function fitting(datasets: Dataset[], text: string): Choice[] {
  const part = text.toLowerCase();
  return datasets
    .filter((one) => [one.id, one.title.zh, one.title.en].some((name) => name.toLowerCase().includes(part)))
    .slice(0, SHOWN)
    .map((one) => ({ code: one.id, title: say(one.title) }));
}
