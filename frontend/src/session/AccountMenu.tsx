/** Who is signed in, and the way to the account and out. */
import { CircleUserRound, LogOut, UserRound } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { Menu } from "../app/tools";
import { list, say } from "../words";
import { signOut, useSession } from "./questions";

export function AccountMenu() {
  const { t } = useTranslation();
  const session = useSession();
  const go = useNavigate();
  if (!session.data || (session.data.open && !session.data.person)) return null;
  const { name, duties, open } = session.data;
  return (
    <Menu
      label={t("session.menu", { name })}
      icon={CircleUserRound}
      head={
        <div className="menu-head">
          <b>{name}</b>
          <span className="small quiet">{duties.length ? list(duties.map((duty) => say(duty.title))) : t("people.noRole")}</span>
        </div>
      }
      items={[
        { key: "account", text: t("account.name"), icon: UserRound, run: () => void go("/account") },
        ...(open ? [] : [{ key: "out", text: t("session.signOut"), icon: LogOut, run: () => void signOut() }]),
      ]}
    />
  );
}
