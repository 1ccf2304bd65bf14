/** The figures that differ from city to city: limits of stages, warnings, numbers, how often and how near. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../../api/client";
import { Form, Input } from "../../design/Form";
import { Waiting } from "../../design/States";
import { say } from "../../words";
import { useLifecycle } from "../questions";
import { Versions } from "../RulesPage";
import { Head } from "./parts";

type Limit = { unit: string; amount: number } | [string, number];
type Settings = Record<string, unknown> & {
  limits: Record<string, Limit>;
  overall: Limit;
  shares: number[];
  number: string;
  division: string;
  trusted: string[];
  check_before_closing: boolean;
};
type Answer = { version: number; settings: Settings };

const UNITS = ["urgent_hour", "work_hour", "work_day", "natural_day"];
const NUMBERS = [
  "extensions",
  "suspensions",
  "suspension_days",
  "reopen_days",
  "stock_days",
  "duplicate_metres",
  "duplicate_days",
  "border_metres",
  "track_days",
];

const parted = (limit: Limit): [string, number] => (Array.isArray(limit) ? limit : [limit.unit, limit.amount]);
const joined = (like: Limit, unit: string, amount: number): Limit => (Array.isArray(like) ? [unit, amount] : { unit, amount });

export function SettingsForm() {
  const found = useQuery({
    queryKey: ["case-settings"],
    queryFn: ({ signal }) => askJson<Answer>("/api/cases/settings", { signal }),
  });
  return (
    <>
      <Head room="settings" />
      <Waiting of={found} lines={8} />
      {found.data && <Edit key={found.data.version} now={found.data} />}
      {found.data && <Versions part="settings" now={found.data.version} />}
    </>
  );
}

function Edit({ now }: { now: Answer }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const sources = useLifecycle().data?.sources ?? {};
  const [fresh, setFresh] = useState(now.settings);
  const [shares, setShares] = useState(now.settings.shares.join(" "));
  const [said, setSaid] = useState("");
  const set = (values: Partial<Settings>) => setFresh((before) => ({ ...before, ...values }) as Settings);
  const send = () =>
    askJson<{ version: number }>("/api/cases/settings", {
      method: "PUT",
      query: { seen: now.version },
      body: { ...fresh, shares: shares.split(/[^0-9]+/).filter(Boolean).map(Number) },
    });
  const done = (answer: { version: number }) => {
    setSaid(t("cases.administration.adopted", { version: answer.version }));
    void client.invalidateQueries({ queryKey: ["case-settings"] });
    void client.invalidateQueries({ queryKey: ["case-regime"] });
  };
  const stages = Object.keys(fresh.limits);
  return (
    <div className="wide-form">
      <Form send={send} done={done} action={t("cases.administration.settings.save")}>
        <fieldset>
          <legend>{t("cases.administration.settings.limits")}</legend>
          <div className="sets">
            {stages.map((stage) => (
              <LimitInput
                key={stage}
                label={t(`cases.stages.${stage}`)}
                value={fresh.limits[stage]!}
                set={(limit) => set({ limits: { ...fresh.limits, [stage]: limit } })}
              />
            ))}
            <LimitInput label={t("cases.administration.settings.overall")} value={fresh.overall} set={(overall) => set({ overall })} />
          </div>
        </fieldset>
        <Input label={t("cases.administration.settings.shares")} hint={t("cases.administration.settings.sharesHint")} value={shares} required onChange={(event) => setShares(event.target.value)} />
        <div className="two">
          <Input label={t("cases.administration.settings.number")} hint={t("cases.administration.settings.numberHint")} value={fresh.number} required maxLength={80} onChange={(event) => set({ number: event.target.value })} />
          <Input label={t("cases.administration.settings.division")} value={fresh.division} required maxLength={12} onChange={(event) => set({ division: event.target.value })} />
        </div>
        <fieldset>
          <legend>{t("cases.administration.settings.trusted")}</legend>
          <div className="checks">
            {Object.entries(sources).map(([key, says]) => (
              <label key={key}>
                <input
                  type="checkbox"
                  checked={fresh.trusted.includes(key)}
                  onChange={(event) => set({ trusted: event.target.checked ? [...fresh.trusted, key] : fresh.trusted.filter((one) => one !== key) })}
                />
                {say(says)}
              </label>
            ))}
          </div>
        </fieldset>
        <label className="radio">
          <input type="checkbox" checked={fresh.check_before_closing} onChange={(event) => set({ check_before_closing: event.target.checked })} />
          <span>{t("cases.administration.settings.check_before_closing")}</span>
        </label>
        <div className="sets">
          {NUMBERS.map((name) => (
            <Input
              key={name}
              label={t(`cases.administration.settings.${name}`)}
              type="number"
              min={0}
              required
              value={String(fresh[name] ?? "")}
              onChange={(event) => set({ [name]: Number(event.target.value) })}
            />
          ))}
        </div>
        <p className="small quiet">{t("cases.administration.settings.keeps")}</p>
      </Form>
      <p role="status" className="small">
        {said}
      </p>
    </div>
  );
}

function LimitInput({ label, value, set }: { label: string; value: Limit; set: (limit: Limit) => void }) {
  const { t } = useTranslation();
  const [unit, amount] = parted(value);
  return (
    <div className="limit">
      <Input label={label} type="number" min={0.01} step="any" required value={amount} onChange={(event) => set(joined(value, unit, Number(event.target.value)))} />
      <select className="choice" aria-label={t("cases.administration.settings.unitOf", { stage: label })} value={unit} onChange={(event) => set(joined(value, event.target.value, amount))}>
        {UNITS.map((one) => (
          <option key={one} value={one}>
            {t(`cases.units.${one}`)}
          </option>
        ))}
      </select>
    </div>
  );
}
