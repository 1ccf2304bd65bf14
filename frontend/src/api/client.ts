/** Asking the server: one function, one kind of error, every request stoppable. */
import { languageNow } from "../words";
import { purposeNow } from "./purpose";

export type Fault = { field: string; message: string };

/** A problem by RFC 9457 as the server tells it, already in the reader's language. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail?: string;
  readonly mend?: string;
  readonly where: Record<string, unknown>;
  readonly faults: Fault[];
  readonly reference?: string;

  constructor(body: {
    title?: string;
    status?: number;
    code?: string;
    detail?: string;
    mend?: string;
    where?: Record<string, unknown>;
    faults?: Fault[];
    reference?: string;
  }) {
    super(body.title ?? "");
    this.name = "Problem";
    this.status = body.status ?? 0;
    this.code = body.code ?? (body.title ? "failed" : "unreachable");
    this.detail = body.detail;
    this.mend = body.mend;
    this.where = body.where ?? {};
    this.faults = body.faults ?? [];
    this.reference = body.reference;
  }
}

export type Query = Record<string, string | number | boolean | undefined | null>;

export function address(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") parameters.set(name, String(value));
  }
  const tail = parameters.toString();
  return tail ? `${path}?${tail}` : path;
}

/** What every question carries besides its address: the reader's language, and what for, where that was stated. */
export function headersNow(): Record<string, string> {
  const purpose = purposeNow();
  return {
    "Accept-Language": languageNow() === "en" ? "en" : "zh-CN",
    ...(purpose ? { "Jingwei-Purpose": encodeURIComponent(purpose) } : {}),
  };
}

export async function ask(
  path: string,
  { query, signal, method = "GET", body, accept = "application/json" }: {
    query?: Query;
    signal?: AbortSignal;
    method?: string;
    body?: unknown;
    accept?: string;
  } = {},
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address(path, query), {
      method,
      signal,
      headers: {
        Accept: `${accept}, application/problem+json`,
        ...headersNow(),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem({ code: "unreachable" });
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

export async function problemOf(response: Response): Promise<Problem> {
  try {
    return new Problem({ status: response.status, ...((await response.json()) as object) });
  } catch {
    return new Problem({ status: response.status, title: response.statusText, code: `http-${response.status}` });
  }
}

export async function askJson<T>(
  path: string,
  options: { query?: Query; signal?: AbortSignal; method?: string; body?: unknown } = {},
): Promise<T> {
  return (await ask(path, options)).json() as Promise<T>;
}
