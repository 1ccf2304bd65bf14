/** The dispatcher's board: what waits for dispatch with what is proposed, accepted with one key. */
import { useMutation, useQueries, useQueryClient } from "@tanstack/react-query";
import { Send, Split } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { Fault } from "../design/Form";
import { say } from "../words";
import { CaseDesk } from "./CaseDesk";
import { pageOf, useAddress } from "./filters";
import { type CaseRow, type Proposals, proposalsOf, takeStep, useCases, useTitles } from "./questions";

const STATES = ["pending_dispatch", "returned"];
const STEP: Record<string, string> = { pending_dispatch: "dispatch", returned: "redispatch" };

export function Dispatch() {
  const { t } = useTranslation();
  const go = useNavigate();
  const client = useQueryClient();
  const address = useAddress({ waiting: "true", state: STATES });
  const rows = useCases(address.filters, pageOf(address, "due")).data?.cases ?? [];
  const asked = useQueries({ queries: rows.map((row) => proposalsOf(row.number, row.step)) });
  const proposed = new Map<string, Proposals | undefined>(rows.map((row, at) => [row.number, asked[at]?.data]));
  const first = (row: CaseRow) => proposed.get(row.number)?.departments[0];
  const titles = useTitles(rows.map((row) => first(row)?.department ?? null));
  const [said, setSaid] = useState("");
  const send = useMutation({
    mutationFn: ({ row, department }: { row: CaseRow; department: string }) =>
      takeStep(row.number, STEP[row.state]!, { department, proposal: first(row)?.department }, row.step),
    onSuccess: (_, { row, department }) => {
      setSaid(t("cases.dispatch.sent", { number: row.number, department: titles[department] ?? department }));
      const at = rows.findIndex((one) => one.number === row.number);
      address.put({ case: (rows[at + 1] ?? rows[at - 1])?.number ?? null });
      void client.invalidateQueries({ queryKey: ["cases"] });
    },
    onError: () => void client.invalidateQueries({ queryKey: ["cases"] }),
  });
  const accept = (row: CaseRow) => {
    const best = first(row);
    if (best && !send.isPending) send.mutate({ row, department: best.department });
  };
  return (
    <CaseDesk
      address={address}
      hideStates
      bulk={["dispatch", "redispatch"]}
      empty={t("cases.dispatch.nothing")}
      fill={(row) => {
        const best = first(row);
        return best ? { department: best.department, proposal: best.department } : null;
      }}
      keys={[
        { key: "a", says: t("cases.dispatch.acceptKey"), run: accept },
        { key: "e", says: t("cases.dispatch.otherKey"), run: (row) => void go(`/cases/${row.number}?step=${STEP[row.state]}`) },
        {
          key: "r",
          says: t("cases.dispatch.returnKey"),
          run: (row) => row.state === "pending_dispatch" && void go(`/cases/${row.number}?step=return_to_acceptor`),
        },
      ]}
      tools={
        <>
          <p role="status" className="small">
            {said}
          </p>
          <Fault error={send.error} />
        </>
      }
      beside={(row) => <Proposed row={row} told={proposed.get(row.number)} titles={titles} accept={() => accept(row)} busy={send.isPending} />}
    />
  );
}

function Proposed({ row, told, titles, accept, busy }: {
  row: CaseRow;
  told?: Proposals;
  titles: Record<string, string>;
  accept: () => void;
  busy: boolean;
}) {
  const { t } = useTranslation();
  if (!told) return null;
  const best = told.departments[0];
  return (
    <div className="proposed">
      {best ? (
        <>
          <div>
            <b>{titles[best.department] ?? best.department}</b>
            <span className="small quiet block">{best.why.map((why) => say(why)).join(t("cases.semicolon"))}</span>
          </div>
          <button
            type="button"
            className="button"
            disabled={busy}
            aria-label={t("cases.dispatch.acceptOf", { number: row.number, department: titles[best.department] ?? best.department })}
            onClick={accept}
            onPointerDown={(event) => event.stopPropagation()}
          >
            <Send aria-hidden />
            {t("cases.dispatch.accept")}
          </button>
        </>
      ) : (
        <span className="small quiet">{t("cases.dispatch.noProposal")}</span>
      )}
      {told.place && <span className="small notice warn">{say(told.place)}</span>}
      {told.duplicates.length > 0 && (
        <span className="small">
          <Split aria-hidden /> {t("cases.dispatch.alike", { count: told.duplicates.length })}
        </span>
      )}
    </div>
  );
}
