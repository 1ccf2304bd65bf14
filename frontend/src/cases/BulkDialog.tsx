/** One step with several cases: what will happen is shown first, then the result of each. */
import { useQueryClient } from "@tanstack/react-query";
import { Check, CircleAlert, LoaderCircle } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Dialog } from "../design/Dialog";
import { say } from "../words";
import { Problem } from "../api/client";
import { type CaseRow, takeStep, useLifecycle, useTitles, useTypes } from "./questions";
import { type Draft, fieldsOf, StepFields } from "./StepForm";

type Result = "waiting" | "going" | "done" | { error: string };

export function BulkDialog({ action, rows, titles: known, fill, close }: {
  action: string;
  rows: CaseRow[];
  titles: Record<string, string>;
  /** What is filled in for each case; null leaves the case out. */
  fill?: (row: CaseRow, action: string) => Record<string, unknown> | null;
  /** Told which cases are done. */
  close: (done: string[]) => void;
}) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const table = useLifecycle().data;
  const types = useTypes().data;
  const step = table?.transitions.find((one) => one.action === action);
  // Those that were chosen when the dialog opened: what happens meanwhile does not change whom it is about.
  const [cases] = useState(() => rows.map((row) => ({ row, filled: fill?.(row, action) })));
  const filledWith = useTitles(cases.map(({ filled }) => (typeof filled?.department === "string" ? filled.department : null)));
  const titles = { ...known, ...filledWith };
  const [draft, setDraft] = useState<Draft>({});
  const [results, setResults] = useState<Record<string, Result>>({});
  const [going, setGoing] = useState(false);
  const stopped = useRef(false);
  const fits = (row: CaseRow) => step?.sources.includes(row.state) ?? false;
  const takes = cases.filter(({ row, filled }) => fits(row) && filled !== null);
  const left = cases.filter(({ row, filled }) => !fits(row) || filled === null);
  const done = cases.filter(({ row }) => results[row.number] === "done").map(({ row }) => row.number);
  const over = Object.keys(results).length > 0 && !going;
  const given = new Set(takes.flatMap(({ filled }) => Object.keys(filled ?? {})));
  const first = takes[0]?.row;

  const run = async (event: FormEvent) => {
    event.preventDefault();
    if (!step || going) return;
    stopped.current = false;
    setGoing(true);
    for (const { row, filled } of takes) {
      if (stopped.current) break;
      if (results[row.number] === "done") continue;
      setResults((before) => ({ ...before, [row.number]: "going" }));
      let result: Result = "done";
      try {
        await takeStep(row.number, action, { ...fieldsOf(step, draft), ...filled }, row.step);
      } catch (error) {
        result = { error: error instanceof Problem ? error.message || t("state.unreachable") : t("state.failed") };
      }
      setResults((before) => ({ ...before, [row.number]: result }));
    }
    setGoing(false);
    void client.invalidateQueries({ queryKey: ["cases"] });
  };

  if (!step) return null;
  const asked = {
    ...step,
    needs: step.needs.filter((name) => !given.has(name)),
    takes: step.takes.filter((name) => !given.has(name)),
  };
  const typeOf = (row: CaseRow) => say(types?.find((one) => one.kind === row.kind && one.code === row.type)?.name) || row.type;
  return (
    <Dialog title={t("cases.bulk.title", { says: say(step.says), count: takes.length })} close={() => !going && close(done)}>
      <form className="form" onSubmit={(event) => void run(event)}>
        {!over && !going && first && (
          <StepFields
            step={asked}
            about={{
              number: first.number,
              kind: first.kind,
              type: first.type,
              rule: null,
              department: first.department,
              openParts: first.open_parts,
              lon: null,
              lat: null,
              photos: [],
            }}
            titles={titles}
            draft={draft}
            set={(name, value) => setDraft((before) => ({ ...before, [name]: value }))}
          />
        )}
        <section>
          <h3>{over ? t("cases.bulk.results") : t("cases.bulk.will")}</h3>
          <ul className="bulk-list" tabIndex={0} aria-label={over ? t("cases.bulk.results") : t("cases.bulk.will")}>
            {takes.map(({ row, filled }) => {
              const result = results[row.number];
              return (
                <li key={row.number} data-result={typeof result === "object" ? "failed" : result}>
                  <span>
                    {typeOf(row)} <code className="small quiet">{row.number}</code>
                    {typeof filled?.department === "string" && (
                      <span className="small block">→ {titles[filled.department] ?? filled.department}</span>
                    )}
                    {typeof result === "object" && <span className="small block bad-text">{result.error}</span>}
                  </span>
                  {result === "going" && <LoaderCircle aria-label={t("cases.bulk.going")} className="spin" />}
                  {result === "done" && <Check aria-label={t("cases.bulk.done")} className="good-text" />}
                  {typeof result === "object" && <CircleAlert aria-label={t("cases.bulk.failed")} className="bad-text" />}
                </li>
              );
            })}
          </ul>
          {left.length > 0 && (
            <p className="small quiet">
              {t("cases.bulk.left", { count: left.length, numbers: left.map(({ row }) => row.number.slice(-5)).join(", ") })}
            </p>
          )}
        </section>
        <p role="status" className="small">
          {over && t("cases.bulk.sum", { done: done.length, failed: takes.length - done.length })}
        </p>
        <div className="form-actions">
          {over ? (
            <button type="button" className="button primary" onClick={() => close(done)}>
              {t("form.done")}
            </button>
          ) : going ? (
            <button type="button" className="button" onClick={() => (stopped.current = true)}>
              {t("cases.bulk.stop")}
            </button>
          ) : (
            <button type="submit" className="button primary" disabled={takes.length === 0}>
              {t("cases.bulk.run", { says: say(step.says), count: takes.length })}
            </button>
          )}
        </div>
      </form>
    </Dialog>
  );
}
