/** What lies with a department: to be assigned, in hand, to be confirmed, and what it co-handles. */
import { useTranslation } from "react-i18next";
import { useSession } from "../session/questions";
import { CaseDesk } from "./CaseDesk";
import { useAddress } from "./filters";

const STATES = ["pending_handle", "handling", "handle_finish", "suspended"];

export function DepartmentQueue() {
  const { t } = useTranslation();
  const duties = useSession().data?.duties ?? [];
  const own = [...new Set(duties.filter((one) => one.department).map((one) => one.department))];
  const address = useAddress({ state: STATES, ...(own.length ? { department: own } : {}) });
  return <CaseDesk address={address} bulk={["assign", "confirm", "support_extension", "support_suspension", "reply"]} empty={t("cases.department.nothing")} />;
}
