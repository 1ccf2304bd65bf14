/** Who reads: asked before anything else, and anew whenever the server says that nobody is signed in. */
import { useQuery } from "@tanstack/react-query";
import { askJson, Problem } from "../api/client";
import { statePurpose } from "../api/purpose";
import type { Text } from "../words";

export type Duty = {
  role: string;
  title: Text;
  department: string;
  department_title: string;
  until: string | null;
  outside: boolean;
};

export type Session = {
  open: boolean;
  set_up: boolean;
  person: string | null;
  name: string | null;
  login: string | null;
  duties: Duty[];
  may: string[];
  provider: Text | null;
  generated: boolean;
};

export type Person = {
  id: string;
  login: string;
  name: string;
  disabled: boolean;
  has_password: boolean;
  has_second_factor: boolean;
  from_outside: boolean;
  separated: boolean;
  duties: Duty[];
};

export const SESSION = ["session"];

const FIELD = "/field";
const KEPT = "jingwei.field.session";

/** Who reads; in the field, where the network may be away, who it was last on this telephone. */
async function session(signal: AbortSignal): Promise<Session> {
  try {
    const told = await askJson<Session>("/api/session", { signal });
    keepSession(told.may.includes("case.field") ? told : null);
    return told;
  } catch (error) {
    const away = error instanceof Problem && error.code === "unreachable" && location.pathname.startsWith(FIELD);
    const last = away ? keptSession() : null;
    if (last) return last;
    throw error;
  }
}

function keepSession(told: Session | null): void {
  try {
    if (told) localStorage.setItem(KEPT, JSON.stringify(told));
    else localStorage.removeItem(KEPT);
  } catch {
    // a browser that forbids storage does not work without a network
  }
}

function keptSession(): Session | null {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "null") as Session | null;
  } catch {
    return null;
  }
}

export function useSession() {
  return useQuery({
    queryKey: SESSION,
    queryFn: ({ signal }) => session(signal),
    staleTime: 60_000,
  });
}

/** Whether the reader may take an action on the city as a whole. */
export function useMay(action: string): boolean {
  return useSession().data?.may.includes(action) ?? false;
}

/** What an earlier reader saw must not be left in memory for the next: the page begins anew. */
export function beginAnew(address = "/"): void {
  location.assign(address);
}

/** How much this person did in the field that is not sent yet, on this telephone. */
export async function unsent(person: string): Promise<number> {
  const { itemsOf } = await import("../field/outbox");
  return (await itemsOf(person).catch(() => [])).length; // a browser without a store has kept nothing
}

/** Tries to send what waits; says how much is left. */
export async function sendUnsent(person: string): Promise<number> {
  const { flush, itemsOf } = await import("../field/outbox");
  await flush(person);
  return (await itemsOf(person)).length;
}

export async function discardUnsent(person: string): Promise<void> {
  const { discard, itemsOf } = await import("../field/outbox");
  for (const item of await itemsOf(person)) await discard(item.key);
}

export async function signOut(): Promise<void> {
  const { leave } = await askJson<{ leave: string | null }>("/api/session", { method: "DELETE" });
  const { forgetOthers } = await import("../field/store");
  await forgetOthers("").catch(() => undefined); // a browser without a store has kept nothing
  statePurpose("");
  beginAnew(leave ?? "/");
}

export async function actAs(person: string | null): Promise<void> {
  await askJson<Session>("/api/session/acting", { method: "PUT", body: { person } });
  statePurpose("");
  location.reload();
}
