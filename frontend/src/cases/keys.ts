/** Keys that do something at once, without a field in focus; a reader may turn them off. */
import { useEffect, useRef, useSyncExternalStore } from "react";

const KEPT = "jingwei.keys";
const followers = new Set<() => void>();

export function keysOn(): boolean {
  try {
    return localStorage.getItem(KEPT) !== "off";
  } catch {
    return true;
  }
}

export function setKeys(on: boolean): void {
  try {
    localStorage.setItem(KEPT, on ? "on" : "off");
  } catch {
    // forgotten with the page, nothing else
  }
  for (const follower of followers) follower();
}

export function useKeysOn(): boolean {
  return useSyncExternalStore((follower) => {
    followers.add(follower);
    return () => followers.delete(follower);
  }, keysOn);
}

const FIELDS = "input:not([type=checkbox]), textarea, select, [contenteditable], dialog, [role=menu], .maplibregl-canvas";

export type Keys = Record<string, () => void>;

/** `keys` by what `KeyboardEvent.key` says; `?` works even where the others are turned off. */
export function useKeys(keys: Keys): void {
  const newest = useRef(keys);
  newest.current = keys;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      const target = event.target instanceof Element ? event.target : null;
      if (target?.closest(FIELDS) || document.querySelector("dialog[open]")) return;
      if (event.key === "Enter" && target?.closest("a, button")) return;
      const run = newest.current[event.key];
      if (!run || (event.key !== "?" && !keysOn())) return;
      event.preventDefault();
      run();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}
