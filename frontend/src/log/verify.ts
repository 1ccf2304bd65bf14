/**
 * Checks a receipt in the reader's own browser, with nothing but the city's public key: the signature of the
 * checkpoint (Ed25519), the place of the entry in the tree (RFC 9162, 2.1.3.2), and the digest of what the
 * entry tells. The server is asked for nothing.
 *
 * Formats: C2SP tlog-proof, tlog-checkpoint and signed-note; the hashes of the tree are those of RFC 6962.
 */

export type Verdict = "sound" | "unreadable" | "unsigned" | "not-in-log" | "changed-payload" | "unsupported";

export type Checked = {
  verdict: Verdict;
  /** What each step found, in order; a step that was not reached is left out. */
  steps: { name: "format" | "signature" | "inclusion" | "payload"; good: boolean }[];
  index?: number;
  size?: number;
  origin?: string;
  root?: string;
  /** The entry, and what it tells unless that was erased. */
  entry?: { type: string; time: string; sealed: string; digest: string };
  payload?: { actor: string | null; subject: string | null; data: unknown } | null;
  /** Hashes on the way from the entry to the root. */
  hashes?: number;
};

type Bytes = Uint8Array<ArrayBuffer>;

const ED25519 = 1;
const HASH = 32;
const text = new TextEncoder();

class FormatError extends Error {}

export function fromBase64(written: string): Bytes {
  let raw: string;
  try {
    raw = atob(written);
  } catch {
    throw new FormatError("not base64");
  }
  if (btoa(raw) !== written) throw new FormatError("not base64"); // one form for each content
  return Uint8Array.from(raw, (character) => character.charCodeAt(0));
}

export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(written: string): Bytes {
  if (!/^(?:[0-9a-f]{2})*$/.test(written)) throw new FormatError("not hexadecimal");
  return Uint8Array.from(written.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

function joined(...parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

async function sha256(...parts: Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
}

const leafHash = (entry: Uint8Array) => sha256(Uint8Array.of(0), entry);
const nodeHash = (left: Uint8Array, right: Uint8Array) => sha256(Uint8Array.of(1), left, right);

export type Key = { name: string; id: Bytes; public: Bytes };

/** Reads `name+id+base64(1 || public key)`, and checks that the identifier belongs to the key. */
export async function parseKey(written: string): Promise<Key> {
  const [name, id, ...rest] = written.trim().split("+");
  const raw = fromBase64(rest.join("+"));
  if (!name || !id || raw[0] !== ED25519 || raw.length !== 1 + HASH) throw new FormatError("not a key");
  const computed = (await sha256(text.encode(`${name}\n`), raw)).slice(0, 4);
  if (toHex(computed) !== id) throw new FormatError("the identifier does not belong to the key");
  return { name, id: computed, public: raw.slice(1) };
}

type Signature = { name: string; id: Bytes; bytes: Bytes };

function parseNote(note: string): { text: string; signatures: Signature[] } {
  const cut = note.lastIndexOf("\n\n");
  if (cut < 0 || !note.endsWith("\n")) throw new FormatError("not a signed note");
  const signatures = note
    .slice(cut + 2, -1)
    .split("\n")
    .map((line) => {
      const [dash, name, packed] = line.split(" ");
      const raw = fromBase64(packed ?? "");
      if (dash !== "—" || !name || raw.length < 5) throw new FormatError("not a signature");
      return { name, id: raw.slice(0, 4), bytes: raw.slice(4) };
    });
  return { text: note.slice(0, cut + 1), signatures };
}

function parseCheckpoint(written: string): { origin: string; size: number; root: Bytes } {
  const lines = written.split("\n");
  if (lines.length < 4 || lines.at(-1) !== "" || !lines[0] || !/^(?:0|[1-9][0-9]*)$/.test(lines[1]!)) {
    throw new FormatError("not a checkpoint");
  }
  const root = fromBase64(lines[2]!);
  if (root.length !== HASH) throw new FormatError("a root has 32 bytes");
  return { origin: lines[0], size: Number(lines[1]), root };
}

async function isSigned(note: { text: string; signatures: Signature[] }, key: Key): Promise<boolean> {
  const own = note.signatures.filter(({ name, id }) => name === key.name && same(id, key.id));
  if (own.length === 0) return false;
  const imported = await crypto.subtle.importKey("raw", key.public, { name: "Ed25519" }, false, ["verify"]);
  const found = await Promise.all(
    own.map(({ bytes }) => crypto.subtle.verify({ name: "Ed25519" }, imported, bytes, text.encode(note.text))),
  );
  return found.every(Boolean);
}

/** Says whether the hashes lead from a leaf at `index` to the root of a tree of `size` leaves. */
export async function isIncluded(index: number, size: number, leaf: Bytes, hashes: Bytes[], root: Bytes): Promise<boolean> {
  if (!(index >= 0 && index < size) || hashes.some((hash) => hash.length !== HASH)) return false;
  // Beyond 2**31 the operators on bits do not reach.
  let f = index;
  let s = size - 1;
  let r = leaf;
  const half = (n: number) => Math.floor(n / 2);
  for (const hash of hashes) {
    if (s === 0) return false;
    if (f % 2 === 1 || f === s) {
      r = await nodeHash(hash, r);
      while (f % 2 === 0 && f !== 0) {
        f = half(f);
        s = half(s);
      }
    } else r = await nodeHash(r, hash);
    f = half(f);
    s = half(s);
  }
  return s === 0 && same(r, root);
}

/** Checks a receipt with a key that the reader trusts. */
export async function checkReceipt(receipt: string, written: string): Promise<Checked> {
  const checked: Checked = { verdict: "unreadable", steps: [] };
  const step = (name: Checked["steps"][number]["name"], good: boolean) => {
    checked.steps.push({ name, good });
    return good;
  };
  try {
    const key = await parseKey(written);
    const cut = receipt.indexOf("\n\n");
    const lines = receipt.slice(0, cut).split("\n");
    const index = /^index (0|[1-9][0-9]*)$/.exec(lines[2] ?? "");
    if (cut < 0 || lines[0] !== "c2sp.org/tlog-proof@v1" || !lines[1]?.startsWith("extra ") || !index) {
      throw new FormatError("not a receipt");
    }
    const extra = JSON.parse(new TextDecoder().decode(fromBase64(lines[1].slice(6)))) as {
      entry: string;
      salt?: string;
      payload?: string;
    };
    const note = parseNote(receipt.slice(cut + 2));
    const head = parseCheckpoint(note.text);
    const hashes = lines.slice(3).map(fromBase64);
    const entry = JSON.parse(extra.entry) as NonNullable<Checked["entry"]>;
    Object.assign(checked, {
      index: Number(index[1]),
      size: head.size,
      origin: head.origin,
      root: toBase64(head.root),
      hashes: hashes.length,
      entry,
    });
    step("format", true);
    if (!step("signature", await isSigned(note, key))) return { ...checked, verdict: "unsigned" };
    const leaf = await leafHash(text.encode(extra.entry));
    if (!step("inclusion", await isIncluded(checked.index!, head.size, leaf, hashes, head.root))) {
      return { ...checked, verdict: "not-in-log" };
    }
    if (extra.salt === undefined || extra.payload === undefined) return { ...checked, verdict: "sound", payload: null };
    const digest = toHex(await sha256(fromHex(extra.salt), text.encode(extra.payload)));
    if (!step("payload", digest === entry.digest)) return { ...checked, verdict: "changed-payload" };
    return { ...checked, verdict: "sound", payload: JSON.parse(extra.payload) as Checked["payload"] };
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotSupportedError") return { ...checked, verdict: "unsupported" };
    if (!(error instanceof FormatError) && !(error instanceof SyntaxError)) throw error;
    step("format", false);
    return { ...checked, verdict: "unreadable" };
  }
}
