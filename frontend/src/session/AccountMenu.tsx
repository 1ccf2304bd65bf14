/** Who is signed in, and the way to the account and out. */
import { CircleUserRound, LogOut, UserRound } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { Menu } from "../app/tools";
import { Dialog } from "../design/Dialog";
import { Fault } from "../design/Form";
import { list, say } from "../words";
import { discardUnsent, sendUnsent, signOut, unsent, useSession } from "./questions";

export function AccountMenu() {
  const { t } = useTranslation();
  const session = useSession();
  const go = useNavigate();
  const [waiting, setWaiting] = useState(0);
  if (!session.data || (session.data.open && !session.data.person)) return null;
  const { name, duties, open, person } = session.data;
  const leave = async () => {
    const left = person ? await unsent(person) : 0;
    if (left) setWaiting(left);
    else await signOut();
  };
  return (
    <>
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
        ...(open ? [] : [{ key: "out", text: t("session.signOut"), icon: LogOut, run: () => void leave() }]),
      ]}
    />
    {waiting > 0 && person && <Unsent person={person} left={waiting} setLeft={setWaiting} />}
    </>
  );
}

/** Asked before one signs out: what becomes of what was done in the field and is not sent. */
function Unsent({ person, left, setLeft }: { person: string; left: number; setLeft: (left: number) => void }) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const act = async (work: () => Promise<void>) => {
    setBusy(true);
    setError(undefined);
    try {
      await work();
    } catch (fault) {
      setError(fault);
    }
    setBusy(false);
  };
  const send = async () => {
    const now = await sendUnsent(person);
    if (now) setLeft(now);
    else await signOut();
  };
  const discardAll = async () => {
    await discardUnsent(person);
    await signOut();
  };
  return (
    <Dialog title={t("session.unsent", { count: left })} close={() => setLeft(0)}>
      <div className="stack">
        <p>{t("session.unsentLead")}</p>
        <Fault error={error} />
        <div className="form-actions">
          <button type="button" className="button primary" disabled={busy} onClick={() => void act(send)}>
            {t("session.unsentSend")}
          </button>
          <button type="button" className="button" disabled={busy} onClick={() => void act(signOut)}>
            {t("session.unsentKeep")}
          </button>
          <button type="button" className="button danger" disabled={busy} onClick={() => void act(discardAll)}>
            {t("session.unsentDiscard")}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
