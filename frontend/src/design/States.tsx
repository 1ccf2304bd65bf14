/** What a page says while it waits, when there is nothing, and when something failed. */
import { CircleAlert, Inbox, PlugZap, RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/client";

export function Loading({ lines = 3, label }: { lines?: number; label?: string }) {
  const { t } = useTranslation();
  return (
    <div role="status" className="loading" style={{ display: "grid", gap: "var(--s3)" }}>
      <span className="hidden-visually">{label ?? t("state.loading")}</span>
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} className="skeleton" style={{ height: "1.1rem", width: `${92 - ((line * 23) % 50)}%` }} />
      ))}
    </div>
  );
}

export function Empty({ title, children, compact }: { title: string; children?: ReactNode; compact?: boolean }) {
  return (
    <div className={compact ? "state compact" : "state"}>
      <Inbox aria-hidden />
      <h3>{title}</h3>
      {children && <div className="small">{children}</div>}
    </div>
  );
}

export function Failure({ error, retry, compact }: { error: unknown; retry?: () => void; compact?: boolean }) {
  const { t } = useTranslation();
  const problem = error instanceof Problem ? error : undefined;
  const unreachable = problem?.code === "unreachable";
  return (
    <div role="alert" className={compact ? "state compact" : "state"}>
      {unreachable ? <PlugZap aria-hidden /> : <CircleAlert aria-hidden />}
      <h3>{unreachable ? t("state.unreachable") : problem?.message || t("state.failed")}</h3>
      {unreachable && <p className="small">{t("state.unreachableMend")}</p>}
      {problem?.detail && problem.faults.length === 0 && <p className="small">{problem.detail}</p>}
      {problem?.faults.map((fault) => (
        <p key={fault.field} className="small">
          <code>{fault.field}</code> {fault.message}
        </p>
      ))}
      {problem?.mend && <p className="small">{problem.mend}</p>}
      {problem?.reference && (
        <p className="small quiet">
          {t("state.reference")} <code>{problem.reference}</code>
        </p>
      )}
      {retry && (
        <button type="button" className="button" onClick={retry}>
          <RotateCw aria-hidden />
          {t("state.retry")}
        </button>
      )}
    </div>
  );
}

type Asked = { isPending: boolean; error: unknown; data: unknown; refetch: () => unknown };

/** What stands in place of an answer that is not there yet, or failed. `stale`: what was told before stands for a failure. */
export function Waiting({ of, lines, label, compact, stale }: { of: Asked; lines?: number; label?: string; compact?: boolean; stale?: boolean }) {
  if (of.isPending) return <Loading lines={lines} label={label} />;
  if (!of.error || (stale && of.data)) return null;
  return <Failure error={of.error} retry={() => void of.refetch()} compact={compact} />;
}
