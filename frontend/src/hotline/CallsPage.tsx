/** Calls: all, or what waits for a reply, a call-back, a review; and one drawn at random to be reviewed. */
import { keepPreviousData, useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { Shuffle } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useNavigate, useSearchParams } from "react-router";
import { askJson } from "../api/client";
import { Fault } from "../design/Form";
import { Empty, Waiting } from "../design/States";
import { CallRow } from "./CallRow";
import { CALLS, type Calls } from "./questions";

const WAITING = ["reply", "call_back", "review"] as const;

export function CallsPage() {
  const { t } = useTranslation();
  const go = useNavigate();
  const [parameters, setParameters] = useSearchParams();
  const waiting = parameters.get("waiting") ?? "";
  const mine = parameters.get("mine") === "true";
  const numbers = parameters.getAll("number");
  const found = useInfiniteQuery({
    queryKey: [...CALLS, waiting, mine, numbers.join()],
    queryFn: ({ signal, pageParam }) => {
      const query = new URLSearchParams(numbers.map((one) => ["number", one]));
      if (waiting) query.set("waiting", waiting);
      if (mine) query.set("mine", "true");
      if (pageParam) query.set("beyond", String(pageParam));
      return askJson<Calls>(`/api/hotline/calls?${query}`, { signal });
    },
    initialPageParam: 0,
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: keepPreviousData,
  });
  const chosen = waiting !== "" || mine || numbers.length > 0;
  const draw = useMutation({
    mutationFn: () => askJson<Calls>("/api/hotline/calls/draw"),
    onSuccess: (drawn) => drawn.calls[0] && void go(`/hotline/calls/${drawn.calls[0].number}`),
  });
  const calls = found.data?.pages.flatMap((page) => page.calls) ?? [];
  const chip = (name: string, pressed: boolean, to: Record<string, string>) => (
    <button key={name} type="button" className="chip" aria-pressed={pressed} onClick={() => setParameters(to)}>
      {name}
    </button>
  );
  return (
    <>
      <div className="filter-row">
        <div className="chips" role="group" aria-label={t("hotline.calls.name")}>
          {chip(t("hotline.calls.all"), !chosen, {})}
          {WAITING.map((one) => chip(t(`hotline.calls.waiting.${one}`), waiting === one, { waiting: one }))}
          {chip(t("hotline.calls.mine"), mine, { mine: "true" })}
        </div>
        {waiting === "review" && (
          <button type="button" className="button" title={t("hotline.call.drawn")} disabled={draw.isPending} onClick={() => draw.mutate()}>
            <Shuffle aria-hidden />
            {t("hotline.call.draw")}
          </button>
        )}
      </div>
      <p role="status" className="small quiet">{draw.data?.calls.length === 0 && t("hotline.call.noDraw")}</p>
      <Fault error={draw.error} />
      <Waiting of={found} lines={8} />
      {found.isSuccess && calls.length === 0 && <Empty title={t("hotline.calls.none")}>{chosen ? t("hotline.calls.noneMend") : t("hotline.calls.noneYet")}</Empty>}
      {calls.length > 0 && (
        <ul className="rows card hotline-list">
          {calls.map((one) => (
            <li key={one.number}>
              <CallRow call={one} link />
            </li>
          ))}
        </ul>
      )}
      {found.hasNextPage && (
        <button type="button" className="button more" disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t("hotline.calls.more")}
        </button>
      )}
    </>
  );
}
