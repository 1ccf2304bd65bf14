/** The records of the points that were picked on the map, or in the list beside it. */
import { useQueries } from "@tanstack/react-query";
import type { FeatureCollection } from "geojson";
import { Grid2x2, X } from "lucide-react";
import { useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import type { Dataset, Fact, Place } from "../api/types";
import { token, useLook } from "../app/mode";
import { Failure, Loading } from "../design/States";
import { say } from "../words";
import { FactItem } from "./FactItem";
import { type DrawnLayer, GeoJsonLayer } from "./GeoJsonLayer";
import type { PickedPoints } from "./state";

/** The picked records as the server knows them. */
export function usePicked(picked: PickedPoints | null, dataset: Dataset | undefined) {
  return useQueries({
    queries: (picked && dataset ? picked.facts : []).map((fact) => ({
      queryKey: ["fact", dataset!.id, fact, dataset!.version],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        askJson<Fact>(`/api/datasets/${encodeURIComponent(dataset!.id)}/features/${fact}`, { signal }),
    })),
  });
}

const placeOf = (fact: Fact, role: string): Place | undefined => fact.places.find((one) => one.role === role);

export function PointsPanel({ picked, dataset, answers, close, goToCell }: {
  picked: PickedPoints;
  dataset: Dataset | undefined;
  answers: ReturnType<typeof usePicked>;
  close: () => void;
  goToCell: (lon: number, lat: number) => void;
}) {
  const { t } = useTranslation();
  const head = useRef<HTMLHeadingElement>(null);
  const facts = answers.flatMap((answer) => (answer.data ? [answer.data] : []));
  const error = answers.find((answer) => answer.error)?.error;
  const first = facts[0] && placeOf(facts[0], picked.role);
  const key = picked.facts.join();
  // Who picks by keyboard is led to what was picked.
  useEffect(() => {
    void key;
    head.current?.focus({ preventScroll: true });
  }, [key]);
  return (
    <section className="panel picked-points" aria-label={t("map.picked")}>
      <header className="panel-head">
        <div>
          <h2 ref={head} tabIndex={-1}>
            {dataset ? say(dataset.title) : picked.dataset}
          </h2>
          <p className="small quiet">
            {picked.more
              ? t("map.pickedMore", { count: picked.facts.length })
              : t("map.pickedHere", { count: picked.facts.length })}
          </p>
        </div>
        <button type="button" className="icon-button" aria-label={t("map.close")} onClick={close}>
          <X aria-hidden />
        </button>
      </header>
      <div className="panel-body">
        {error ? <Failure error={error} compact /> : answers.some((answer) => answer.isPending) && <Loading lines={4} />}
        <ul className="facts-list">
          {facts.map((fact) => (
            <FactItem key={fact.fact} dataset={picked.dataset} fact={fact} values={facts.length === 1 ? "open" : "closed"} />
          ))}
        </ul>
        {first && (
          <div className="cell-links">
            <button type="button" className="button" onClick={() => goToCell(first.lon, first.lat)}>
              <Grid2x2 aria-hidden />
              {t("map.wholeCell")}
            </button>
          </div>
        )}
      </div>
    </section>
  );
}

/** Rings around the picked points. */
export function PickedMarks({ picked, answers }: { picked: PickedPoints; answers: ReturnType<typeof usePicked> }) {
  const look = useLook();
  const places = answers.flatMap((answer) => (answer.data ? (placeOf(answer.data, picked.role) ?? []) : []));
  const written = places.map((place) => `${place.lon},${place.lat}`).join(" ");
  const data = useMemo<FeatureCollection>(
    () => ({
      type: "FeatureCollection",
      features: [...new Set(written ? written.split(" ") : [])].map((place) => ({
        type: "Feature",
        properties: {},
        geometry: { type: "Point", coordinates: place.split(",").map(Number) },
      })),
    }),
    [written],
  );
  const layers = useMemo<DrawnLayer[]>(() => {
    void look;
    const ring = { "circle-color": "rgba(0,0,0,0)", "circle-radius": 9 };
    return [
      { id: "picked-points-halo", type: "circle", paint: { ...ring, "circle-stroke-color": token("--map-halo"), "circle-stroke-width": 5 } },
      { id: "picked-points-ring", type: "circle", paint: { ...ring, "circle-stroke-color": token("--weft"), "circle-stroke-width": 2.5 } },
    ];
  }, [look]);
  return <GeoJsonLayer id="picked-points" data={data} layers={layers} />;
}
