/** The button below a list that has further pages: it takes the next and says when it is on its way. */
import type { InfiniteQueryObserverResult } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

type Pages = Pick<InfiniteQueryObserverResult, "hasNextPage" | "isFetchingNextPage" | "fetchNextPage">;

export function More({ of, label }: { of: Pages; label?: string }) {
  const { t } = useTranslation();
  if (!of.hasNextPage) return null;
  return (
    <button type="button" className="button more" disabled={of.isFetchingNextPage} onClick={() => void of.fetchNextPage()}>
      {label ?? t("state.more")}
    </button>
  );
}
