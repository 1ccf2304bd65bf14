/** Forms: a label above each field, what is wrong said once and read out, and no second press while one is under way. */
import { useMutation } from "@tanstack/react-query";
import { CircleAlert, LoaderCircle } from "lucide-react";
import { type FormEvent, type InputHTMLAttributes, type ReactNode, useEffect, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/client";
import "./form.css";

type InputProps = InputHTMLAttributes<HTMLInputElement> & {
  label: string;
  hint?: ReactNode;
  /** What is wrong with the value. */
  fault?: string;
};

export function Input({ label, hint, fault, id, ...rest }: InputProps) {
  const own = useId();
  const name = id ?? own;
  const told = [hint && `${name}-hint`, fault && `${name}-fault`].filter(Boolean).join(" ");
  return (
    <div className="input">
      <label htmlFor={name}>{label}</label>
      <div className="field">
        <input id={name} aria-describedby={told || undefined} aria-invalid={fault ? true : undefined} {...rest} />
      </div>
      {hint && (
        <p id={`${name}-hint`} className="small quiet">
          {hint}
        </p>
      )}
      <FaultBelow id={`${name}-fault`} says={fault} />
    </div>
  );
}

/** What is wrong with what stands above, if anything is. */
export function FaultBelow({ id, says }: { id: string; says: string | undefined }) {
  if (!says) return null;
  return (
    <p id={id} className="small bad-text">
      {says}
    </p>
  );
}

/** The seconds that are left of a wait, counted down. */
function useWait(error: unknown): number {
  const seconds = error instanceof Problem && error.status === 429 ? Number(error.where.seconds ?? 0) : 0;
  const [left, setLeft] = useState(seconds);
  useEffect(() => {
    setLeft(seconds);
    if (!seconds) return;
    const until = Date.now() + seconds * 1000;
    const timer = setInterval(() => setLeft(Math.max(0, Math.ceil((until - Date.now()) / 1000))), 500);
    return () => clearInterval(timer);
  }, [error, seconds]);
  return left;
}

export function Fault({ error }: { error: unknown }) {
  const { t } = useTranslation();
  const left = useWait(error);
  if (!error) return null;
  const problem = error instanceof Problem ? error : undefined;
  return (
    <div role="alert" className="notice bad">
      <CircleAlert aria-hidden />
      <div>
        {problem?.code === "unreachable" ? t("state.unreachable") : problem?.message || t("state.failed")}
        {problem?.faults.map((fault) => (
          <p key={fault.field}>{fault.message}</p>
        ))}
        {problem?.mend && <p>{problem.mend}</p>}
        {left > 0 && <p className="numbers">{t("form.wait", { left: clock(left) })}</p>}
      </div>
    </div>
  );
}

function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** A form that sends something: `send` is what it does; the button rests while that goes on or must wait. */
export function Form<T>({ send, done, action, children, extra, danger }: {
  send: () => Promise<T>;
  done?: (answer: T) => void;
  action: string;
  children?: ReactNode;
  extra?: ReactNode;
  danger?: boolean;
}) {
  const sending = useMutation({ mutationFn: send, onSuccess: done });
  const left = useWait(sending.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!sending.isPending) sending.mutate();
  };
  return (
    <form className="form" onSubmit={submit}>
      {children}
      <Fault error={sending.error} />
      <div className="form-actions">
        <button type="submit" className={danger ? "button danger" : "button primary"} disabled={sending.isPending || left > 0}>
          {sending.isPending && <LoaderCircle aria-hidden className="spin" />}
          {action}
        </button>
        {extra}
      </div>
    </form>
  );
}
