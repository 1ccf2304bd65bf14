/** The door: nobody sees the house before it is known who comes in. */
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { useLocation, useNavigate } from "react-router";
import { Failure } from "../design/States";
import { SESSION, type Session, useSession } from "./questions";
import { SetUp, WaitForSetUp } from "./SetUp";
import { SignIn } from "./SignIn";

export const SET_UP = "/set-up";

export function Door({ children }: { children: ReactNode }) {
  const session = useSession();
  const place = useLocation();
  const go = useNavigate();
  const client = useQueryClient();

  // The code stands behind the # so that it is in no server's log; it stays in no address bar either.
  const settingUp = place.pathname === SET_UP && place.hash.length > 1;
  const signedIn = (told: Session) => {
    client.setQueryData(SESSION, told);
    if (place.pathname === SET_UP) void go("/", { replace: true });
    else if (new URLSearchParams(place.search).has("sign-in")) void go(place.pathname, { replace: true });
  };
  const inside = session.data !== undefined && (session.data.open || session.data.person !== null);
  useEffect(() => {
    if (inside && place.pathname === SET_UP && !settingUp) void go("/", { replace: true });
  }, [inside, place.pathname, settingUp, go]);

  if (session.isPending) return null;
  if (!session.data) {
    return (
      <main className="door">
        <Failure error={session.error} retry={() => session.refetch()} />
      </main>
    );
  }
  if (settingUp && !session.data.open) {
    return <SetUp key={place.hash} code={decodeURIComponent(place.hash.slice(1))} first={!session.data.set_up} done={signedIn} />;
  }
  if (!session.data.set_up) return <WaitForSetUp again={() => void session.refetch()} />;
  if (!inside) return <SignIn provider={session.data.provider} done={signedIn} />;
  return children;
}
