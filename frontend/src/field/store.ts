/** What the telephone itself keeps: what waits to be sent, the last answers, the way of the day. Apart for each person. */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { Problem } from "../api/client";

export type PhotoField = "photos" | "before";
/** A photograph that belongs to something that waits; `digest` once the server has it. */
export type Shot = { field: PhotoField; picture: Blob; digest?: string };

export type Refusal = {
  code: string;
  title: string;
  mend?: string;
  /** What others did to the case meanwhile. */
  since?: { action: string; at: string }[];
};

export type Item = {
  /** Made here; the server does the same key once. */
  key: string;
  person: string;
  /** When it was done, ISO 8601. */
  at: string;
  /** A step of the life cycle, or `report`. */
  action: string;
  /** The case of a step. */
  number?: string;
  /** What one saw of the case. */
  seen?: number;
  /** What the list says of it. */
  title: string;
  fields: Record<string, unknown>;
  shots: Shot[];
  refusal?: Refusal;
};

export type Fix = { at: string; lon: number; lat: number; accuracy: number };
type Kept = { name: string; person: string; at: number; answer: unknown };
type KeptFix = Fix & { person: string };

interface Phone extends DBSchema {
  outbox: { key: string; value: Item; indexes: { person: string } };
  kept: { key: [string, string]; value: Kept; indexes: { person: string } };
  way: { key: [string, string]; value: KeptFix; indexes: { person: string } };
}

let opened: Promise<IDBPDatabase<Phone>> | undefined;

export function phone(): Promise<IDBPDatabase<Phone>> {
  opened ??= openDB<Phone>("jingwei.field", 1, {
    upgrade(base) {
      base.createObjectStore("outbox", { keyPath: "key" }).createIndex("person", "person");
      base.createObjectStore("kept", { keyPath: ["person", "name"] }).createIndex("person", "person");
      base.createObjectStore("way", { keyPath: ["person", "at"] }).createIndex("person", "person");
    },
  });
  return opened;
}

/** An answer, and since when it is known; `away` where it is an old one because the network is away. */
export type Known<T> = { answer: T; at: number; away: boolean };

/** Asks the server and keeps what it says; without a network, what it said last. */
export async function known<T>(person: string, name: string, ask: () => Promise<T>): Promise<Known<T>> {
  try {
    const answer = await ask();
    const at = Date.now();
    await (await phone()).put("kept", { name, person, at, answer });
    return { answer, at, away: false };
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "unreachable") throw error;
    const last = await (await phone()).get("kept", [person, name]);
    if (!last) throw error;
    return { answer: last.answer as T, at: last.at, away: true };
  }
}

/** Removes what others than a person saw on this telephone. What waits to be sent is never removed. */
export async function forgetOthers(person: string): Promise<void> {
  const base = await phone();
  for (const one of await base.getAll("kept")) if (one.person !== person) await base.delete("kept", [one.person, one.name]);
}
