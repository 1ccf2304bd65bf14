/** About this city: what it is, who keeps which data of it, and, where it is fictional, how it was made. */
import { TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useCity, useDatasets, useLikeness } from "../api/questions";
import type { City, Dataset } from "../api/types";
import { Empty, Failure, Loading, Waiting } from "../design/States";
import { Table } from "../design/Table";
import { count, say } from "../words";
import "./about.css";

/** The steps of making a fictional city, in order; each is a key of `about.steps`. */
const STEPS = ["plan", "fabric", "buildings", "units", "people", "process", "files"] as const;
const PLANTED = ["faults", "entities", "events", "measures"] as const;

export default function AboutPage() {
  const { t } = useTranslation();
  const city = useCity();
  const datasets = useDatasets();
  if (city.error) {
    return (
      <div className="page">
        <Failure error={city.error} retry={() => city.refetch()} />
      </div>
    );
  }
  if (!city.data) {
    return (
      <div className="page">
        <Loading lines={6} />
      </div>
    );
  }
  return (
    <div className="page about">
      <header>
        <h1>{t("about.title", { city: say(city.data.name) })}</h1>
        {city.data.description && <p className="lead">{say(city.data.description)}</p>}
      </header>
      <Facts city={city.data} datasets={datasets.data} />
      {city.data.generated && <Making />}
      {city.data.generated && <Likenesses />}
      <section aria-labelledby="keepers">
        <h2 id="keepers">{t("about.keepers")}</h2>
        {datasets.error ? (
          <Failure error={datasets.error} retry={() => datasets.refetch()} compact />
        ) : datasets.data ? (
          <Keepers datasets={datasets.data} />
        ) : (
          <Loading lines={6} />
        )}
      </section>
    </div>
  );
}

function Facts({ city, datasets }: { city: City; datasets: Dataset[] | undefined }) {
  const { t } = useTranslation();
  const rows = datasets?.reduce((sum, dataset) => sum + (dataset.counts?.published ?? 0), 0);
  return (
    <dl className="about-facts">
      <div>
        <dt>{t("about.code")}</dt>
        <dd>{city.adcode}</dd>
      </div>
      <div>
        <dt>{t("about.zone")}</dt>
        <dd>{city.time_zone}</dd>
      </div>
      <div>
        <dt>{t("about.datasets")}</dt>
        <dd>{datasets ? count(datasets.length) : "…"}</dd>
      </div>
      <div>
        <dt>{t("about.rows")}</dt>
        <dd>{rows === undefined ? "…" : count(rows)}</dd>
      </div>
    </dl>
  );
}

function Making() {
  const { t } = useTranslation();
  return (
    <>
      <section aria-labelledby="fiction" className="about-fiction">
        <h2 id="fiction">
          <TriangleAlert aria-hidden /> {t("about.generated")}
        </h2>
        <p>{t("about.fiction")}</p>
      </section>
      <section aria-labelledby="making">
        <h2 id="making">{t("about.making")}</h2>
        <ol className="about-steps">
          {STEPS.map((step) => (
            <li key={step}>
              <h3>{t(`about.steps.${step}.name`)}</h3>
              <p>{t(`about.steps.${step}.text`)}</p>
            </li>
          ))}
        </ol>
      </section>
      <section aria-labelledby="planted">
        <h2 id="planted">{t("about.planted")}</h2>
        <p>{t("about.plantedLead")}</p>
        <ul className="about-planted">
          {PLANTED.map((kind) => (
            <li key={kind}>{t(`about.plants.${kind}`)}</li>
          ))}
        </ul>
      </section>
    </>
  );
}

/** How like real cities the fictional one is, as it was measured. */
function Likenesses() {
  const { t } = useTranslation();
  const rows = useLikeness(true);
  return (
    <section aria-labelledby="likeness">
      <h2 id="likeness">{t("about.likeness")}</h2>
      <p className="about-text">{t("about.likenessLead")}</p>
      {!rows.data ? (
        <Waiting of={rows} lines={6} compact />
      ) : (
        <Table label={t("about.likeness")} className="about-likeness" head={[t("about.compared"), t("about.real"), t("about.demo"), { end: t("about.distance") }]}>
          <tbody>
            {rows.data.map((row) => (
              <tr key={row.what.en}>
                <th scope="row">
                  {say(row.what)}
                  <small className="quiet">{say(row.source)}</small>
                </th>
                <td>{say(row.real)}</td>
                <td>{say(row.demo)}</td>
                <td className="end">
                  {row.value.toFixed(3)}
                  <small className="quiet">{say(row.measure)}</small>
                </td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
    </section>
  );
}

/** The departments in the order of what they keep, each with its datasets. */
function Keepers({ datasets }: { datasets: Dataset[] }) {
  const { t } = useTranslation();
  const keepers = new Map<string, Dataset[]>();
  for (const dataset of datasets) keepers.set(dataset.owner, [...(keepers.get(dataset.owner) ?? []), dataset]);
  if (!keepers.size) return <Empty title={t("data.none")}>{t("data.noneMend")}</Empty>;
  return (
    <Table label={t("about.keepers")} head={[t("about.keeper"), t("about.keeps"), { end: t("about.rows") }]}>
      <tbody>
        {[...keepers].map(([owner, kept]) => (
          <tr key={owner}>
            <th scope="row">{owner || t("about.unowned")}</th>
            <td>
              <ul className="about-kept">
                {kept.map((dataset) => (
                  <li key={dataset.id}>
                    <Link to={`/data/${encodeURIComponent(dataset.id)}`}>{say(dataset.title)}</Link>
                  </li>
                ))}
              </ul>
            </td>
            <td className="end">{count(kept.reduce((sum, dataset) => sum + (dataset.counts?.published ?? 0), 0))}</td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}
