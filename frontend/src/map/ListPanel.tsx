/** What lies in the view, as a list: for those who cannot see the map, and for those who want to read it. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import type { Bounds, Dataset, Fact, FactPage } from "../api/types";
import { More } from "../design/More";
import { Empty, Waiting } from "../design/States";
import { langOf, say } from "../words";
import { FactItem } from "./FactItem";
import type { Layer } from "./layers";

const PAGE = 20;

export function ListPanel({ layers, datasets, bounds, time, close, locate }: {
  layers: Layer[];
  datasets: Dataset[];
  bounds: Bounds;
  time: [number, number] | null;
  close: () => void;
  locate: (dataset: string, fact: Fact) => void;
}) {
  const { t } = useTranslation();
  const shown = datasets.filter((one) => layers.some((layer) => layer.dataset === one.id));
  return (
    <section className="panel inspector" aria-label={t("map.list")}>
      <header className="panel-head">
        <div>
          <h2>{t("map.list")}</h2>
          <p className="small quiet">{t("map.listNote")}</p>
        </div>
        <button type="button" className="icon-button" aria-label={t("map.close")} onClick={close}>
          <X aria-hidden />
        </button>
      </header>
      <div className="panel-body">
        {shown.length === 0 && <Empty title={t("map.noLayers")} compact />}
        {shown.map((dataset) => (
          <InView key={dataset.id} dataset={dataset} bounds={bounds} time={dataset.period ? time : null} locate={(fact) => locate(dataset.id, fact)} />
        ))}
      </div>
    </section>
  );
}

function InView({ dataset, bounds, time, locate }: {
  dataset: Dataset;
  bounds: Bounds;
  time: [number, number] | null;
  locate: (fact: Fact) => void;
}) {
  const { t } = useTranslation();
  const box = bounds.map((edge) => edge.toFixed(5)).join(",");
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
  const answer = useInfiniteQuery({
    queryKey: ["view", dataset.id, dataset.version, box, time],
    queryFn: ({ signal, pageParam }) =>
      askJson<FactPage>(`/api/datasets/${dataset.id}/features`, {
        query: {
          f: "json",
          bbox: box,
          limit: PAGE,
          after: pageParam,
          from: time ? iso(time[0]) : undefined,
          to: time ? iso(time[1] - 1) : undefined,
        },
        signal,
      }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.after ?? undefined,
  });
  const records = answer.data?.pages.flatMap((page) => page.records) ?? [];
  return (
    <section className="in-view">
      <h3 lang={langOf(say(dataset.title))}>{say(dataset.title)}</h3>
      <Waiting of={answer} lines={3} compact />
      {answer.isSuccess && records.length === 0 && <p className="small quiet">{t("map.nothingHere")}</p>}
      <ul className="facts-list">
        {records.map((fact) => (
          <FactItem
            key={fact.fact}
            dataset={dataset.id}
            fact={fact}
            locate={fact.places.length && !dataset.has_geometry ? () => locate(fact) : undefined}
          />
        ))}
      </ul>
      <More of={answer} />
    </section>
  );
}
