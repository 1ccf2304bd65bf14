/** The contract of a dataset, field by field, as a person of the trade reads and changes it. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Download, Trash2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { ask, askJson } from "../api/client";
import { useZone } from "../api/questions";
import type { DatasetDetail } from "../api/types";
import { Form, Input } from "../design/Form";
import { Failure, Waiting } from "../design/States";
import { Table } from "../design/Table";
import { instant } from "../words";
import { FieldRow, TERMS } from "./ContractField";
import { AddRule, RuleEdit } from "./ContractRules";
import { type Contract, type Faults, faultsOf, inWords, type Rule, type Terms } from "./contract";

type Agreed = { contract: Contract; number: number; adopted: string | null; by: string; not_taken: string[] };

export function ContractTab({ dataset }: { dataset: DatasetDetail }) {
  const answer = useQuery({
    queryKey: ["contract", dataset.id, dataset.changed],
    queryFn: ({ signal }) => askJson<Agreed>(`/api/datasets/${dataset.id}/contract`, { signal }),
    refetchOnWindowFocus: false,
  });
  if (!answer.data) return <Waiting of={answer} lines={8} />;
  return <Edit key={`${dataset.id}-${answer.data.number}`} dataset={dataset} agreed={answer.data} />;
}

function Edit({ dataset, agreed }: { dataset: DatasetDetail; agreed: Agreed }) {
  const { t } = useTranslation();
  const zone = useZone();
  const questions = useQueryClient();
  const [draft, setDraft] = useState(agreed.contract);
  const [notTaken, setNotTaken] = useState<string[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [faults, setFaults] = useState<Faults>({});
  const open = useRef<HTMLInputElement>(null);
  const form = useRef<HTMLElement>(null);
  // What is wrong is gone to; a term that opens below is there one drawing later.
  useEffect(() => {
    if (Object.keys(faults).length === 0) return;
    const frame = requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus());
    return () => cancelAnimationFrame(frame);
  }, [faults]);
  const mayChange = dataset.rights.includes("publish");
  const changed = JSON.stringify(draft) !== JSON.stringify(agreed.contract) || agreed.number === 0;
  const set = (more: Partial<Contract>) => setDraft((now) => ({ ...now, ...more }));
  const setField = (at: number, more: Partial<Terms>) =>
    set({ fields: draft.fields.map((one, number) => (number === at ? { ...one, ...more } : one)) });
  const setRule = (at: number, more: Partial<Rule>) =>
    set({ rules: draft.rules.map((one, number) => (number === at ? ({ ...one, ...more } as Rule) : one)) });

  const read = async (file: File | undefined) => {
    if (!file) return;
    setError(null);
    try {
      const response = await fetch(`/api/datasets/${dataset.id}/contract/odcs`, {
        method: "POST",
        headers: { "Content-Type": "application/yaml", Accept: "application/json, application/problem+json" },
        body: await file.text(),
      });
      if (!response.ok) throw await (await import("../api/client")).problemOf(response);
      const found = (await response.json()) as Agreed;
      setDraft(found.contract);
      setNotTaken(found.not_taken);
    } catch (failure) {
      setError(failure);
    }
  };
  const adopt = async () => {
    setFaults({});
    try {
      return await askJson<Agreed>(`/api/datasets/${dataset.id}/contract`, { method: "PUT", body: { contract: draft, after: agreed.number } });
    } catch (failure) {
      setFaults(faultsOf(failure, draft));
      throw inWords(failure, draft, t);
    }
  };
  const save = async () => {
    const text = await (await ask(`/api/datasets/${dataset.id}/contract/odcs`, { accept: "application/yaml" })).blob();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(text);
    link.download = `${dataset.id}.odcs.yaml`;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <section className="stack contract" ref={form}>
      <div className="dataset-head">
        <h2>{agreed.number === 0 ? t("intake.proposed") : t("intake.inForce", { number: agreed.number })}</h2>
        <div className="form-actions">
          <button type="button" className="button" onClick={() => void save()}>
            <Download aria-hidden /> ODCS
          </button>
          {mayChange && (
            <>
              <input ref={open} type="file" accept=".yaml,.yml,.json" className="hidden-visually" tabIndex={-1} aria-label={t("intake.readOdcs")} onChange={(e) => void read(e.target.files?.[0])} />
              <button type="button" className="button" onClick={() => open.current?.click()}>
                {t("intake.readOdcs")}
              </button>
            </>
          )}
        </div>
      </div>
      <p className="small quiet">
        {agreed.number === 0 ? t("intake.proposedNote") : agreed.adopted && t("intake.since", { at: instant(agreed.adopted, zone, "minute") })}
      </p>
      {error !== null && <Failure error={error} compact />}
      {notTaken.length > 0 && <p className="notice warn">{t("intake.notTaken", { what: notTaken.join("；") })}</p>}
      <fieldset disabled={!mayChange} className="plain stack">
        <div className="fields">
          <Input label={t("intake.purpose")} value={draft.purpose} maxLength={2000} onChange={(e) => set({ purpose: e.target.value })} />
          <Input label={t("intake.owner")} value={draft.owner} maxLength={200} onChange={(e) => set({ owner: e.target.value })} />
          <Input label={t("intake.gate")} type="number" min={0} max={100} step="any" value={draft.gate ?? ""} hint={t("intake.gateHint")} fault={faults.gate} onChange={(e) => set({ gate: e.target.value === "" ? null : Number(e.target.value) })} />
          <Input label={t("intake.deadline")} type="number" min={1} max={365} value={draft.deadline_days} fault={faults.deadline_days} onChange={(e) => set({ deadline_days: Number(e.target.value) || 1 })} />
          <Input label={t("intake.retention")} type="number" min={1} max={36500} value={draft.retention_days ?? ""} hint={t("intake.retentionHint")} fault={faults.retention_days} onChange={(e) => set({ retention_days: Number(e.target.value) || null })} />
        </div>
        <h3>{t("intake.fields")}</h3>
        <p className="small quiet">{t("intake.levelNote")}</p>
        <Table label={t("intake.fields")} className="terms">
          <thead>
            <tr>
              {TERMS.map((name) => (
                <th key={name} scope="col">
                  {t(`intake.terms.${name}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {draft.fields.map((terms, at) => (
              <FieldRow key={terms.name} terms={terms} set={(more) => setField(at, more)} fault={(term) => faults[`fields.${at}.${term}`]} />
            ))}
          </tbody>
        </Table>
        <h3>{t("intake.rules")}</h3>
        <ul className="findings">
          {draft.rules.map((rule, at) => (
            // biome-ignore lint: a rule has no name of its own
            <li key={at} className="card rule">
              <RuleEdit rule={rule} columns={draft.fields.map((one) => one.name)} set={(more) => setRule(at, more)} fault={(part) => faults[part ? `rules.${at}.${part}` : `rules.${at}`]} />
              <button type="button" className="icon-button" aria-label={t("intake.dropRule")} onClick={() => {
                  set({ rules: draft.rules.filter((_, number) => number !== at) });
                  setFaults({});
                }}
              >
                <Trash2 aria-hidden />
              </button>
            </li>
          ))}
        </ul>
        <AddRule columns={draft.fields.map((one) => one.name)} add={(rule) => set({ rules: [...draft.rules, rule] })} />
      </fieldset>
      {mayChange && (
        <Form
          send={adopt}
          done={() => void questions.invalidateQueries({ queryKey: ["contract", dataset.id] })}
          action={t(changed ? "intake.adopt" : "intake.adopted")}
        />
      )}
    </section>
  );
}
