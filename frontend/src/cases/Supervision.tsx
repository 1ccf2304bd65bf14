/** What a leader looks after: overdue, at risk, suspended, under an order; and orders with words. */
import { useTranslation } from "react-i18next";
import { count as written } from "../words";
import { CaseDesk } from "./CaseDesk";
import { useAddress } from "./filters";
import { useStates } from "./questions";

const OPEN = new URLSearchParams({ ended: "false" });

export function Supervision() {
  const { t } = useTranslation();
  const address = useAddress({ ended: "false" });
  const known = useStates(OPEN).data;
  const states = known ?? [];
  const sum = (name: "count" | "overdue" | "at_risk" | "ordered") => states.reduce((all, one) => all + one[name], 0);
  const suspended = states.find((one) => one.state === "suspended")?.count ?? 0;
  const tiles: { key: string; n: number; put: Record<string, string> }[] = [
    { key: "open", n: sum("count"), put: {} },
    { key: "overdue", n: sum("overdue"), put: { overdue: "true" } },
    { key: "at_risk", n: sum("at_risk"), put: { at_risk: "true" } },
    { key: "suspended", n: suspended, put: { state: "suspended" } },
    { key: "ordered", n: sum("ordered"), put: { ordered: "true" } },
  ];
  const none = { overdue: null, at_risk: null, ordered: null, asked: null, state: null };
  const on = (put: Record<string, string>) =>
    Object.keys(put).length
      ? Object.entries(put).every(([name, value]) => address.get(name) === value)
      : Object.keys(none).every((name) => !address.get(name));
  return (
    <>
      <ul className="tiles">
        {tiles.map((one) => (
          <li key={one.key}>
            <button type="button" className="tile" aria-pressed={on(one.put)} onClick={() => address.put({ ...none, ...one.put })}>
              <span className="small">{t(`cases.supervision.${one.key}`)}</span>
              <b className="numbers">{known ? written(one.n) : "–"}</b>
            </button>
          </li>
        ))}
      </ul>
      <CaseDesk address={address} bulk={["order", "force_close"]} empty={t("cases.supervision.nothing")} />
    </>
  );
}
