/** All datasets in one table, with the state and the quality of each. */
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useCity, useDatasets, useZone } from "../api/questions";
import type { Dataset } from "../api/types";
import { Empty, Waiting } from "../design/States";
import { Table } from "../design/Table";
import { useMay } from "../session/questions";
import { count, instant, langOf, say, share } from "../words";
import { StateBadge } from "./StateBadge";

export function DatasetsPage() {
  const { t } = useTranslation();
  const city = useCity();
  const zone = useZone();
  const datasets = useDatasets();
  const mayTakeIn = useMay("intake.manage");
  const found = datasets.data ?? [];
  const sum = (name: "read" | "addressed" | "without_place" | "quarantined") =>
    found.reduce((total, one) => total + (one.counts?.[name] ?? 0), 0);

  return (
    <div className="page">
      <header>
        <h1>{city.data ? t("data.title", { city: say(city.data.name) }) : t("data.name")}</h1>
        <p className="lead">{t("data.lead")}</p>
        <p className="form-actions">
          {mayTakeIn && (
            <Link className="button primary" to="/data/intake">
              {t("intake.title")}
            </Link>
          )}
          <Link className="button" to="/data/corrections">
            {t("intake.corrections")}
          </Link>
          {mayTakeIn && (
            <Link className="button" to="/data/matching">
              {t("matching.title")}
            </Link>
          )}
        </p>
      </header>
      <Waiting of={datasets} lines={8} />
      {datasets.data && found.length === 0 && <Empty title={t("data.none")}>{t("data.noneMend")}</Empty>}
      {found.length > 0 && (
        <>
          <dl className="figures numbers">
            <Figure name={t("data.datasets")} value={count(found.length)} />
            <Figure name={t("data.rowsRead")} value={count(sum("read"))} />
            <Figure name={t("data.addressed")} value={count(sum("addressed"))} />
            <Figure name={t("data.withoutPlace")} value={count(sum("without_place"))} />
            <Figure name={t("data.quarantined")} value={count(sum("quarantined"))} />
          </dl>
          <Table
            label={t("data.name")} className="datasets"
            head={[
              t("data.dataset"),
              t("data.state"),
              { end: t("data.published") },
              { end: t("data.addressedShare") },
              { end: t("data.quarantined") },
              t("data.changed"),
            ]}
          >
            <tbody>
              {found.map((dataset) => (
                <Row key={dataset.id} dataset={dataset} zone={zone} />
              ))}
            </tbody>
          </Table>
        </>
      )}
    </div>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Row({ dataset, zone }: { dataset: Dataset; zone: string }) {
  const counts = dataset.counts;
  return (
    <tr>
      <th scope="row">
        <Link to={`/data/${dataset.id}`} lang={langOf(say(dataset.title))}>{say(dataset.title)}</Link>
        <span className="quiet datasets-owner">{dataset.owner}</span>
      </th>
      <td>
        <StateBadge state={dataset.state} />
      </td>
      <td className="end">{counts ? count(counts.published) : "–"}</td>
      <td className="end">{counts && dataset.places.length ? share(counts.addressed / Math.max(1, counts.published)) : "–"}</td>
      <td className="end">{counts ? count(counts.quarantined) : "–"}</td>
      <td className="nowrap">{instant(dataset.changed, zone, "minute")}</td>
    </tr>
  );
}
