/** Asking the server without an account, and the answers. */
import { english, type Text } from "./words";

export type Place = { lon: number; lat: number };
export type Type = { kind: "component" | "matter"; code: string; name: Text; major: Text; why: Text | null };
export type City = { name: Text; zone: string; bounds: [number, number, number, number] | null; generated: boolean; message: Text | null; types: Type[]; open_data: boolean; sign_in: Text | null; channels: string[]; most_bytes: number; longest: number };
export type Near = { number: string; type: Text; state: Text; metres: number; reported: string; words: string | null };
export type Around = { types: Type[]; near: Near[] };
export type Contact = { email: string; sms: string; wechat: string; wishes: string[] };
export type Told = { at: string; says: Text; words: string | null; photos: string[] };
export type Report = {
  number: string;
  code: string | null;
  step: number;
  main: string | null;
  type: Text;
  state: string;
  title: Text;
  meaning: Text;
  office: Text;
  due: string | null;
  late: boolean;
  ended: boolean;
  disputed: number;
  description: string;
  hidden: boolean;
  rated: number | null;
  others: number;
  told: Told[];
  may: { action: string; hindered: Text | null }[];
  contact: Contact;
};

export type Area = { code: string; name: Text | null; open: number };
export type Here = { community: Area | null; street: Area | null };
export type TypeCount = { kind: string; code: string; name: Text; count: number };
export type PublicCase = {
  number: string;
  kind: string;
  type: string;
  type_name: Text;
  state: Text;
  ended: boolean;
  office: string | null;
  area: string;
  lon: number | null;
  lat: number | null;
  reported: string;
  due: string | null;
  words: string | null;
};
export type PublicCaseWhole = PublicCase & { street_name: Text | null; community_name: Text | null; photos: string[]; told: { at: string; says: Text }[]; forwarded: { to: string; number: string | null; status: "" | "open" | "closed" }[] };
export type PublicCases = { cases: PublicCase[]; count: number; next: string | null };
export type Figures = { area: string; days: number; figures: { key: string; name: Text; formula: Text; value: number | null; unit: "count" | "share"; fewer: number | null }[] };

export type Alert = { what: Text; area: string; types: string[]; every: "hour" | "day" | "week"; confirmed: boolean };

/** Puts a fault's title, which may be no whole sentence, before what mends it. */
export function sentences(title: string, mend: string): string {
  const whole = title.charAt(0).toUpperCase() + title.slice(1);
  if (!mend) return whole;
  const stopped = /[.。!！?？]$/.test(whole) ? whole : `${whole}${english() ? "." : "。"}`;
  return `${stopped}${english() ? " " : ""}${mend}`;
}

/** What went wrong, already in the reader's language; `status` 0 where nothing answered. */
export class Fault extends Error {
  readonly status: number;
  readonly code: string;
  readonly mend: string;
  constructor(status: number, code: string, title: string, mend = "") {
    super(title);
    this.status = status;
    this.code = code;
    this.mend = mend;
  }
  /** What went wrong and what to do about it, as sentences. */
  get said(): string {
    return sentences(this.message, this.mend);
  }
  /** Whether the same may go well later, as it is. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export async function ask(path: string, { method = "GET", body, secret, headers, signal }: { method?: string; body?: unknown; secret?: string; headers?: Record<string, string>; signal?: AbortSignal } = {}): Promise<Response> {
  const picture = body instanceof Blob;
  let answer: Response;
  try {
    answer = await fetch(`/api/public${path}`, {
      method,
      signal,
      headers: {
        Accept: "application/json, application/problem+json",
        "Accept-Language": english() ? "en" : "zh-CN",
        ...headers,
        ...(secret ? { "Jingwei-Report": secret } : {}),
        ...(body === undefined || picture ? {} : { "Content-Type": "application/json" }),
      },
      body: body === undefined ? undefined : picture ? body : JSON.stringify(body),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Fault(0, "unreachable", "");
  }
  if (answer.ok) return answer;
  const told = (await answer.json().catch(() => ({}))) as { code?: string; title?: string; mend?: string; detail?: string };
  throw new Fault(answer.status, told.code ?? "", told.title ?? answer.statusText, told.mend ?? told.detail ?? "");
}

export async function json<T>(path: string, options: Parameters<typeof ask>[1] = {}): Promise<T> {
  return (await ask(path, options)).json() as Promise<T>;
}

export function query(values: Record<string, string | number | undefined>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== "") given.set(name, String(value));
  const tail = given.toString();
  return tail ? `?${tail}` : "";
}

const AT_ONCE = 64;

/** Does the small work that keeps robots away: a number with which the digest begins with enough zero bits. */
export async function proof(secret: string): Promise<{ stamp: string; nonce: string }> {
  const { stamp, bits } = await json<{ stamp: string; bits: number }>("/stamp");
  const text = new TextEncoder();
  for (let first = 0; ; first += AT_ONCE) {
    const digests = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, n) => crypto.subtle.digest("SHA-256", text.encode(`${stamp}:${secret}:${first + n}`))),
    );
    const found = digests.findIndex((one) => new DataView(one).getUint32(0) >>> (32 - bits) === 0);
    if (found >= 0) return { stamp, nonce: String(first + found) };
  }
}
