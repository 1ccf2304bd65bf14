/** One record: its values, its address on the grid, and the row of the file it was read from. */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { askJson } from "../api/client";
import { useDataset, useZone } from "../api/questions";
import type { Fact } from "../api/types";
import { useTitle } from "../app/title";
import { Waiting } from "../design/States";
import { instant, type Precision, say } from "../words";
import { Purpose } from "./Purpose";

export function RecordPage() {
  const { t } = useTranslation();
  const { id = "", fact = "" } = useParams();
  const zone = useZone();
  const dataset = useDataset(id);
  const answer = useQuery({
    queryKey: ["fact", id, fact, dataset.data?.version],
    queryFn: ({ signal }) => askJson<Fact>(`/api/datasets/${encodeURIComponent(id)}/features/${encodeURIComponent(fact)}`, { signal }),
  });
  const record = answer.data;
  useTitle(record?.name ?? t("data.recordTitle", { number: fact }));
  const file = dataset.data?.sources.find((one) => one.path === record?.source?.file && one.layer === record?.source?.layer);
  return (
    <div className="page">
      <header>
        <nav aria-label={t("data.way")} className="small">
          <Link to="/data">{t("data.all")}</Link> / <Link to={`/data/${id}`}>{dataset.data ? say(dataset.data.title) : id}</Link>
        </nav>
        <h1>{record?.name ?? t("data.recordTitle", { number: fact })}</h1>
      </header>
      {dataset.data?.asks_purpose && <Purpose />}
      <Waiting of={answer} lines={8} />
      {record && (
        <div className="record">
          <section className="card stack">
            <h2>{t("data.values")}</h2>
            <dl className="facts">
              {Object.entries(record.values).map(([name, value]) => (
                <Pair key={name} name={name} value={value === null ? "–" : String(value)} />
              ))}
            </dl>
          </section>
          <div className="stack">
            <section className="card stack">
              <h2>{t("data.origin")}</h2>
              <dl className="facts">
                {record.object && (
                  <>
                    <dt>{t("data.object")}</dt>
                    <dd>
                      <Link className="code" to={`/objects/${encodeURIComponent(record.object)}`}>
                        {record.object}
                      </Link>
                    </dd>
                  </>
                )}
                {record.source && (
                  <>
                    <Pair name={t("data.file")} value={record.source.file + (record.source.layer ? ` / ${record.source.layer}` : "")} />
                    <Pair name={t("data.rowNumber")} value={String(record.source.row)} />
                  </>
                )}
                <Pair name={t("data.owner")} value={dataset.data?.owner ?? ""} />
                <Pair name={t("data.version")} value={String(record.source?.version ?? dataset.data?.version ?? "")} />
                {file && <Pair name="SHA-256" value={file.digest} code />}
              </dl>
            </section>
            <section className="card stack">
              <h2>{t("data.address")}</h2>
              {record.places.length === 0 && <p className="small quiet">{t("data.noPlace")}</p>}
              {record.places.map((place) => (
                <dl key={place.role} className="facts">
                  {place.role && <Pair name={t("data.place")} value={t(`map.role.${place.role}`, { defaultValue: place.role })} />}
                  {place.beidou && <Pair name={t("codes.beidouShort")} value={place.beidou} code />}
                  <Pair name="GeoSOT" value={place.cell} code />
                  <Pair name={t("codes.level")} value={String(place.level)} />
                  <dt>{t("data.coordinates")}</dt>
                  <dd className="numbers">
                    {place.lat}, {place.lon}{" "}
                    <Link to={`/?at=${place.lat},${place.lon},${place.level >= 23 ? 16 : 13}&cell=${encodeURIComponent(place.cell)}`}>
                      {t("data.onMap")}
                    </Link>
                  </dd>
                </dl>
              ))}
              {record.time && (
                <dl className="facts">
                  <Pair name={t("map.time")} value={instant(record.time.start, zone, record.time.precision as Precision)} />
                  {record.time.end && <Pair name={t("data.until")} value={instant(record.time.end, zone, record.time.precision as Precision)} />}
                </dl>
              )}
            </section>
          </div>
        </div>
      )}
    </div>
  );
}

function Pair({ name, value, code }: { name: string; value: string; code?: boolean }) {
  return (
    <>
      <dt>{name}</dt>
      <dd className={code ? "code" : undefined}>{value}</dd>
    </>
  );
}
