/** One case: what it is and where, its clocks, what happened, and what this reader may do next. */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link, useParams, useSearchParams } from "react-router";
import { useZone } from "../api/questions";
import { askJson } from "../api/client";
import { useTitle } from "../app/title";
import { Failure, Loading } from "../design/States";
import { useMay } from "../session/questions";
import { langOf, say } from "../words";
import { TimeLeft } from "./Clock";
import { Clocks } from "./Clocks";
import { CallersReply } from "../hotline/CallersReply";
import { Alikes } from "./Alikes";
import { Evidence } from "./Evidence";
import { CasePlace } from "./CasePlace";
import { BarSender } from "./Moderation";
import { PhotoRow, photosOf } from "./Photos";
import { type CaseDetail, type CaseNames, proposalsOf, useCase, useCaseNames, useLifecycle } from "./questions";
import { Steps } from "./Steps";
import { Timeline } from "./Timeline";

const NO_NAMES: CaseNames = { people: {}, departments: {} };

export function CasePage() {
  const { t } = useTranslation();
  const { number = "" } = useParams();
  const found = useCase(number);
  const table = useLifecycle(); // without words and names the page would show keys
  const names = useCaseNames(number, found.data?.step);
  const field = useMay("case.field");
  useTitle(found.data ? `${say(found.data.type_name)} ${number}` : number);
  return (
    <div className="page wide">
      <nav aria-label={t("data.way")} className="small">
        <Link to="/cases">{t("cases.name")}</Link> / <code>{number}</code>
        {field && (
          <>
            {" · "}
            <Link to={`/field/case/${number}`}>{t("cases.toField")}</Link>
          </>
        )}
      </nav>
      {(found.isPending || (found.data && (table.isPending || names.isPending))) && <Loading lines={8} />}
      {found.error && !found.data && <Failure error={found.error} retry={() => found.refetch()} />}
      {found.data && table.error && !table.data && <Failure error={table.error} retry={() => table.refetch()} />}
      {found.data && table.data && !names.isPending && <Found key={number} one={found.data} />}
    </div>
  );
}

function Found({ one }: { one: CaseDetail }) {
  const { t } = useTranslation();
  const [parameters] = useSearchParams();
  const zone = useZone();
  const table = useLifecycle().data;
  const names = useCaseNames(one.number, one.step).data ?? NO_NAMES;
  const ended = table?.states.find((state) => state.key === one.state)?.terminal ?? false;
  const bars = useMay("case.bar");
  const proposals = useQuery({ ...proposalsOf(one.number, one.step), enabled: !ended });
  const office = one.department ? names.departments[one.department] : undefined;
  const running = one.clocks.find((clock) => clock.running && clock.stage !== "overall");
  const description = [...one.timeline].reverse().find((happening) => happening.words.description)?.words.description;
  const photos = one.timeline.map((happening) => ({ happening, digests: photosOf(happening.data) })).filter(({ digests }) => digests.length > 0);
  return (
    <>
      <header className="case-head">
        <h1 lang={langOf(say(one.type_name))}>{say(one.type_name)}</h1>
        <span className="badge accent">{say(one.says)}</span>
        {!ended && (
          <TimeLeft due={running ? Date.parse(running.due) : null} risk={running ? Date.parse(running.risk) : null} suspended={one.state === "suspended"} />
        )}
      </header>
      {description && <p className="lead case-description" lang={langOf(description)}>{description}</p>}
      <div className="case-page">
        <div className="stack">
          <Steps one={one} names={names} proposals={proposals.data} wanted={parameters.get("step")} />
          {!ended && proposals.data && proposals.data.duplicates.length > 0 && <Alikes one={one} found={proposals.data.duplicates} zone={zone} />}
          {one.source === "sensor" && (
            <section className="card stack">
              <h2>{t("cases.evidence.title")}</h2>
              <Evidence number={one.number} zone={zone} />
            </section>
          )}
          <section className="card stack">
            <h2>{t("cases.timeline.title")}</h2>
            <Timeline one={one} names={names} zone={zone} />
            <p className="small">
              <Link to={`/log?subject=${encodeURIComponent(`case/${one.number}`)}`}>{t("cases.inLog")}</Link>
            </p>
          </section>
        </div>
        <div className="stack">
          <section className="card stack">
            <h2>{t("cases.facts")}</h2>
            <Facts one={one} names={names} />
            {bars && <BarSender number={one.number} />}
            {proposals.data?.place && <p className="notice warn">{say(proposals.data.place)}</p>}
            {one.lon !== null && one.lat !== null ? <CasePlace lon={one.lon} lat={one.lat} /> : <p className="small quiet">{t("cases.place.none")}</p>}
          </section>
          <section className="card stack">
            <h2>{t("cases.clock.title")}</h2>
            <Clocks clocks={one.clocks} names={names} zone={zone} />
          </section>
          {one.source === "hotline" && <CallersReply number={one.number} named={{ type: one.type_name, office: office ? { zh: office, en: office } : undefined }} />}
          {photos.length > 0 && (
            <section className="card stack">
              <h2>{t("cases.photo.title")}</h2>
              {photos.map(({ happening, digests }) => {
                const says = say(table?.transitions.find((step) => step.action === happening.action)?.says);
                return (
                  <div key={happening.step}>
                    <h3 className="small">{says}</h3>
                    <PhotoRow number={one.number} digests={digests} says={says} />
                  </div>
                );
              })}
            </section>
          )}
        </div>
      </div>
    </>
  );
}

function Facts({ one, names }: { one: CaseDetail; names: CaseNames }) {
  const { t } = useTranslation();
  const table = useLifecycle().data;
  const thing = useQuery({
    queryKey: ["case-component", one.component],
    queryFn: ({ signal }) => askJson<{ object: string }>(`/api/cases/components/${encodeURIComponent(one.component!)}`, { signal }),
    enabled: one.component !== null,
    staleTime: 300_000,
  });
  const lead = one.department && (names.departments[one.department] ?? one.department);
  return (
    <dl className="facts">
      <dt>{t("cases.number")}</dt>
      <dd>
        <code>{one.number}</code>
      </dd>
      <dt>{t("cases.type")}</dt>
      <dd>
        {say(one.type_name)} <code className="quiet">{`${t(`cases.kinds.${one.kind}`)} ${one.type}`}</code>
      </dd>
      <dt>{t("cases.source")}</dt>
      <dd>{say(table?.sources[one.source]) || one.source}</dd>
      {one.area && (
        <>
          <dt>{t("cases.area")}</dt>
          <dd>
            <code>{one.area}</code>
          </dd>
        </>
      )}
      {one.cell && one.lon !== null && one.lat !== null && (
        <>
          <dt>{t("cases.place.where")}</dt>
          <dd className="numbers">
            {one.lat.toFixed(6)}, {one.lon.toFixed(6)}
          </dd>
        </>
      )}
      {one.component && (
        <>
          <dt>{t("cases.component")}</dt>
          <dd>{thing.data ? <Link to={`/objects/${thing.data.object}`}>{one.component}</Link> : <code>{one.component}</code>}</dd>
        </>
      )}
      {lead && (
        <>
          <dt>{t("cases.handlingDepartment")}</dt>
          <dd>{lead}</dd>
        </>
      )}
      {one.handler && (
        <>
          <dt>{t("cases.handler")}</dt>
          <dd>{names.people[one.handler] ?? one.handler}</dd>
        </>
      )}
      {one.parts.length > 0 && (
        <>
          <dt>{t("cases.parts")}</dt>
          <dd>
            <ul>
              {one.parts.map((part, at) => (
                <li key={`${part.department}-${at}`}>
                  {names.departments[part.department] ?? part.department} <span className="badge">{t(`cases.partStates.${part.state}`)}</span>
                </li>
              ))}
            </ul>
          </dd>
        </>
      )}
      {one.main && (
        <>
          <dt>{t("cases.main")}</dt>
          <dd>
            <Link to={`/cases/${one.main}`}>{one.main}</Link>
          </dd>
        </>
      )}
      {one.others.length > 0 && (
        <>
          <dt>{t("cases.others")}</dt>
          <dd>
            <ul>
              {one.others.map((other) => (
                <li key={other}>
                  <Link to={`/cases/${other}`}>{other}</Link>
                </li>
              ))}
            </ul>
          </dd>
        </>
      )}
    </dl>
  );
}
