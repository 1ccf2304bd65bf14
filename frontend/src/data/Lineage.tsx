/** Where a version came from beside its files, and what was made of it. */
import { useInfiniteQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { askJson } from "../api/client";
import { useZone } from "../api/questions";
import type { Read } from "../api/types";
import { More } from "../design/More";
import { Failure, Loading } from "../design/States";
import { instant, langOf, say, type Text } from "../words";

/** The versions of datasets that were read to make a version, and what for. */
export function Reads({ reads }: { reads: Read[] | null }) {
  const { t } = useTranslation();
  if (reads === null) return <p className="small quiet">{t("lineage.unrecorded")}</p>;
  if (reads.length === 0) return null;
  return (
    <ul className="lineage" aria-label={t("lineage.reads")}>
      {reads.map((read) => (
        <li key={`${read.dataset} ${read.version} ${read.how}`}>
          {t("lineage.read")} <Link to={`/data/${read.dataset}/versions`} lang={langOf(say(read.title))}>
            {say(read.title)}
          </Link>{" "}
          {t("data.versionNumber", { number: read.version })} <span className="quiet">{t(`lineage.how.${read.how}`)}</span>
        </li>
      ))}
    </ul>
  );
}

const KINDS = [
  "compacted", "same-file", "read", "compared", "checked", "correction", "matched", "cases", "rule", "rolled-up", "identified", "open-data",
  "exported",
] as const;
type Use = {
  kind: (typeof KINDS)[number];
  at: string;
  subject: string;
  title: Text | null;
  version: number | null;
  event: string | null;
  how: string[];
  times: number;
};

/** What was made of a version, asked for when it is opened. */
export function Uses({ dataset, number }: { dataset: string; number: number }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const answer = useInfiniteQuery({
    queryKey: ["uses", dataset, number],
    queryFn: ({ signal, pageParam }) =>
      askJson<{ uses: Use[]; after: string | null }>(`/api/datasets/${dataset}/versions/${number}/uses`, {
        query: { after: pageParam },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.after ?? undefined,
    enabled: open,
  });
  const uses = answer.data?.pages.flatMap((page) => page.uses);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("lineage.uses")}</summary>
      {answer.isLoading && <Loading lines={2} />}
      {answer.error && <Failure error={answer.error} retry={() => answer.refetch()} compact />}
      {uses?.length === 0 && <p className="small quiet">{t("lineage.noUses")}</p>}
      <ul className="lineage">
        {uses?.map((use) => (
          <UseItem key={`${use.kind} ${use.subject} ${use.version} ${use.at} ${use.how}`} use={use} />
        ))}
      </ul>
      <More of={answer} />
    </details>
  );
}

function UseItem({ use }: { use: Use }) {
  const { t } = useTranslation();
  const zone = useZone();
  const where = whereOf(use);
  const name = nameOf(use, t);
  const how = use.how.map((one) => t(`lineage.how.${one}`, { defaultValue: one }));
  return (
    <li>
      {t(`lineage.kinds.${use.kind}`)} {where === null ? name : <Link to={where} lang={langOf(name)}>{name}</Link>}
      {use.version !== null && ` ${t("data.versionNumber", { number: use.version })}`}{" "}
      <span className="quiet small">
        {how.length > 0 && `${how.join(t("lineage.and"))} · `}
        {use.kind !== "identified" && use.times > 1 && `${t("lineage.times", { count: use.times })} `}
        {instant(use.at, zone, "second")}
      </span>
    </li>
  );
}

/** What came of it: the title of a dataset, how many identifiers, or the end of what the log calls it. */
function nameOf(use: Use, t: TFunction): string | undefined {
  if (use.kind === "rolled-up") return "";
  if (use.kind === "identified") return t("lineage.identifiers", { count: use.times });
  return use.title ? say(use.title) : use.subject.split("/").at(-1);
}

/** Where the page of what came of it is, if it has one. */
function whereOf(use: Use): string | null {
  const [kind, id = ""] = use.subject.split("/");
  if (kind === "correction") return `/data/corrections/${id}`;
  if (kind === "matching") return `/data/matching/${id}`;
  if (use.kind === "rolled-up") return null;
  if (kind === "sense") return `/sense/rules/${use.subject.split("/")[2] ?? ""}`;
  if (kind === "dataset") return `/data/${id}/${["checked", "compared"].includes(use.kind) ? "quality" : "versions"}`;
  return null;
}
