/** What waits for me, or all that I may see. */
import { useTranslation } from "react-i18next";
import { CaseDesk } from "./CaseDesk";
import { useAddress } from "./filters";

const BULK = ["accept", "send_verify", "send_check", "confirm", "order"];

export function Inbox() {
  const { t } = useTranslation();
  const address = useAddress({ waiting: "true" });
  const mine = address.get("scope") !== "all";
  return (
    <CaseDesk
      address={address}
      bulk={BULK}
      empty={mine ? t("cases.nothingWaits") : t("cases.nothing")}
      tools={
        <div className="scope" role="group" aria-label={t("cases.scope")}>
          <button type="button" className="chip" aria-pressed={mine} onClick={() => address.put({ scope: null })}>
            {t("cases.mine")}
          </button>
          <button type="button" className="chip" aria-pressed={!mine} onClick={() => address.put({ scope: "all" })}>
            {t("cases.everything")}
          </button>
        </div>
      }
    />
  );
}
