/** The fields of a step, made from the table of the life cycle: what it needs and what it may be given. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import { useZone } from "../api/questions";
import { Input } from "../design/Form";
import { say } from "../words";
import { instantOf } from "../words/days";
import { AnswerPicker, joined } from "./Answers";
import { Cover } from "./Cover";
import { HandlingDepartment, TypePicker } from "./pickers";
import { PhotoField } from "./Photos";
import { phrasesOf, usePhrases } from "./phrases";
import { PlacePicker } from "./PlacePicker";
import { type Kind, type Named, type Proposals, type Transition, useLifecycle, useTypes } from "./questions";

/** What has been typed so far, by the name of the field; it outlives the choice of another step. */
export type Draft = Record<string, unknown>;

export type About = {
  number: string;
  kind: Kind;
  type: string;
  rule: string | null;
  department: string | null;
  openParts: string[];
  lon: number | null;
  lat: number | null;
  /** Photographs that its steps name. */
  photos: string[];
};

type Props = {
  step: Pick<Transition, "action" | "needs" | "takes">;
  about: About;
  proposals?: Proposals;
  titles: Record<string, string>;
  draft: Draft;
  set: (name: string, value: unknown) => void;
};

const LONG = ["reason", "words", "description"];
/** Steps about one of the co-handlers at work. */
export const PARTS = ["release", "finish_part", "return_part"];
/** Fields that go together with another one, or that the page itself fills in. */
const ELSEWHERE = ["kind", "proposal"];
/** Photographs of the case that are chosen, instead of new ones. */
const CHOSEN = "shown";

export function StepFields(props: Props) {
  const names = [...props.step.needs, ...props.step.takes].filter((name) => !ELSEWHERE.includes(name));
  return names.map((name) => <StepField key={name} name={name} needed={props.step.needs.includes(name)} {...props} />);
}

/** What is sent: only what the step knows, and of that what was filled in. */
export function fieldsOf(step: Props["step"], draft: Draft, proposals?: Proposals): Record<string, unknown> {
  const sent: Record<string, unknown> = {};
  for (const name of [...step.needs, ...step.takes]) {
    const value = draft[name];
    if (value !== undefined && value !== "" && value !== null && !(Array.isArray(value) && value.length === 0)) sent[name] = value;
  }
  if (step.takes.includes("proposal") && proposals?.departments[0]) sent.proposal = proposals.departments[0].department;
  return sent;
}

function StepField({ name, needed, step, about, proposals, titles, draft, set }: Props & { name: string; needed: boolean }) {
  const { t } = useTranslation();
  const zone = useZone();
  const table = useLifecycle().data;
  const types = useTypes().data;
  const says = say(table?.inputs[name]);
  const label = needed ? says : t("cases.step.optional", { field: says });
  const text = typeof draft[name] === "string" ? (draft[name] as string) : "";
  if (LONG.includes(name)) return <Words name={name} label={label} needed={needed} action={step.action} about={about} titles={titles} value={text} set={set} />;
  if (name === "department" && PARTS.includes(step.action))
    return (
      <Radios
        label={label}
        name={name}
        value={text}
        set={set}
        options={about.openParts.map((code) => ({ value: code, title: titles[code] ?? code }))}
        none={t("cases.step.noParts")}
      />
    );
  if (name === "department")
    return <Department label={label} proposals={proposals} titles={titles} value={text} set={(code) => set(name, code)} />;
  if (name === "co_departments") return <Departments label={label} value={draft[name]} set={(codes) => set(name, codes)} />;
  if (name === "rule")
    return (
      <Radios
        label={label}
        name={name}
        value={text}
        set={set}
        options={(proposals?.rules ?? []).map((one) => ({
          value: one.id,
          title: one.condition,
          note: t("cases.rule.note", { closing: one.closing, amount: one.amount, unit: t(`cases.units.${one.unit}`) }),
        }))}
        none={t("cases.rule.none")}
      />
    );
  if (name === "closing") {
    const mine = proposals?.rules.filter((one) => one.id === about.rule) ?? [];
    const rules = mine.length ? mine : (proposals?.rules ?? []);
    return (
      <Suggested
        label={label}
        value={text}
        needed={needed}
        set={(value) => set(name, value)}
        options={[...new Set(rules.map((one) => one.closing).filter(Boolean))]}
      />
    );
  }
  if (name === "handler" || name === "collector")
    return <Hand label={label} needed={needed} action={step.action} number={about.number} value={text} set={(id) => set(name, id)} />;
  if (table?.choices[name])
    return (
      <Radios
        label={label}
        name={name}
        value={text}
        set={set}
        options={table.choices[name].map((value) => ({ value, title: t(`cases.answers.${value}`) }))}
      />
    );
  if (name === "result_score" || name === "service_score")
    return (
      <Radios
        label={label}
        name={name}
        value={String(draft[name] ?? "")}
        set={(field, value) => set(field, Number(value))}
        options={[5, 4, 3, 2, 1].map((score) => ({ value: String(score), title: t(`cases.scores.${score}`) }))}
      />
    );
  if (name === "days")
    return (
      <Input
        label={label}
        type="number"
        min={1}
        max={3650}
        required={needed}
        value={String(draft[name] ?? "")}
        onChange={(event) => set(name, event.target.value === "" ? undefined : Number(event.target.value))}
      />
    );
  if (name === "due")
    return (
      <Input
        label={label}
        type="datetime-local"
        required={needed}
        value={String(draft["due.local"] ?? "")}
        onChange={(event) => {
          const typed = event.target.value;
          set("due.local", typed);
          set(name, typed ? instantOf(typed, zone) : undefined);
        }}
      />
    );
  if (name === "type")
    return (
      <TypePicker
        label={label}
        value={types?.find((one) => one.kind === draft.kind && one.code === draft.type) ?? null}
        pick={(chosen) => {
          set("kind", chosen?.kind);
          set("type", chosen?.code);
        }}
      />
    );
  if (name === "place")
    return (
      <PlacePicker
        label={label}
        value={(draft[name] as [number, number] | undefined) ?? null}
        start={about.lon !== null && about.lat !== null ? [about.lon, about.lat] : null}
        pick={(place) => set(name, place ?? undefined)}
      />
    );
  if (name === CHOSEN)
    return (
      <Chosen
        label={label}
        number={about.number}
        photos={about.photos}
        value={(draft[name] as string[] | undefined) ?? []}
        set={(digests) => set(name, digests)}
        added={(digest) => set("photos", [...((draft.photos as string[] | undefined) ?? []), digest])}
      />
    );
  if (name === "photos" || name === "before")
    return <PhotoField label={label} value={(draft[name] as string[] | undefined) ?? []} set={(digests) => set(name, digests)} />;
  return (
    <Input label={label} value={text} required={needed} maxLength={200} onChange={(event) => set(name, event.target.value)} />
  );
}

type ChosenProps = { label: string; number: string; photos: string[]; value: string[]; set: (digests: string[]) => void; added: (digest: string) => void };

function Chosen({ label, number, photos, value, set, added }: ChosenProps) {
  const { t } = useTranslation();
  const [covering, setCovering] = useState<string | null>(null);
  const address = (digest: string) => `/api/cases/${encodeURIComponent(number)}/photos/${digest}`;
  if (photos.length === 0) return null;
  return (
    <fieldset className="radios">
      <legend>{label}</legend>
      {photos.map((digest, n) => (
        <div key={digest} className="row">
          <label className="radio">
            <input type="checkbox" checked={value.includes(digest)} onChange={(event) => set(photos.filter((one) => (one === digest ? event.target.checked : value.includes(one))))} />
            <img width={96} src={`${address(digest)}?form=small`} alt={`${label} ${n + 1}`} />
          </label>
          <button type="button" className="button" onClick={() => setCovering(digest)}>
            {t("cases.cover.open", { n: n + 1 })}
          </button>
        </div>
      ))}
      {covering && (
        <Cover
          address={address(covering)}
          close={() => setCovering(null)}
          done={(digest) => {
            added(digest);
            set(value.filter((one) => one !== covering));
            setCovering(null);
          }}
        />
      )}
    </fieldset>
  );
}

function Words({ name, label, needed, action, about, titles, value, set }: {
  name: string;
  label: string;
  needed: boolean;
  action: string;
  about: About;
  titles: Record<string, string>;
  value: string;
  set: (name: string, value: unknown) => void;
}) {
  const { t, i18n } = useTranslation();
  const id = useId();
  const templates = phrasesOf(action, usePhrases().data?.phrases, i18n);
  const type = useTypes().data?.find((one) => one.kind === about.kind && one.code === about.type);
  const office = about.department ? titles[about.department] : undefined;
  const named = { number: { zh: about.number, en: about.number }, type: type?.name, office: office ? { zh: office, en: office } : undefined };
  return (
    <div className="input">
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        className="area"
        rows={3}
        maxLength={4000}
        required={needed}
        value={value}
        onChange={(event) => set(name, event.target.value)}
      />
      {name !== "description" && <AnswerPicker place={action} named={named} add={(words) => set(name, joined(value, words))} />}
      {templates.length > 0 && (
        <ul className="templates" aria-label={t("cases.step.templates")}>
          {templates.map((one) => (
            <li key={one}>
              <button type="button" className="chip" onClick={() => set(name, value ? `${value} ${one}` : one)}>
                {one}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Radios({ label, name, value, set, options, none }: {
  label: string;
  name: string;
  value: string;
  set: (name: string, value: unknown) => void;
  options: { value: string; title: string; note?: string }[];
  none?: string;
}) {
  const group = useId();
  return (
    <fieldset className="radios">
      <legend>{label}</legend>
      {options.length === 0 && none && <p className="small quiet">{none}</p>}
      {options.map((one) => (
        <label key={one.value} className="radio">
          <input
            type="radio"
            name={group}
            value={one.value}
            checked={value === one.value}
            onChange={() => set(name, one.value)}
          />
          <span>
            {one.title}
            {one.note && <span className="small quiet block">{one.note}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/** Those that are proposed first, with the reasons; any other by its name. */
function Department({ label, proposals, titles, value, set }: {
  label: string;
  proposals?: Proposals;
  titles: Record<string, string>;
  value: string;
  set: (code: string | undefined) => void;
}) {
  const { t } = useTranslation();
  const title = useTitle(value);
  const proposed = proposals?.departments ?? [];
  return (
    <>
      {proposed.length > 0 && (
        <Radios
          label={t("cases.proposed")}
          name="department"
          value={value}
          set={(_, code) => set(String(code))}
          options={proposed.map((one) => ({
            value: one.department,
            title: titles[one.department] ?? one.department,
            note: one.why.map((why) => say(why)).join(t("cases.semicolon")),
          }))}
        />
      )}
      <HandlingDepartment
        label={proposed.length > 0 ? t("cases.otherDepartment") : label}
        value={value && !proposed.some((one) => one.department === value) ? { code: value, title: title ?? value } : null}
        pick={(chosen) => set(chosen?.code)}
      />
    </>
  );
}

function titleOf(code: string) {
  return {
    queryKey: ["case-departments", code],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      askJson<Named[]>("/api/cases/departments", { query: { code }, signal }),
    enabled: code !== "",
    staleTime: 300_000,
  };
}

function useTitle(code: string): string | undefined {
  return useQuery(titleOf(code)).data?.[0]?.name;
}

function Departments({ label, value, set }: { label: string; value: unknown; set: (codes: string[] | undefined) => void }) {
  const { t } = useTranslation();
  const codes = Array.isArray(value) ? (value as string[]) : [];
  const known = useQueries({ queries: codes.map(titleOf) });
  return (
    <div className="input">
      <HandlingDepartment
        label={label}
        value={null}
        pick={(chosen) => chosen && set([...new Set([...codes, chosen.code])])}
      />
      {codes.length > 0 && (
        <ul className="templates">
          {codes.map((code, at) => (
            <li key={code}>
              <button type="button" className="chip" onClick={() => set(codes.filter((one) => one !== code))}>
                {t("cases.step.without", { name: known[at]?.data?.[0]?.name ?? code })}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Hand({ label, needed, action, number, value, set }: {
  label: string;
  needed: boolean;
  action: string;
  number: string;
  value: string;
  set: (id: string | undefined) => void;
}) {
  const { t } = useTranslation();
  const id = useId();
  const hands = useQuery({
    queryKey: ["case-hands", number, action],
    queryFn: ({ signal }) => askJson<Named[]>(`/api/cases/${encodeURIComponent(number)}/hands`, { query: { action }, signal }),
  });
  return (
    <div className="input">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="choice" required={needed} value={value} onChange={(event) => set(event.target.value || undefined)}>
        <option value="">{needed ? t("cases.step.choose") : t("cases.step.anybody")}</option>
        {hands.data?.map((one) => (
          <option key={one.id} value={one.id}>
            {one.name}
          </option>
        ))}
      </select>
      {hands.isSuccess && hands.data.length === 0 && <p className="small quiet">{t("cases.step.noHands")}</p>}
    </div>
  );
}

function Suggested({ label, value, needed, set, options }: {
  label: string;
  value: string;
  needed: boolean;
  set: (value: string) => void;
  options: string[];
}) {
  const list = useId();
  return (
    <>
      <Input label={label} value={value} required={needed} maxLength={200} list={list} onChange={(event) => set(event.target.value)} />
      <datalist id={list}>
        {options.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      {options.length > 0 && (
        <ul className="templates">
          {options.map((one) => (
            <li key={one}>
              <button type="button" className="chip" onClick={() => set(one)}>
                {one}
              </button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
