/** One dataset: what it is, its columns, its quality, its quarantined rows, its versions. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Map as MapIcon, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link, NavLink, Route, Routes, useParams } from "react-router";
import { askJson } from "../api/client";
import { useDataset, useZone } from "../api/questions";
import { useTitle } from "../app/title";
import type { DatasetDetail, QuarantinedRow, Version } from "../api/types";
import { More } from "../design/More";
import { Empty, Failure, Loading, Waiting } from "../design/States";
import { actorOf } from "../session/actors";
import { Table } from "../design/Table";
import { Tabs } from "../design/Tabs";
import { type Layer, writeLayers, waysOf } from "../map/layers";
import { bytes, count, instant, langOf, say, share } from "../words";
import { Checks, useChecks } from "./Checks";
import { ContractTab } from "./ContractTab";
import { HeldSource } from "./HeldSource";
import { Reads, Uses } from "./Lineage";
import { Purpose } from "./Purpose";
import { Records } from "./Records";
import { StateBadge } from "./StateBadge";

const TABS = ["", "quality", "contract", "quarantine", "versions", "records"] as const;

export function DatasetPage() {
  const { t } = useTranslation();
  const { id = "" } = useParams();
  const answer = useDataset(id);
  const dataset = answer.data;
  useTitle(dataset ? say(dataset.title) : id);
  if (answer.error) {
    return (
      <div className="page">
        <Failure error={answer.error} retry={() => answer.refetch()} />
      </div>
    );
  }
  if (!dataset) {
    return (
      <div className="page">
        <Loading lines={8} />
      </div>
    );
  }
  return (
    <div className="page">
      <header>
        <nav aria-label={t("data.way")} className="small">
          <Link to="/data">{t("data.all")}</Link>
        </nav>
        <div className="dataset-head">
          <h1 lang={langOf(say(dataset.title))}>{say(dataset.title)}</h1>
          <StateBadge state={dataset.state} />
          <ToMap dataset={dataset} />
        </div>
        <p className="quiet small">
          {dataset.owner && `${dataset.owner} · `}
          {t(`data.sharings.${dataset.sharing}`, { defaultValue: dataset.sharing })} ·{" "}
          {t(`data.cycles.${dataset.update_cycle}`, { defaultValue: dataset.update_cycle })} · <code>{dataset.id}</code>
        </p>
      </header>
      {dataset.asks_purpose && <Purpose />}
      {dataset.state !== "published" && dataset.problem && <HeldSource dataset={dataset} />}
      {dataset.version !== null && (
        <>
          <Tabs label={t("data.parts")}>
            {TABS.filter((tab) => tab !== "contract" || dataset.rights.includes("inspect")).map((tab) => (
              <NavLink key={tab} to={tab ? `/data/${id}/${tab}` : `/data/${id}`} end>
                {t(`data.tabs.${tab || "about"}`)}
                {tab === "quarantine" && dataset.counts && dataset.counts.quarantined > 0 && ` ${count(dataset.counts.quarantined)}`}
              </NavLink>
            ))}
          </Tabs>
          <Routes>
            <Route index element={<About dataset={dataset} />} />
            <Route path="quality" element={<Quality dataset={dataset} />} />
            <Route path="contract" element={<ContractTab dataset={dataset} />} />
            <Route path="quarantine" element={<Quarantine dataset={dataset} />} />
            <Route path="versions" element={<Versions dataset={dataset} />} />
            <Route path="records" element={<Records dataset={dataset} />} />
          </Routes>
        </>
      )}
    </div>
  );
}

function ToMap({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useTranslation();
  const place = dataset.places.find((one) => waysOf(dataset, one.role).length);
  if (!place) return null;
  const layer: Layer = { dataset: dataset.id, role: place.role, as: waysOf(dataset, place.role)[0]!, opacity: 85 };
  return (
    <Link className="button" to={`/?layers=${encodeURIComponent(writeLayers([layer]))}`}>
      <MapIcon aria-hidden />
      {t("data.onMap")}
    </Link>
  );
}

function About({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useTranslation();
  const zone = useZone();
  const counts = dataset.counts;
  return (
    <>
      {counts && (
        <dl className="figures numbers">
          {(["read", "published", "addressed", "without_place", "quarantined"] as const).map((name) => (
            <div key={name}>
              <dt>{t(`data.counts.${name}`)}</dt>
              <dd>{count(counts[name])}</dd>
            </div>
          ))}
        </dl>
      )}
      <dl className="facts">
        {dataset.period && (
          <>
            <dt>{t("data.period")}</dt>
            <dd>
              {instant(dataset.period[0], zone, "day")} – {instant(dataset.period[1], zone, "day")}
            </dd>
          </>
        )}
        {dataset.places.map((place) => (
          <Places key={place.role} role={place.role} kind={place.kind} levels={place.levels} />
        ))}
        <dt>{t("data.version")}</dt>
        <dd>
          {t("data.versionNumber", { number: dataset.version })} · {instant(dataset.changed, zone, "minute")}
        </dd>
        <dt>{t("data.files")}</dt>
        <dd>
          {dataset.sources.map((file) => (
            <span key={file.digest + file.layer}>
              {file.path}
              {file.layer ? ` / ${file.layer}` : ""} <span className="quiet">{bytes(file.size)}</span>{" "}
            </span>
          ))}
        </dd>
      </dl>
      <h2>{t("data.columns")}</h2>
      <Table
        label={t("data.columns")} className="columns"
        head={[t("data.column"), t("data.type"), { end: t("data.missing") }, { end: t("data.distinct") }, t("data.least"), t("data.most")]}
      >
        <tbody>
          {dataset.columns.map((column) => (
            <tr key={column.name}>
              <th scope="row">
                {column.name} {column.key && <span className="badge accent">{t("data.key")}</span>}
              </th>
              <td>
                <code>{column.type}</code>
              </td>
              <td className="end">{column.nulls && counts ? share(column.nulls / Math.max(1, counts.published)) : (column.nulls ?? "–")}</td>
              <td className="end">{column.distinct === null ? "–" : count(column.distinct)}</td>
              <td className="clip">{column.minimum ?? "–"}</td>
              <td className="clip">{column.maximum ?? "–"}</td>
            </tr>
          ))}
        </tbody>
      </Table>
    </>
  );
}

function Places({ role, kind, levels }: { role: string; kind: string; levels: number[] }) {
  const { t } = useTranslation();
  const range = levels.length ? `${Math.min(...levels)}${levels.length > 1 ? `–${Math.max(...levels)}` : ""}` : "–";
  return (
    <>
      <dt>{role ? t(`map.role.${role}`, { defaultValue: role }) : t("data.place")}</dt>
      <dd>
        {t(`data.kinds.${kind}`)} · {t("codes.levelOf", { level: range })}
      </dd>
    </>
  );
}

function Quality({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useTranslation();
  const rules = Object.entries(dataset.rules);
  const checked = (useChecks(dataset).data?.checks.length ?? 0) > 0;
  const clean = dataset.findings.length === 0 && rules.length === 0 && !checked;
  return (
    <>
      <Checks dataset={dataset} />
      {clean && <Empty title={t("data.clean")}>{t("data.cleanNote")}</Empty>}
      {dataset.findings.length > 0 && (
        <section className="stack">
          <h2>{t("data.findings")}</h2>
          <ul className="findings">
            {dataset.findings.map((finding) => (
              <li key={finding.rule + finding.text.zh} className="card">
                <TriangleAlert aria-hidden />
                <div>
                  <p>{say(finding.text)}</p>
                  {finding.examples.length > 0 && (
                    <p className="small quiet">
                      {t("data.exampleRows")} {finding.examples.slice(0, 8).join(languageComma())}
                    </p>
                  )}
                </div>
                <span className="badge warn numbers">{t("data.rowsCount", { count: finding.rows })}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {rules.length > 0 && (
        <section className="stack">
          <h2>{t("data.rules")}</h2>
          <dl className="facts numbers">
            {rules.map(([rule, rows]) => (
              <FactRow key={rule} name={t(`data.ruleNames.${rule}`, { defaultValue: rule })} value={count(rows)} />
            ))}
          </dl>
        </section>
      )}
      {dataset.evidence.length > 0 && (
        <section className="stack">
          <h2>{t("data.evidence")}</h2>
          <Evidence evidence={dataset.evidence} />
        </section>
      )}
    </>
  );
}

const languageComma = () => (document.documentElement.lang === "en" ? ", " : "、");

function FactRow({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

export function Evidence({ evidence }: { evidence: Record<string, unknown>[] }) {
  const { t } = useTranslation();
  return (
    <Table label={t("data.evidence")} head={[t("data.about"), t("data.verdict"), t("data.reason")]}>
      <tbody>
        {evidence.map((one, number) => (
          // biome-ignore lint: pieces of evidence have no name of their own
          <tr key={number}>
            <th scope="row" className="nowrap">
              {t(`data.abouts.${String(one.about)}`, { defaultValue: String(one.about) })}
            </th>
            <td>
              <code>{String(one.verdict) || "–"}</code>
            </td>
            <td>{say(one.reason as { zh: string; en: string })}</td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function Quarantine({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useTranslation();
  const answer = useInfiniteQuery({
    queryKey: ["quarantine", dataset.id, dataset.version],
    queryFn: ({ signal, pageParam }) =>
      askJson<{ rows: QuarantinedRow[]; total: number; after: number | null }>(`/api/datasets/${dataset.id}/quarantine`, {
        query: { after: pageParam, limit: 50 },
        signal,
      }),
    initialPageParam: 0,
    getNextPageParam: (page) => page.after ?? undefined,
  });
  const rows = answer.data?.pages.flatMap((page) => page.rows) ?? [];
  if (!answer.data) return <Waiting of={answer} lines={6} />;
  if (rows.length === 0) return <Empty title={t("data.noQuarantine")}>{t("data.noQuarantineNote")}</Empty>;
  return (
    <>
      <Table label={t("data.tabs.quarantine")} head={[t("data.file"), { end: t("data.rowNumber") }, t("data.reason"), t("data.rowText")]}>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.file}-${row.row}-${row.rule}`}>
              <th scope="row" className="row-file">
                {row.file}
              </th>
              <td className="end">{row.row}</td>
              <td className="row-reason">{say(row.reason)}</td>
              <td className="row-text code">{row.text}</td>
            </tr>
          ))}
        </tbody>
      </Table>
      <More of={answer} />
    </>
  );
}

/** A file's digest; what is no file, as the log of readings, has a mark of how far it was read instead. */
function digestOf(digest: string): string {
  return /^[0-9a-f]{64}$/.test(digest) ? `SHA-256 ${digest}` : digest;
}

function Versions({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useTranslation();
  const zone = useZone();
  const answer = useInfiniteQuery({
    queryKey: ["versions", dataset.id, dataset.version],
    queryFn: ({ signal, pageParam }) =>
      askJson<{ versions: Version[]; after: number | null }>(`/api/datasets/${dataset.id}/versions`, {
        query: { after: pageParam },
        signal,
      }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.after ?? undefined,
  });
  if (!answer.data) return <Waiting of={answer} lines={6} />;
  return (
    <ol className="versions">
      {answer.data.pages
        .flatMap((page) => page.versions)
        .map((version) => (
          <li key={version.number} className="card">
            <div className="version-head">
              <h2>{t("data.versionNumber", { number: version.number })}</h2>
              {version.number === dataset.version && <span className="badge good">{t("data.current")}</span>}
              <span className="quiet small">
                {instant(version.published, zone, "second")}
                {version.by && ` · ${t("lineage.publishedBy", { by: actorOf(version.by, t) })}`}
              </span>
              {version.dropped && <span className="badge">{t("data.dropped", { at: instant(version.dropped, zone, "minute") })}</span>}
            </div>
            <p className="small numbers">
              {t("data.versionRows", {
                read: count(version.counts.read),
                published: count(version.counts.published),
                quarantined: count(version.counts.quarantined),
              })}
            </p>
            <ul className="lineage">
              {version.sources.map((file) => (
                <li key={file.digest + file.layer}>
                  <span>
                    {file.path}
                    {file.layer ? ` / ${file.layer}` : ""} <span className="quiet">{bytes(file.size)}</span>
                  </span>
                  <code className="quiet digest" title={digestOf(file.digest)}>
                    {digestOf(file.digest)}
                  </code>
                </li>
              ))}
            </ul>
            <Reads reads={version.reads} />
            <Uses dataset={dataset.id} number={version.number} />
          </li>
        ))}
    </ol>
  );
}
