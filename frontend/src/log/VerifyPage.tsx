/** Checking a receipt that somebody was given, with a key that this reader trusts. */
import { useMutation } from "@tanstack/react-query";
import { CircleCheck, CircleX, FileUp } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { Failure } from "../design/States";
import { count } from "../words";
import { useLogKey } from "./questions";
import { type Checked, checkReceipt } from "./verify";

const KEPT = "jingwei.log-key";

/** The key that this reader trusts: typed in once and kept in this browser, else what the server says. */
export function useTrustedKey() {
  const told = useLogKey();
  const [text, setText] = useState(() => {
    try {
      return localStorage.getItem(KEPT) ?? "";
    } catch {
      return "";
    }
  });
  const fromServer = told.data?.current ?? "";
  useEffect(() => {
    setText((known) => known || fromServer);
  }, [fromServer]);
  const change = (changed: string) => {
    setText(changed);
    try {
      if (changed && changed !== fromServer) localStorage.setItem(KEPT, changed);
      else localStorage.removeItem(KEPT);
    } catch {
      // forgotten with the page, nothing else
    }
  };
  return { text, change, own: text !== "" && text !== fromServer };
}

export function KeyField({ trusted }: { trusted: ReturnType<typeof useTrustedKey> }) {
  const { t } = useTranslation();
  return (
    <label className="log-key">
      <span className="small">{t("log.key")}</span>
      <div className="field">
        <input
          className="code"
          value={trusted.text}
          spellCheck={false}
          maxLength={400}
          onChange={(event) => trusted.change(event.target.value.trim())}
        />
      </div>
      <span className="small quiet">{t(trusted.own ? "log.keyOwn" : "log.keyTold")}</span>
    </label>
  );
}

export function VerdictCard({ checked }: { checked: Checked }) {
  const { t } = useTranslation();
  const good = checked.verdict === "sound";
  return (
    <div className={good ? "log-verdict good" : "log-verdict bad"} role="status">
      <h3>
        {good ? <CircleCheck aria-hidden /> : <CircleX aria-hidden />}
        {t(`log.verdicts.${checked.verdict}`)}
      </h3>
      <ul>
        {checked.steps.map(({ name, good: passed }) => (
          <li key={name} className={passed ? undefined : "failed"}>
            {passed ? <CircleCheck aria-hidden /> : <CircleX aria-hidden />}
            <span>
              {t(`log.steps.${name}`, {
                hashes: checked.hashes,
                position: checked.index,
                size: count(checked.size ?? 0),
                origin: checked.origin,
              })}
              <span className={passed ? "hidden-visually" : undefined}>{t(passed ? "log.passed" : "log.failed")}</span>
            </span>
          </li>
        ))}
      </ul>
      {checked.root && (
        <p className="small">
          {t("log.root")} <code>{checked.root}</code>
        </p>
      )}
    </div>
  );
}

export function VerifyPage() {
  const { t } = useTranslation();
  const trusted = useTrustedKey();
  const [receipt, setReceipt] = useState("");
  const check = useMutation({ mutationFn: () => checkReceipt(receipt, trusted.text) });
  return (
    <div className="page">
      <header>
        <nav aria-label={t("data.way")} className="small">
          <Link to="/log">{t("log.name")}</Link> / {t("log.verifyReceipt")}
        </nav>
        <h1>{t("log.verifyReceipt")}</h1>
        <p className="lead">{t("log.verifyLead")}</p>
      </header>
      <form
        className="card log-card"
        onSubmit={(event) => {
          event.preventDefault();
          check.mutate();
        }}
      >
        <p>
          <label className="button log-file">
            <FileUp aria-hidden />
            {t("log.receiptFile")}
            <input
              type="file"
              className="hidden-visually"
              accept=".tlog-proof,text/plain"
              onChange={async (event) => {
                const file = event.target.files?.[0];
                check.reset();
                setReceipt(file && file.size < 1_000_000 ? await file.text() : "");
              }}
            />
          </label>
        </p>
        <label className="log-key">
          <span className="small">{t("log.receiptText")}</span>
          <textarea
            className="log-receipt code"
            rows={6}
            spellCheck={false}
            value={receipt}
            onChange={(event) => {
              check.reset();
              setReceipt(event.target.value);
            }}
          />
        </label>
        <KeyField trusted={trusted} />
        <p>
          <button type="submit" className="button primary" disabled={!receipt || !trusted.text || check.isPending}>
            {t("log.verifyHere")}
          </button>
        </p>
        {check.error && <Failure error={check.error} compact />}
        {check.data && <VerdictCard checked={check.data} />}
        {check.data?.payload && (
          <pre className="log-data code" tabIndex={0} role="region" aria-label={t("log.data")}>
            {JSON.stringify({ ...check.data.entry, ...check.data.payload }, null, 2)}
          </pre>
        )}
      </form>
    </div>
  );
}
