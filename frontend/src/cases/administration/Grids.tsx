/** The unit grids in force at a day: listed, on the map, and replaced by a file from a day on. */
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import type { FeatureCollection, Geometry } from "geojson";
import { useDeferredValue, useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../../api/client";
import { useCity, useZone } from "../../api/questions";
import { token, useLook } from "../../app/mode";
import { Input } from "../../design/Form";
import { SearchField } from "../../design/SearchField";
import { Empty, Waiting } from "../../design/States";
import { Table } from "../../design/Table";
import { BaseMap, useMap } from "../../map/BaseMap";
import { type DrawnLayer, GeoJsonLayer } from "../../map/GeoJsonLayer";
import { useGround } from "../../map/ground";
import { count as written, instant } from "../../words";
import { midnight } from "../../words/days";
import { Head, Leaf, TableFile } from "./parts";

type UnitGrid = { code: string; duty_grid: string; grade: string; since: string; until: string | null; outline: Geometry | null };

export function Grids() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const zone = useZone();
  const ground = useGround();
  const bounds = useCity().data?.bounds ?? undefined;
  const [area, setArea] = useState("");
  const [day, setDay] = useState("");
  const [from, setFrom] = useState("");
  const [after, setAfter] = useState("");
  const asked = useDeferredValue(area.trim());
  const found = useQuery({
    queryKey: ["case-grids", asked, day, after],
    queryFn: ({ signal }) =>
      askJson<{ grids: UnitGrid[]; next: string | null }>("/api/cases/grids", {
        query: { area: asked, after, outline: "true", ...(day ? { at: midnight(day, zone) } : {}) },
        signal,
      }),
    placeholderData: keepPreviousData,
  });
  const rows = found.data?.grids ?? [];
  const since = from ? `?${new URLSearchParams({ since: midnight(from, zone) })}` : "";
  return (
    <>
      <Head room="grids" />
      <div className="filter-row">
        <SearchField label={t("cases.administration.grids.area")} value={area} most={40} set={(text) => { setArea(text); setAfter(""); }} />
        <Input label={t("cases.administration.grids.at")} type="date" value={day} onChange={(event) => setDay(event.target.value)} />
      </div>
      <Waiting of={found} lines={6} />
      {found.isSuccess && rows.length === 0 && <Empty title={t("cases.administration.grids.none")}>{t("cases.administration.grids.noneMend")}</Empty>}
      {rows.length > 0 && (
        <>
          <div className="grid-map">
            <BaseMap label={t("cases.administration.grids.map")} ground={bounds === undefined ? null : ground} bounds={bounds}>
              <Outlines grids={rows} />
            </BaseMap>
          </div>
          <Table
            label={t("cases.administration.grids.name")}
            head={[
              t("cases.administration.grids.code"),
              t("cases.administration.grids.duty"),
              t("cases.administration.grids.grade"),
              t("cases.administration.duties.when"),
            ]}
          >
            <tbody>
              {rows.map((one) => (
                <tr key={one.code}>
                  <th scope="row">
                    <code>{one.code}</code>
                  </th>
                  <td>{one.duty_grid}</td>
                  <td>{one.grade}</td>
                  <td className="numbers">
                    {instant(one.since, zone, "day")}–{one.until && instant(one.until, zone, "day")}
                  </td>
                </tr>
              ))}
            </tbody>
          </Table>
        </>
      )}
      <Leaf begun={after !== ""} next={found.data?.next ?? null} go={(mark) => setAfter(String(mark ?? ""))} />
      <section className="card stack">
        <h3>{t("cases.administration.grids.replace")}</h3>
        <p className="small quiet">{t("cases.administration.grids.replaceLead")}</p>
        <Input label={t("cases.administration.grids.from")} hint={t("cases.administration.duties.nowHint")} type="date" value={from} onChange={(event) => setFrom(event.target.value)} />
        <TableFile<{ count: number }>
          address={`/api/cases/grids${since}`}
          method="PUT"
          label={t("cases.administration.grids.file")}
          accept=".geojson,.json,.gpkg,.parquet"
          taken={(answer) => {
            void client.invalidateQueries({ queryKey: ["case-grids"] });
            return t("cases.administration.taken", { n: written(answer.count) });
          }}
        />
      </section>
    </>
  );
}

function Outlines({ grids }: { grids: UnitGrid[] }) {
  const map = useMap();
  const look = useLook();
  const data = useMemo<FeatureCollection>(
    () => ({
      type: "FeatureCollection",
      features: grids.flatMap((one) => (one.outline ? [{ type: "Feature" as const, properties: { code: one.code }, geometry: one.outline }] : [])),
    }),
    [grids],
  );
  const layers = useMemo<DrawnLayer[]>(() => {
    void look;
    return [
      { id: "grids-fill", type: "fill", paint: { "fill-color": token("--weft"), "fill-opacity": 0.12 } },
      { id: "grids-line", type: "line", paint: { "line-color": token("--weft"), "line-width": 1.5 } },
    ];
  }, [look]);
  useEffect(() => {
    const points = data.features.flatMap((feature) => ("coordinates" in feature.geometry ? (feature.geometry.coordinates as unknown[]).flat(4) : [])) as number[];
    const xs = points.filter((_, at) => at % 2 === 0);
    const ys = points.filter((_, at) => at % 2 === 1);
    if (!xs.length) return;
    const edge = (values: number[], pick: (a: number, b: number) => number) => values.reduce((a, b) => pick(a, b));
    map.fitBounds([edge(xs, Math.min), edge(ys, Math.min), edge(xs, Math.max), edge(ys, Math.max)], { padding: 24, duration: 0 });
  }, [map, data]);
  return <GeoJsonLayer id="unit-grids" data={data} layers={layers} />;
}
