/** A load as it goes on, by server-sent events: how far it is, and how to hold, go on with, or stop it. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { askJson, Problem } from "../api/client";
import { Failure } from "../design/States";
import { say, type Text } from "../words";

type Step = { step: string; title: string; stage: string; share: number; rows: number };
type Told = { what: Text; mend: Text | null };
type Result = { stage?: string; problem?: Told | null; file?: string; new?: boolean };
type Progress = {
  state: "running" | "done" | "failed" | "stopped";
  held: boolean;
  steps: Step[];
  result: Result | null;
  problem: Told | null;
};

export function Following({ address, dataset, again, link, done }: {
  address: string;
  dataset: string;
  again: () => void;
  link?: boolean;
  done?: (result: Result) => void;
}) {
  const { t } = useTranslation();
  const questions = useQueryClient();
  const [progress, setProgress] = useState<Progress | null>(null);
  const [lost, setLost] = useState(false);
  const tell = useRef(done);
  tell.current = done;

  useEffect(() => {
    const source = new EventSource(address);
    source.addEventListener("progress", (event) => {
      const now = JSON.parse((event as MessageEvent<string>).data) as Progress;
      setProgress(now);
      setLost(false);
      if (now.state !== "running") {
        source.close();
        void questions.invalidateQueries();
        if (now.state === "done" && now.result) tell.current?.(now.result);
      }
    });
    source.onerror = () => setLost(true);
    return () => source.close();
  }, [address, questions]);

  const job = address.replace(/\/events$/, "");
  const step = progress?.steps.find((one) => one.step === dataset) ?? progress?.steps[progress.steps.length - 1];
  const ended = progress !== null && progress.state !== "running";
  const kept = progress?.result?.problem ?? null;
  return (
    <div className="following" role="status">
      {!ended && (
        <>
          <progress value={step?.stage === "reading" ? step.share : undefined} max={1} aria-label={t("data.loading")} />
          <p className="small numbers">
            {progress?.held
              ? t("intake.held")
              : step
                ? `${step.title} · ${t(`data.stages.${step.stage}`, { defaultValue: step.stage })}`
                : t("data.loading")}
            {step && step.rows > 0 && ` · ${t("data.rowsCount", { count: step.rows })}`}
          </p>
          <div className="form-actions">
            <button
              type="button"
              className="button"
              onClick={() => void askJson(`${job}/${progress?.held ? "resume" : "pause"}`, { method: "POST" })}
            >
              {t(progress?.held ? "intake.resume" : "intake.pause")}
            </button>
            <button type="button" className="button" onClick={() => void askJson(job, { method: "DELETE" })}>
              {t("data.stop")}
            </button>
          </div>
        </>
      )}
      {lost && !ended && <p className="small">{t("state.unreachable")}</p>}
      {progress?.state === "done" && !kept && (
        <p className="badge good">{t(progress.result?.new === false ? "intake.nothingNew" : "data.loaded")}</p>
      )}
      {progress?.state === "stopped" && <p className="badge">{t("data.stopped")}</p>}
      {kept && <Failure error={new Problem({ title: say(kept.what), mend: say(kept.mend) })} retry={again} compact />}
      {link && ended && (progress.state === "done" || kept) && <Link to={`/data/${dataset}`}>{t("intake.toDataset")}</Link>}
      {progress?.problem && (
        <Failure error={new Problem({ title: say(progress.problem.what), mend: say(progress.problem.mend) })} retry={again} compact />
      )}
    </div>
  );
}
