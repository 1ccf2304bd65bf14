/**
 * What was done in the field and is to be sent. Everything goes this way, with a network or without: it is kept
 * first and sent then, in order, as often as needed. Its key lets the server do it once.
 */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { Problem, problemOf } from "../api/client";
import { SESSION } from "../session/questions";
import { languageNow } from "../words";
import { type Item, phone, type Refusal, type Shot } from "./store";

const NAME = "jingwei.field.outbox";
export const OUTBOX = ["field", "outbox"];
/** Milliseconds between two tries while something waits. */
const AGAIN = 15_000;

const changed = new EventTarget();
const others = "BroadcastChannel" in window ? new BroadcastChannel(NAME) : undefined;
others?.addEventListener("message", () => changed.dispatchEvent(new Event("change")));

function tell(): void {
  changed.dispatchEvent(new Event("change"));
  others?.postMessage("change");
}

export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");
}

export async function itemsOf(person: string): Promise<Item[]> {
  const items = await (await phone()).getAllFromIndex("outbox", "person", person);
  return items.sort((a, b) => a.at.localeCompare(b.at) || a.key.localeCompare(b.key));
}

async function keep(item: Item): Promise<void> {
  await (await phone()).put("outbox", item);
  tell();
}

/** Keeps something and tries to send it; resolves once it is kept, and says whether it was sent at once. */
export async function send(item: Item): Promise<"sent" | "kept" | "refused"> {
  await keep(item);
  await flush(item.person);
  const left = await (await phone()).get("outbox", item.key);
  return left === undefined ? "sent" : left.refusal ? "refused" : "kept";
}

export async function discard(key: string): Promise<void> {
  await (await phone()).delete("outbox", key);
  tell();
}

/** Sends what was refused once more: as it is now, that is, knowing what changed meanwhile. */
export async function again(item: Item, seen: number | undefined): Promise<void> {
  await keep({ ...item, seen, refusal: undefined });
  await flush(item.person);
}

let running: Promise<void> | undefined;

/** Sends what waits, one after the other; of all pages of this browser only one does at a time. */
export function flush(person: string): Promise<void> {
  running ??= exclusively(() => sendAll(person)).finally(() => {
    running = undefined;
  });
  return running;
}

function exclusively(work: () => Promise<void>): Promise<void> {
  return "locks" in navigator ? (navigator.locks.request(NAME, work) as Promise<void>) : work();
}

async function sendAll(person: string): Promise<void> {
  const held = new Set<string>();
  for (const item of await itemsOf(person)) {
    // What follows a refused step of the same case rests on it, so it waits with it.
    if (item.number !== undefined && held.has(item.number)) continue;
    if (!item.refusal) {
      try {
        await sendOne(item);
        await discard(item.key);
        continue;
      } catch (error) {
        if (!(error instanceof Problem) || isPassing(error)) {
          if (error instanceof Problem && error.status === 401) changed.dispatchEvent(new Event("signed-out"));
          return;
        }
        await keep({ ...item, refusal: refusalOf(error) });
      }
    }
    if (item.number !== undefined) held.add(item.number);
  }
}

/** What goes away by itself: no network, not signed in, too often, a server that is being restarted. */
function isPassing({ code, status }: Problem): boolean {
  return code === "unreachable" || status === 401 || status === 429 || status >= 500;
}

function refusalOf({ code, message, mend, faults, where }: Problem): Refusal {
  const since = Array.isArray(where.since) ? (where.since as Refusal["since"]) : undefined;
  return { code, title: [message, ...faults.map((one) => one.message)].join(" "), mend, since };
}

async function post(address: string, body: BodyInit, type: string): Promise<unknown> {
  let answer: Response;
  try {
    answer = await fetch(address, {
      method: "POST",
      headers: {
        "Content-Type": type,
        Accept: "application/json, application/problem+json",
        "Accept-Language": languageNow() === "en" ? "en" : "zh-CN",
      },
      body,
    });
  } catch {
    throw new Problem({ code: "unreachable" });
  }
  if (!answer.ok) throw await problemOf(answer);
  return answer.json();
}

async function sendOne(item: Item, fresh = false): Promise<void> {
  const shots: Shot[] = [];
  for (const shot of item.shots) {
    if (shot.digest && !fresh) shots.push(shot);
    else {
      const { digest } = (await post("/api/cases/photos", shot.picture, shot.picture.type || "image/jpeg")) as { digest: string };
      shots.push({ ...shot, digest });
      await keep({ ...item, shots: [...shots, ...item.shots.slice(shots.length)] });
    }
  }
  item.shots = shots;
  const named = (field: Shot["field"]) => {
    const digests = shots.filter((one) => one.field === field).map((one) => one.digest);
    return digests.length ? { [field]: digests } : {};
  };
  const fields = { ...item.fields, ...named("photos"), ...named("before") };
  const body =
    item.number === undefined
      ? { ...fields, key: item.key, at: item.at }
      : { action: item.action, fields, seen: item.seen, key: item.key, at: item.at };
  const address = item.number === undefined ? "/api/cases" : `/api/cases/${encodeURIComponent(item.number)}/steps`;
  try {
    await post(address, JSON.stringify(body), "application/json");
  } catch (error) {
    // Uploaded long ago and not used, so removed since: the telephone still has it.
    if (!fresh && error instanceof Problem && error.code === "case-photo-unknown") await sendOne(item, true);
    else throw error;
  }
}

/** What waits to be sent, kept current. */
export function useOutbox(person: string): Item[] {
  const client = useQueryClient();
  const found = useQuery({ queryKey: [...OUTBOX, person], queryFn: () => itemsOf(person), staleTime: Number.POSITIVE_INFINITY });
  useEffect(() => {
    const look = () => {
      void client.invalidateQueries({ queryKey: OUTBOX });
      void client.invalidateQueries({ queryKey: ["field", "tasks"] });
      void client.invalidateQueries({ queryKey: ["field", "case"] });
    };
    const door = () => void client.invalidateQueries({ queryKey: SESSION });
    changed.addEventListener("change", look);
    changed.addEventListener("signed-out", door);
    return () => {
      changed.removeEventListener("change", look);
      changed.removeEventListener("signed-out", door);
    };
  }, [client]);
  return found.data ?? [];
}

/** Sends what waits whenever there is hope: at the start, when the network or the page comes back, and now and then. */
export function useSending(person: string): void {
  useEffect(() => {
    const go = () => void flush(person);
    go();
    const timer = setInterval(go, AGAIN);
    addEventListener("online", go);
    document.addEventListener("visibilitychange", go);
    return () => {
      clearInterval(timer);
      removeEventListener("online", go);
      document.removeEventListener("visibilitychange", go);
    };
  }, [person]);
}
