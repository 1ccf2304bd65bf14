/** What the window's title says before the name of the part: the thing on the page, then the open tab. */
import { useEffect, useSyncExternalStore } from "react";

let told: { text: string }[] = [];
let title = "";
const followers = new Set<() => void>();

function tell(next: typeof told): void {
  told = next;
  title = told.map((one) => one.text).join(" · ");
  for (const follower of followers) follower();
}

function follow(follower: () => void): () => void {
  followers.add(follower);
  return () => followers.delete(follower);
}

/** Name what is on the page for as long as it is there; nothing while its name is not known. */
export function useTitle(text: string | null | undefined): void {
  useEffect(() => {
    if (!text) return;
    const mine = { text };
    tell([...told, mine]);
    return () => tell(told.filter((one) => one !== mine));
  }, [text]);
}

export function useTold(): string {
  return useSyncExternalStore(follow, () => title);
}
