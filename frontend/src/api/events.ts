/**
 * What happens in the city, as it happens.
 *
 * A browser opens only six connections to one server over HTTP/1.1, and a stream holds one for as long as
 * it lives. So of all the pages of one browser only one listens, and tells the others.
 */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

export type CityEvent = {
  position: number;
  type: string;
  time: string;
  /** What it was done to, as `dataset/bus_stops`; null where it was erased. */
  subject: string | null;
  /** Who did it, and its data: only for those who may read the log. */
  actor?: string | null;
  data?: Record<string, unknown> | null;
};

type Listener = (event: CityEvent) => void;

const ADDRESS = "/api/events";
const NAME = "jingwei.events";
const listeners = new Set<Listener>();
let stop: (() => void) | undefined;

function tell(event: CityEvent) {
  for (const listener of [...listeners]) listener(event);
}

/** Listens to the server; the browser itself comes back after a loss, with the last position it has. */
function listen(heard: Listener): () => void {
  const source = new EventSource(ADDRESS);
  source.onmessage = (message) => heard(JSON.parse(message.data as string) as CityEvent);
  // The right to listen has ended: without this the browser would ask again and again.
  source.addEventListener("end", () => source.close());
  return () => source.close();
}

/** One page of this browser holds the lock and listens; the others hear it from that one. */
function share(): () => void {
  const done = new AbortController();
  const channel = new BroadcastChannel(NAME);
  channel.onmessage = (message) => tell(message.data as CityEvent);
  void navigator.locks
    .request(NAME, { signal: done.signal }, () => {
      const close = listen((event) => {
        tell(event);
        channel.postMessage(event);
      });
      return new Promise<void>((released) => {
        done.signal.addEventListener("abort", () => {
          close();
          released();
        });
      });
    })
    .catch(() => undefined); // given up before it was our turn
  return () => {
    done.abort();
    channel.close();
  };
}

/** Has `listener` called at each event that this reader may know of; returns how to stop that. */
export function onEvent(listener: Listener): () => void {
  listeners.add(listener);
  // Locks need a secure context; a page without them listens by itself.
  if (!stop) stop = "locks" in navigator && "BroadcastChannel" in window ? share() : listen(tell);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      stop?.();
      stop = undefined;
    }
  };
}

/**
 * Calls `heard` at each event of the given types or parts (`"dataset.removed"`, `"policy"`); of all, if none
 * is given. The newest `heard` is called, so it need not be kept the same.
 */
export function useEvents(types: readonly string[], heard: Listener): void {
  const newest = useRef(heard);
  newest.current = heard;
  const wanted = types.join(",");
  useEffect(() => {
    const names = new Set(wanted ? wanted.split(",") : []);
    return onEvent((event) => {
      if (names.size === 0 || names.has(event.type) || names.has(event.type.split(".")[0]!)) newest.current(event);
    });
  }, [wanted]);
}

/** Keeps what pages have asked fresh: what an event tells has changed is asked for again. */
export function useFreshness(): void {
  const questions = useQueryClient();
  useEvents([], ({ type, subject }) => {
    const part = type.split(".")[0];
    if (part === "dataset") {
      const id = subject?.split("/")[1];
      void questions.invalidateQueries({ queryKey: ["datasets"] });
      void questions.invalidateQueries({ queryKey: ["city"] });
      void questions.invalidateQueries({ queryKey: ["cell"] });
      if (id) void questions.invalidateQueries({ queryKey: ["dataset", id] });
    } else if (part === "policy" || part === "department" || type.startsWith("person.role_")) {
      void questions.invalidateQueries(); // what one may see may be another
    } else if (part === "object" && subject) {
      void questions.invalidateQueries({ queryKey: ["object", subject.split("/")[1]] });
    }
  });
}
