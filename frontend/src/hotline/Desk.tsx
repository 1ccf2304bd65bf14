/** The call-taker's desk: one call, and beside it whatever helps to answer it; all of it by keys. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Phone } from "lucide-react";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { askJson } from "../api/client";
import { useZone } from "../api/questions";
import { Fault } from "../design/Form";
import { instant } from "../words";
import { CallForm } from "./CallForm";
import { CallRow } from "./CallRow";
import { type Call, CALLS, type CallLine, type Calls } from "./questions";

/** The number that a telephone exchange put behind `#`, where it stays in the browser. */
const fromExchange = () => decodeURIComponent(/^#tel=(.*)$/.exec(location.hash)?.[1] ?? "");

export function Desk() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [number, setNumber] = useState(fromExchange);
  const [call, setCall] = useState<Call | null>(null);
  const [done, setDone] = useState<Call | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const open = useQuery({
    queryKey: [...CALLS, "unfinished"],
    queryFn: ({ signal }) => askJson<Calls>("/api/hotline/calls", { query: { state: "taken", mine: true }, signal }),
    enabled: call === null,
  });
  const take = useMutation({
    mutationFn: (caller: string) => askJson<Call>("/api/hotline/calls", { method: "POST", body: { caller } }),
    onSuccess: (taken) => {
      setNumber("");
      setDone(null);
      setCall(taken);
      if (location.hash) history.replaceState(null, "", location.pathname);
    },
  });
  const goOn = useMutation({
    mutationFn: (line: CallLine) => askJson<Call>(`/api/hotline/calls/${line.number}`),
    onSuccess: (taken) => {
      setDone(null);
      setCall(taken);
    },
  });
  const finished = (after: Call) => {
    setCall(null);
    setDone(after);
    void client.invalidateQueries({ queryKey: ["hotline"] });
    void client.invalidateQueries({ queryKey: ["cases"] });
  };
  useEffect(() => {
    if (call === null && done === null) field.current?.focus();
  }, [call, done]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!take.isPending) take.mutate(number);
  };
  if (call) return <CallForm call={call} finished={finished} />;
  if (done) return <Finished call={done} next={() => setDone(null)} />;
  return (
    <div className="hotline-start">
      <form className="card part" onSubmit={submit}>
        <p className="lead">{t("hotline.desk.lead")}</p>
        <div className="hotline-ring">
          <div className="field">
            <Phone aria-hidden />
            <input ref={field} type="tel" inputMode="tel" autoComplete="off" maxLength={40} aria-label={t("hotline.desk.number")} placeholder={t("hotline.desk.number")} value={number} onChange={(event) => setNumber(event.target.value)} />
          </div>
          <button type="submit" className="button primary" disabled={take.isPending}>
            {t("hotline.desk.take")}
          </button>
        </div>
        <Fault error={take.error ?? goOn.error ?? open.error} />
      </form>
      {open.data && open.data.calls.length > 0 && (
        <section className="card part">
          <h2>{t("hotline.desk.unfinished")}</h2>
          <ul className="rows">
            {open.data.calls.map((one) => (
              <li key={one.number}>
                <CallRow call={one} />
                <button type="button" className="button" aria-label={`${t("hotline.desk.go_on")} ${one.number}`} onClick={() => goOn.mutate(one)}>
                  {t("hotline.desk.go_on")}
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function Finished({ call, next }: { call: Call; next: () => void }) {
  const { t } = useTranslation();
  const zone = useZone();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  const said = call.state === "in_case" ? (call.joined ? "joined" : "inCase") : call.state === "answered" ? "answered" : "done";
  return (
    <section className="card part hotline-done" role="status">
      <h2>{t(`hotline.desk.${said}`)}</h2>
      <p>
        <Link to={`/hotline/calls/${call.number}`}>{t("hotline.desk.call", { number: call.number })}</Link>
        {call.case && (
          <>
            {" · "}
            <Link to={`/cases/${call.case.number}`}>{call.case.number}</Link>
          </>
        )}
        {call.due && ` · ${t("hotline.calls.due", { at: instant(call.due, zone, "minute") })}`}
      </p>
      {call.code && (
        <p>
          {t("hotline.desk.code")} <code className="hotline-code">{`${call.code.slice(0, 5)} ${call.code.slice(5)}`}</code>
          <span className="small quiet block">{t("hotline.desk.codeLead")}</span>
        </p>
      )}
      <div className="form-actions">
        <button ref={button} type="button" className="button primary" onClick={next}>
          {t("hotline.desk.next")}
        </button>
      </div>
    </section>
  );
}
