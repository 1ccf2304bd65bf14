/**
 * What this telephone keeps: the report that is being written, those that wait for a network, and the secrets of those
 * that were sent. Everything is kept first and sent then, so that nothing that was written is lost.
 */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { ask, type Contact, Fault, json, type Place, proof, type Report } from "./ask";

export type Shot = { picture: Blob; digest?: string };
export type Draft = {
  secret: string;
  words: string;
  shots: Shot[];
  place?: Place & { from: "photo" | "phone" | "map"; accuracy?: number };
  type?: { kind: string; code: string; name: { zh: string; en: string } };
  join: string;
  hidden: boolean;
  contact: Contact;
  /** When it was sent off, ISO 8601. */
  at?: string;
  refusal?: { title: string; mend: string; code: string };
};
export type Sent = { secret: string; number: string; code: string; at: string; title: { zh: string; en: string } };

interface Phone extends DBSchema {
  draft: { key: string; value: Draft };
  outbox: { key: string; value: Draft };
  sent: { key: string; value: Sent };
}

let opened: Promise<IDBPDatabase<Phone>> | undefined;

function phone(): Promise<IDBPDatabase<Phone>> {
  opened ??= openDB<Phone>("jingwei.citizen", 1, {
    upgrade(base) {
      base.createObjectStore("draft");
      base.createObjectStore("outbox", { keyPath: "secret" });
      base.createObjectStore("sent", { keyPath: "secret" });
    },
  });
  return opened;
}

export function fresh(): Draft {
  const secret = [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");
  return { secret, words: "", shots: [], join: "", hidden: false, contact: { email: "", sms: "", wechat: "", wishes: ["done"] } };
}

export const draft = {
  read: async (): Promise<Draft | undefined> => (await phone()).get("draft", "now"),
  keep: async (value: Draft): Promise<void> => void (await (await phone()).put("draft", value, "now")),
  forget: async (): Promise<void> => (await phone()).delete("draft", "now"),
};

export const sent = {
  all: async (): Promise<Sent[]> => (await (await phone()).getAll("sent")).sort((a, b) => b.at.localeCompare(a.at)),
  forget: async (secret: string): Promise<void> => (await phone()).delete("sent", secret),
  keep: async (one: Sent): Promise<void> => void (await (await phone()).put("sent", one)),
};

export async function waiting(): Promise<Draft[]> {
  return (await (await phone()).getAll("outbox")).sort((a, b) => (a.at ?? "").localeCompare(b.at ?? ""));
}

export async function discard(secret: string): Promise<void> {
  await (await phone()).delete("outbox", secret);
  tell();
}

const changed = new EventTarget();
function tell(): void {
  changed.dispatchEvent(new Event("change"));
}
export function onChange(follower: () => void): () => void {
  changed.addEventListener("change", follower);
  return () => changed.removeEventListener("change", follower);
}

/** Keeps a report and tries to send it at once; the report where that went well. */
export async function send(one: Draft): Promise<Report | "kept" | "refused"> {
  await (await phone()).put("outbox", { ...one, at: one.at ?? new Date().toISOString(), refusal: undefined });
  await draft.forget();
  tell();
  const results = await flush();
  return results.get(one.secret) ?? "kept";
}

let flushing: Promise<Map<string, Report | "refused">> | undefined;

/** Sends all that waits, one after the other; two calls at a time are one. */
export async function flush(): Promise<Map<string, Report | "refused">> {
  if (flushing) {
    await flushing.catch(() => undefined);
  }
  flushing = sendAll();
  return flushing;
}

async function sendAll(): Promise<Map<string, Report | "refused">> {
  const results = new Map<string, Report | "refused">();
  for (const one of await waiting()) {
    if (one.refusal) continue;
    try {
      results.set(one.secret, await sendOne(one));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (error.passing || error.code === "proof-missing") break;
      await (await phone()).put("outbox", { ...one, refusal: { title: error.message, mend: error.mend, code: error.code } });
      results.set(one.secret, "refused");
    }
    tell();
  }
  return results;
}

async function sendOne(one: Draft): Promise<Report> {
  for (const shot of one.shots) {
    if (!shot.digest) await upload(one, shot);
    await (await phone()).put("outbox", one);
  }
  const { stamp, nonce } = await proof(one.secret);
  const told = await json<Report>("/reports", {
    method: "POST",
    body: {
      secret: one.secret,
      stamp,
      nonce,
      kind: one.type?.kind,
      type: one.type?.code,
      lon: one.place?.lon,
      lat: one.place?.lat,
      description: one.words.trim(),
      photos: one.shots.map((shot) => shot.digest),
      at: one.at,
      join: one.join,
      private: one.hidden,
      contact: one.contact.email || one.contact.sms || one.contact.wechat ? one.contact : {},
    },
  });
  const base = await phone();
  await base.put("sent", { secret: one.secret, number: told.number, code: told.code ?? "", at: one.at ?? "", title: told.type });
  await base.delete("outbox", one.secret);
  return told;
}

/** Sends a photograph; what its file tells of the place fills in a place that is not known. */
export async function upload(one: Draft, shot: Shot): Promise<Place | null> {
  const told = (await (await ask("/photos", { method: "POST", body: shot.picture, secret: one.secret })).json()) as { digest: string; place: Place | null };
  shot.digest = told.digest;
  if (told.place && !one.place) one.place = { ...told.place, from: "photo" };
  return told.place;
}
