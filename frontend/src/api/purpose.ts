/** What the reader asks for, as stated: kept for this tab, and sent with every question. */
import { useSyncExternalStore } from "react";

const KEPT = "jingwei-purpose";
const listeners = new Set<() => void>();

export const purposeNow = () => sessionStorage.getItem(KEPT) ?? "";

export function statePurpose(purpose: string) {
  if (purpose) sessionStorage.setItem(KEPT, purpose);
  else sessionStorage.removeItem(KEPT);
  for (const told of listeners) told();
}

export const usePurpose = () =>
  useSyncExternalStore((told) => {
    listeners.add(told);
    return () => listeners.delete(told);
  }, purposeNow);
