/** The form of a rule: its signs with hysteresis, where they must be together, quiet times and escalation. */
import { Plus, Trash2 } from "lucide-react";
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";
import { useDataset, useDatasets } from "../api/questions";
import type { Dataset } from "../api/types";
import { Input } from "../design/Form";
import { say } from "../words";
import { type DatasetSign, type Downstream, type Escalation, GRAVEST, type Kind, type Quiet, type RuleBody, type Severity, type Sign, useObserved } from "./alarms";

const KINDS: Kind[] = ["above", "below", "rising", "falling", "frozen", "silent"];
const TOGETHER = ["stream", "thing", "zone"] as const;
const DAYS = [1, 2, 3, 4, 5, 6, 7];

const number = (text: string): number | null => (text.trim() === "" || Number.isNaN(Number(text)) ? null : Number(text));

export function RuleForm({ body, change }: { body: RuleBody; change: (body: RuleBody) => void }) {
  const { t } = useTranslation();
  const observed = useObserved().data ?? [];
  const id = useId();
  const set = (more: Partial<RuleBody>) => change({ ...body, ...more });
  const together = body.together ?? "stream";
  const swap = <T,>(list: T[], at: number, one: T | null) =>
    one === null ? list.filter((_, index) => index !== at) : list.map((old, index) => (index === at ? one : old));
  return (
    <>
      <datalist id={id}>
        {observed.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <div className="rule-row">
        <Input label={t("alarms.rule.zh")} value={body.zh} required maxLength={200} onChange={(event) => set({ zh: event.target.value })} />
        <Input label={t("alarms.rule.en")} value={body.en} required maxLength={200} onChange={(event) => set({ en: event.target.value })} />
      </div>
      <div className="rule-row">
        <Choose label={t("alarms.rule.severity")} value={body.severity ?? "warning"} options={GRAVEST} name={(one) => t(`alarms.severities.${one}`)} set={(severity) => set({ severity: severity as Severity })} />
        <Choose label={t("alarms.rule.together")} value={together} options={[...TOGETHER]} name={(one) => t(`alarms.rule.togethers.${one}`)} set={(one) => set({ together: one as RuleBody["together"] })} />
        {(together === "zone" || body.datasets?.some((one) => !one.metres)) && (
          <Numbers label={t("alarms.rule.level")} hint={t("alarms.rule.levelHint")} value={body.level ?? 17} min={1} max={32} set={(level) => set({ level: level ?? 17 })} />
        )}
      </div>
      <h3>{t("alarms.rule.signs")}</h3>
      {body.signs.map((sign, at) => (
        <Part key={at} title={t("alarms.rule.signNumber", { number: at + 1 })} remove={body.signs.length > 1 ? { name: t("alarms.rule.removeSign", { number: at + 1 }), by: () => set({ signs: swap(body.signs, at, null) }) } : undefined}>
          <SignFields sign={sign} list={id} alone={together === "stream"} change={(one) => set({ signs: swap(body.signs, at, one) })} />
        </Part>
      ))}
      {together !== "stream" && body.signs.length < 8 && (
        <AddButton name={t("alarms.rule.addSign")} add={() => set({ signs: [...body.signs, { observes: "", kind: "above", value: null }] })} />
      )}
      <h3>{t("alarms.rule.datasets")}</h3>
      {(body.datasets ?? []).map((one, at) => (
        <Part key={at} title={t("alarms.rule.datasetNumber", { number: at + 1 })} remove={{ name: t("alarms.rule.removeDataset", { number: at + 1 }), by: () => set({ datasets: swap(body.datasets ?? [], at, null) }) }}>
          <DatasetFields sign={one} change={(next) => set({ datasets: swap(body.datasets ?? [], at, next) })} />
        </Part>
      ))}
      {(body.datasets ?? []).length < 4 && (
        <AddButton name={t("alarms.rule.addDataset")} add={() => set({ datasets: [...(body.datasets ?? []), { dataset: "", metres: 500 }] })} />
      )}
      <div className="rule-row">
        <Input label={t("alarms.rule.causeField")} hint={t("alarms.rule.causeHint")} value={body.cause ?? ""} maxLength={60} onChange={(event) => set({ cause: event.target.value })} />
        <Numbers label={t("alarms.rule.spread")} value={body.spread ?? 0} min={0} max={3} set={(spread) => set({ spread: spread ?? 0 })} />
      </div>
      <Input label={t("alarms.rule.within")} hint={t("alarms.rule.withinHint")} value={(body.within ?? []).join(" ")} onChange={(event) => set({ within: event.target.value.split(/\s/).filter((one, at, all) => one || at === all.length - 1) })} onBlur={() => set({ within: (body.within ?? []).filter(Boolean) })} />
      <h3>{t("alarms.rule.downstream")}</h3>
      {body.downstream ? (
        <Part title={t("alarms.rule.downstream")} remove={{ name: t("alarms.rule.removeDownstream"), by: () => set({ downstream: undefined }) }}>
          <DownstreamFields way={body.downstream} change={(downstream) => set({ downstream })} />
        </Part>
      ) : (
        <AddButton name={t("alarms.rule.addDownstream")} add={() => set({ downstream: { dataset: "", metres: 1000 } })} />
      )}
      <h3>{t("alarms.rule.quiet")}</h3>
      {(body.quiet ?? []).map((one, at) => (
        <Part key={at} remove={{ name: t("alarms.rule.removeQuiet", { number: at + 1 }), by: () => set({ quiet: swap(body.quiet ?? [], at, null) }) }}>
          <QuietFields quiet={one} change={(next) => set({ quiet: swap(body.quiet ?? [], at, next) })} />
        </Part>
      ))}
      <AddButton name={t("alarms.rule.addQuiet")} add={() => set({ quiet: [...(body.quiet ?? []), { from: "22:00", to: "06:00" }] })} />
      <h3>{t("alarms.rule.escalation")}</h3>
      {(body.escalation ?? []).map((one, at) => (
        <Part key={at} remove={{ name: t("alarms.rule.removeStep", { number: at + 1 }), by: () => set({ escalation: swap(body.escalation ?? [], at, null) }) }}>
          <StepFields step={one} change={(next) => set({ escalation: swap(body.escalation ?? [], at, next) })} />
        </Part>
      ))}
      <AddButton name={t("alarms.rule.addStep")} add={() => set({ escalation: [...(body.escalation ?? []), { minutes: 30, to: "" }] })} />
    </>
  );
}

function SignFields({ sign, list, alone, change }: { sign: Sign; list: string; alone: boolean; change: (sign: Sign) => void }) {
  const { t } = useTranslation();
  const set = (more: Partial<Sign>) => change({ ...sign, ...more });
  const lasts = sign.kind === "frozen" || sign.kind === "silent";
  const rate = sign.kind === "rising" || sign.kind === "falling";
  const turn = (kind: Kind) => {
    const bare: Sign = { observes: sign.observes, kind, unit: sign.unit, seconds: sign.seconds, least: sign.least };
    change(kind === "frozen" || kind === "silent" ? { ...bare, seconds: sign.seconds || 600 } : { ...bare, value: sign.value ?? null, until: sign.until });
  };
  return (
    <>
      <Input label={t("alarms.rule.observes")} value={sign.observes} required maxLength={400} list={list} onChange={(event) => set({ observes: event.target.value })} />
      <Choose label={t("alarms.rule.kind")} value={sign.kind} options={KINDS} name={(one) => t(`alarms.rule.kinds.${one}`)} set={(one) => turn(one as Kind)} />
      {!lasts && (
        <>
          <Numbers label={t(rate ? "alarms.rule.valueRate" : "alarms.rule.value")} value={sign.value ?? null} required step="any" set={(value) => set({ value })} />
          <Numbers label={t("alarms.rule.untilValue")} hint={t("alarms.rule.untilHint")} value={sign.until ?? null} step="any" set={(until) => set({ until })} />
        </>
      )}
      <Input label={t("alarms.rule.unit")} value={sign.unit ?? ""} placeholder={t("alarms.rule.anyUnit")} maxLength={60} onChange={(event) => set({ unit: event.target.value || null })} />
      <Numbers label={t("alarms.rule.secondsFor")} value={sign.seconds ?? 0} min={lasts ? 1 : 0} step="any" set={(seconds) => set({ seconds: seconds ?? 0 })} />
      {sign.kind === "frozen" && <Numbers label={t("alarms.rule.tolerance")} value={sign.tolerance ?? 0} min={0} step="any" set={(tolerance) => set({ tolerance: tolerance ?? 0 })} />}
      {!alone && <Numbers label={t("alarms.rule.least")} value={sign.least ?? 1} min={1} max={10_000} set={(least) => set({ least: least ?? 1 })} />}
    </>
  );
}

function DatasetFields({ sign, change }: { sign: DatasetSign; change: (sign: DatasetSign) => void }) {
  const { t } = useTranslation();
  const datasets = (useDatasets().data ?? []).filter((one) => one.places.length > 0);
  const set = (more: Partial<DatasetSign>) => change({ ...sign, ...more });
  const near = sign.metres !== null && sign.metres !== undefined;
  return (
    <>
      <ChooseDataset label={t("alarms.rule.dataset")} value={sign.dataset} datasets={datasets} set={(dataset) => set({ dataset, where: null })} />
      <Choose label={t("alarms.rule.presence")} value={sign.kind ?? "has"} options={["has", "lacks"]} name={(one) => t(`alarms.rule.presences.${one}`)} set={(kind) => set({ kind: kind as DatasetSign["kind"] })} />
      <Numbers label={t("alarms.rule.count")} value={sign.count ?? 1} required min={1} max={100_000} set={(count) => set({ count: count ?? 1 })} />
      <Choose label={t("alarms.rule.where")} value={near ? "near" : "cell"} options={["near", "cell"]} name={(one) => t(`alarms.rule.wheres.${one}`)} set={(one) => set({ metres: one === "near" ? 500 : null })} />
      {near && <Numbers label={t("alarms.rule.metresWithin")} value={sign.metres ?? null} required min={1} max={20_000} step="any" set={(metres) => set({ metres: metres ?? 0 })} />}
      <Filter sign={sign} set={(where) => set({ where })} />
      <label className="rule-check">
        <input type="checkbox" checked={sign.valid ?? false} onChange={(event) => set({ valid: event.target.checked })} />
        {t("alarms.rule.valid")}
      </label>
    </>
  );
}

function Filter({ sign, set }: { sign: DatasetSign; set: (where: string | null) => void }) {
  const { t } = useTranslation();
  const label = t("alarms.rule.filter");
  const value = sign.where ?? "";
  const hint = t("alarms.rule.filterHint");
  return (
    <div className="rule-wide">
      <Input label={label} hint={sign.dataset ? <FilterHint dataset={sign.dataset} otherwise={hint} /> : hint} value={value} maxLength={2000} spellCheck={false} onChange={(event) => set(event.target.value || null)} />
    </div>
  );
}

/** Which columns a filter may name; what one looks like where these are not known. */
function FilterHint({ dataset, otherwise }: { dataset: string; otherwise: string }) {
  const { t } = useTranslation();
  const columns = useDataset(dataset).data?.columns ?? [];
  return columns.length === 0 ? otherwise : <>{t("alarms.rule.filterColumns", { names: columns.map((one) => one.name).join(t("alarms.listed")) })}</>;
}

function ChooseDataset({ label, hint, value, datasets, set }: {
  label: string;
  hint?: string;
  value: string;
  datasets: Dataset[];
  set: (dataset: string) => void;
}) {
  const { t } = useTranslation();
  const id = useId();
  const known = datasets.some((one) => one.id === value);
  return (
    <div className="input">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="choice" required value={value} aria-describedby={hint ? `${id}-hint` : undefined} onChange={(event) => set(event.target.value)}>
        <option value="">{t("alarms.rule.chooseDataset")}</option>
        {value && !known && <option value={value}>{value}</option>}
        {datasets.map((one) => (
          <option key={one.id} value={one.id}>{`${say(one.title)} (${one.id})`}</option>
        ))}
      </select>
      {hint && <p id={`${id}-hint`} className="small quiet">{hint}</p>}
    </div>
  );
}

function DownstreamFields({ way, change }: { way: Downstream; change: (way: Downstream) => void }) {
  const { t } = useTranslation();
  const datasets = (useDatasets().data ?? []).filter((one) => one.has_geometry);
  const columns = useDataset(way.dataset || "-").data?.columns ?? [];
  const id = useId();
  const node = (which: "from" | "to", column: string) => {
    const { [which]: _, ...rest } = way;
    change(column ? { ...rest, [which]: column } : rest);
  };
  return (
    <>
      <datalist id={id}>
        {columns.map((one) => (
          <option key={one.name} value={one.name} />
        ))}
      </datalist>
      <ChooseDataset label={t("alarms.rule.network")} hint={t("alarms.rule.networkHint")} value={way.dataset} datasets={datasets} set={(dataset) => change({ dataset, metres: way.metres, near: way.near })} />
      <Numbers label={t("alarms.rule.metres")} value={way.metres} required min={1} max={20_000} step="any" set={(metres) => change({ ...way, metres: metres ?? 0 })} />
      <Input label={t("alarms.rule.fromNode")} value={way.from ?? ""} maxLength={200} list={id} onChange={(event) => node("from", event.target.value)} />
      <Input label={t("alarms.rule.toNode")} value={way.to ?? ""} maxLength={200} list={id} onChange={(event) => node("to", event.target.value)} />
      <p className="small quiet rule-wide">{t("alarms.rule.nodeHint")}</p>
      <Numbers label={t("alarms.rule.near")} value={way.near ?? 30} min={1} max={500} step="any" set={(near) => change({ ...way, near: near ?? 30 })} />
    </>
  );
}

function QuietFields({ quiet, change }: { quiet: Quiet; change: (quiet: Quiet) => void }) {
  const { t } = useTranslation();
  const days = quiet.days ?? [];
  const put = (chosen: number[]) => {
    const { days: _, ...rest } = quiet;
    change(chosen.length ? { ...rest, days: chosen } : rest);
  };
  return (
    <>
      <Input label={t("alarms.rule.quietFrom")} type="time" required value={quiet.from} onChange={(event) => change({ ...quiet, from: event.target.value })} />
      <Input label={t("alarms.rule.quietTo")} type="time" required value={quiet.to} onChange={(event) => change({ ...quiet, to: event.target.value })} />
      <fieldset className="rule-days">
        <legend>{t("alarms.rule.days")}</legend>
        {DAYS.map((day) => (
          <label key={day}>
            <input type="checkbox" checked={days.length === 0 || days.includes(day)} onChange={(event) => {
              const now = days.length === 0 ? DAYS : days;
              const next = event.target.checked ? [...now, day].sort() : now.filter((one) => one !== day);
              put(next.length === DAYS.length ? [] : next);
            }} />
            {t(`alarms.rule.dayNames.${day}`)}
          </label>
        ))}
      </fieldset>
    </>
  );
}

function StepFields({ step, change }: { step: Escalation; change: (step: Escalation) => void }) {
  const { t } = useTranslation();
  return (
    <>
      <Numbers label={t("alarms.rule.after")} value={step.minutes} required min={0.1} step="any" set={(minutes) => change({ ...step, minutes: minutes ?? 0 })} />
      <Input label={t("alarms.rule.to")} hint={t("alarms.rule.toHint")} value={step.to} required maxLength={200} onChange={(event) => change({ ...step, to: event.target.value })} />
    </>
  );
}

function Part({ title, remove, children }: { title?: string; remove?: { name: string; by: () => void }; children: ReactNode }) {
  return (
    <div className="rule-part" role="group" aria-label={title}>
      <div className="rule-row">{children}</div>
      {remove && (
        <button type="button" className="icon-button" aria-label={remove.name} title={remove.name} onClick={remove.by}>
          <Trash2 aria-hidden />
        </button>
      )}
    </div>
  );
}

function AddButton({ name, add }: { name: string; add: () => void }) {
  return (
    <div>
      <button type="button" className="button" onClick={add}>
        <Plus aria-hidden />
        {name}
      </button>
    </div>
  );
}

function Choose({ label, value, options, name, set }: { label: string; value: string; options: readonly string[]; name: (one: string) => string; set: (one: string) => void }) {
  const id = useId();
  return (
    <div className="input">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="choice" value={value} onChange={(event) => set(event.target.value)}>
        {options.map((one) => (
          <option key={one} value={one}>{name(one)}</option>
        ))}
      </select>
    </div>
  );
}

function Numbers({ label, hint, value, set, ...rest }: {
  label: string;
  hint?: string;
  value: number | null;
  set: (value: number | null) => void;
  min?: number;
  max?: number;
  step?: number | "any";
  required?: boolean;
}) {
  return <Input label={label} hint={hint} type="number" value={value ?? ""} onChange={(event) => set(number(event.target.value))} {...rest} />;
}
