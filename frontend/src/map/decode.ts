/** The page's side of the decoding worker. */
import { headersNow, Problem } from "../api/client";
import type { Answer, Cells, Job, Order, Points } from "./decode.worker";
import DecodeWorker from "./decode.worker?worker";

let worker: Worker | undefined;
let next = 0;
const waiting = new Map<number, (answer: Answer) => void>();

function theWorker(): Worker {
  if (!worker) {
    worker = new DecodeWorker();
    worker.onmessage = (event: MessageEvent<Answer>) => {
      waiting.get(event.data.id)?.(event.data);
      waiting.delete(event.data.id);
    };
  }
  return worker;
}

/** Fetch and decode an Arrow stream; aborting stops the request, and with it the work on the server. */
export function decode<K extends "points" | "cells">(
  kind: K,
  url: string,
  signal: AbortSignal,
): Promise<K extends "points" ? Points : Cells> {
  return new Promise((resolve, reject) => {
    next += 1;
    const id = next;
    const job: Job = { id, kind, url, headers: headersNow() };
    signal.addEventListener("abort", () => {
      if (!waiting.delete(id)) return;
      theWorker().postMessage({ id, stop: true } satisfies Order);
      reject(signal.reason);
    });
    waiting.set(id, (answer) => {
      if ("unreachable" in answer) reject(new Problem({ code: "unreachable" }));
      else if ("problem" in answer) reject(problemFrom(answer.problem));
      else {
        const { started, received, decoded } = answer;
        const origin = performance.timeOrigin;
        performance.measure(`layer:${kind}`, {
          start: started - origin,
          end: performance.now(),
          detail: { url, rows: answer.result.length, received: received - started, decoded: decoded - started },
        });
        resolve(answer.result as never);
      }
    });
    theWorker().postMessage(job satisfies Order);
  });
}

function problemFrom({ status, body }: { status: number; body: string }): Problem {
  try {
    return new Problem({ status, ...(JSON.parse(body) as object) });
  } catch {
    return new Problem({ status, title: body.slice(0, 200), code: `http-${status}` });
  }
}
