/** A source that is held back: why, what it may be, both candidates on the map, and the way to finish its load. */
import { useQuery } from "@tanstack/react-query";
import type { FeatureCollection } from "geojson";
import { TriangleAlert } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import { useCity } from "../api/questions";
import type { DatasetDetail } from "../api/types";
import { useLook } from "../app/mode";
import { Failure, Loading } from "../design/States";
import { BaseMap, useMap } from "../map/BaseMap";
import { css, hue } from "../map/colours";
import { type DrawnLayer, GeoJsonLayer } from "../map/GeoJsonLayer";
import { BELOW_LABELS, useGround } from "../map/ground";
import { metres, say, share, type Text } from "../words";
import { Evidence } from "./DatasetPage";
import { Following } from "./Following";

type Candidate = {
  crs: string;
  share_inside: number;
  fits: { against: string; matched: number; misfit: number }[];
  points: [number, number][];
};

export function HeldSource({ dataset }: { dataset: DatasetDetail }) {
  const problem = dataset.problem as { what?: Text; mend?: Text; where?: { evidence?: Record<string, unknown>[] } };
  const evidence = problem.where?.evidence ?? [];
  const answer = useQuery({
    queryKey: ["candidates", dataset.id, dataset.changed],
    queryFn: ({ signal }) => askJson<{ candidates: Candidate[] }>(`/api/datasets/${dataset.id}/candidates`, { signal }),
    enabled: dataset.state === "held",
  });
  const candidates = answer.data?.candidates ?? [];
  return (
    <section className="held stack">
      <div className={dataset.state === "failed" ? "notice bad" : "notice warn"}>
        <TriangleAlert aria-hidden />
        <div>
          <p>{say(problem.what)}</p>
          {candidates.length === 0 && problem.mend && <p>{say(problem.mend)}</p>}
        </div>
      </div>
      {answer.isFetching && <Loading lines={3} />}
      {answer.error && <Failure error={answer.error} compact />}
      {candidates.length > 0 && <Choice dataset={dataset} candidates={candidates} />}
      {evidence.length > 0 && <Evidence evidence={evidence} />}
    </section>
  );
}

function Choice({ dataset, candidates }: { dataset: DatasetDetail; candidates: Candidate[] }) {
  const { t } = useTranslation();
  const look = useLook();
  const city = useCity().data;
  const ground = useGround();
  const [chosen, setChosen] = useState<string | null>(null);
  const [events, setEvents] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);

  const decide = async () => {
    setError(null);
    try {
      const job = await askJson<{ id: string; events: string }>(`/api/datasets/${dataset.id}/decision`, {
        method: "POST",
        body: { crs: chosen },
      });
      setEvents(job.events);
    } catch (failure) {
      setError(failure);
    }
  };

  return (
    <div className="choice-grid">
      <fieldset className="card candidates">
        <legend className="hidden-visually">{t("data.choose")}</legend>
        <h2 aria-hidden>{t("data.choose")}</h2>
        <p className="small quiet">{t("data.chooseNote")}</p>
        {candidates.map((candidate, number) => (
          <label key={candidate.crs} className={chosen === candidate.crs ? "candidate on" : "candidate"}>
            <input type="radio" name="crs" checked={chosen === candidate.crs} onChange={() => setChosen(candidate.crs)} />
            <span className="swatch" style={{ background: css(hue(look, number)) }} aria-hidden />
            <span>
              <b>{candidate.crs}</b>
              <span className="small quiet">
                {t("data.inside", { share: share(candidate.share_inside) })}
                {candidate.fits.map((fit) => (
                  <span key={fit.against}>
                    {" · "}
                    {t("data.misfit", { against: fit.against, misfit: metres(fit.misfit) })}
                  </span>
                ))}
              </span>
            </span>
          </label>
        ))}
        <button type="button" className="button primary" disabled={!chosen || events !== null} onClick={decide}>
          {chosen ? t("data.finishAs", { crs: chosen }) : t("data.finish")}
        </button>
        {error !== null && <Failure error={error} compact />}
        {events && <Following key={events} address={events} dataset={dataset.id} again={() => setEvents(null)} />}
      </fieldset>
      <div className="card candidates-map">
        <BaseMap label={t("data.candidatesMap")} ground={ground} bounds={city?.bounds ?? [73, 18, 135, 54]} padding={24}>
          <Points candidates={candidates} chosen={chosen} />
        </BaseMap>
      </div>
    </div>
  );
}

function Points({ candidates, chosen }: { candidates: Candidate[]; chosen: string | null }) {
  const map = useMap();
  const look = useLook();
  const data = useMemo<FeatureCollection>(
    () => ({
      type: "FeatureCollection",
      features: candidates.map((candidate, number) => ({
        type: "Feature",
        properties: { crs: candidate.crs, colour: css(hue(look, number)) },
        geometry: { type: "MultiPoint", coordinates: candidate.points },
      })),
    }),
    [candidates, look],
  );
  const layers = useMemo<DrawnLayer[]>(
    () => [
      {
        id: "candidates",
        type: "circle",
        paint: {
          "circle-radius": ["interpolate", ["linear"], ["zoom"], 9, 2.5, 14, 5],
          "circle-color": ["get", "colour"],
          "circle-opacity": chosen ? ["case", ["==", ["get", "crs"], chosen], 0.95, 0.15] : 0.75,
        },
      },
    ],
    [chosen],
  );
  useEffect(() => {
    const points = candidates.flatMap((candidate) => candidate.points);
    if (!points.length) return;
    const xs = points.map(([x]) => x).sort((a, b) => a - b);
    const ys = points.map(([, y]) => y).sort((a, b) => a - b);
    const at = (sorted: number[], part: number) => sorted[Math.round(part * (sorted.length - 1))]!;
    map.fitBounds([at(xs, 0.02), at(ys, 0.02), at(xs, 0.98), at(ys, 0.98)], { padding: 40, maxZoom: 15, duration: 0 });
  }, [map, candidates]);
  return <GeoJsonLayer id="candidates" data={data} layers={layers} before={BELOW_LABELS} />;
}
