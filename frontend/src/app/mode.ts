/** The reader's mode: light, dark, the system's wish, or the wall of an operations centre. */
import { useSyncExternalStore } from "react";

export const MODES = ["system", "light", "dark", "wall"] as const;
export type Mode = (typeof MODES)[number];
export type Look = "light" | "dark";

const KEY = "jingwei.mode";
const page = document.documentElement;
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const followers = new Set<() => void>();

export function modeNow(): Mode {
  return (page.dataset.mode as Mode | undefined) ?? "system";
}

export function lookNow(): Look {
  return page.dataset.look === "dark" ? "dark" : "light";
}

function apply(mode: Mode): void {
  page.dataset.mode = mode;
  const dark = mode === "system" ? systemDark.matches : mode !== "light";
  page.dataset.look = dark ? "dark" : "light";
  for (const follower of followers) follower();
}

export function setMode(mode: Mode): void {
  try {
    localStorage.setItem(KEY, mode);
  } catch {
    // a browser that forbids storage forgets the choice, nothing else
  }
  apply(mode);
}

/** Shows the wall for as long as a page asks for it, and does not keep it as the reader's choice; returns what ends that. */
export function lendWall(): () => void {
  const before = modeNow();
  apply("wall");
  return () => {
    if (modeNow() === "wall") apply(before);
  };
}

systemDark.addEventListener("change", () => apply(modeNow()));

function follow(follower: () => void): () => void {
  followers.add(follower);
  return () => followers.delete(follower);
}

export function useMode(): Mode {
  return useSyncExternalStore(follow, modeNow);
}

export function useLook(): Look {
  return useSyncExternalStore(follow, lookNow);
}

/** The value of a design token under the look of the moment. */
export function token(name: string): string {
  return getComputedStyle(page).getPropertyValue(name).trim();
}

/** By how much text is larger than on a desk: labels of maps grow with the words around them. */
export function textScale(): number {
  return Number.parseFloat(getComputedStyle(page).fontSize) / 16 || 1;
}
