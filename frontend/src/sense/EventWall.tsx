/** The event wall: incidents as they begin, grow and end, each with its alarms and why. */
import { ChevronDown, Presentation } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { More } from "../design/More";
import { Empty, Waiting } from "../design/States";
import { count, say } from "../words";
import { AlarmItem, SeverityBadge, Span } from "./AlarmItem";
import { type Incident, useAlarms, useFreshAlarms, useIncidents } from "./alarms";
import { Choice } from "./StreamPage";

const WHICH = ["lasting", "all"] as const;
const MEMBERS = 20;

export function EventWall() {
  const { t } = useTranslation();
  const [which, setWhich] = useState<(typeof WHICH)[number]>("lasting");
  useFreshAlarms();
  const found = useIncidents(which === "lasting");
  const incidents = found.data?.pages.flatMap((page) => page.incidents) ?? [];
  return (
    <>
      <p className="small quiet">{t("alarms.lead")}</p>
      <div className="sense-tools">
        <Choice label={t("alarms.which")} value={which} options={WHICH} name={(one) => t(`alarms.whichs.${one}`)} pick={setWhich} />
        <span className="small quiet">{t("alarms.live")}</span>
        <Link to="/sense/wall" className="button">
          <Presentation aria-hidden />
          {t("alarms.wall.open")}
        </Link>
      </div>
      <Waiting of={found} lines={6} stale />
      {found.data && incidents.length === 0 && (
        <Empty title={t(which === "lasting" ? "alarms.none" : "alarms.noneEver")}>{t("alarms.noneMend")}</Empty>
      )}
      <ul className="incidents">
        {incidents.map((one, at) => (
          <IncidentItem key={one.id} incident={one} first={at === 0} />
        ))}
      </ul>
      <More of={found} label={t("alarms.more")} />
    </>
  );
}

function IncidentItem({ incident, first }: { incident: Incident; first: boolean }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(first);
  return (
    <li className="incident card" data-severity={incident.severity} data-lasting={incident.ended === null}>
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <ChevronDown aria-hidden />
          <SeverityBadge severity={incident.severity} />
          <b>{say(incident.title)}</b>
          <span className="small quiet">{t("alarms.incident", { number: incident.id })}</span>
          {incident.cause && <span className="badge">{t("alarms.cause", { cause: t(`alarms.causes.${incident.cause}`, { defaultValue: incident.cause }) })}</span>}
          <span className="small">{t("alarms.alarms", { count: incident.alarms, n: count(incident.alarms) })}</span>
          {incident.lasting > 0 && <span className="badge bad">{t("alarms.lasting", { count: incident.lasting, n: count(incident.lasting) })}</span>}
          {incident.ended && <span className="badge">{t("alarms.ended")}</span>}
          <Span began={incident.began} ended={incident.ended} />
        </summary>
        {incident.cases.length > 0 && (
          <p className="alarm-links small">
            {incident.cases.map((number) => (
              <Link key={number} to={`/cases/${number}`}>{t("alarms.toCase", { number })}</Link>
            ))}
          </p>
        )}
        {open && <Members incident={incident.id} />}
      </details>
    </li>
  );
}

function Members({ incident }: { incident: number }) {
  const { t } = useTranslation();
  const found = useAlarms({ incident }, MEMBERS);
  if (!found.data) return <Waiting of={found} lines={2} compact />;
  return (
    <>
      <ul className="alarm-list" aria-label={t("alarms.members")}>
        {found.data?.pages.flatMap((page) => page.alarms).map((one) => <AlarmItem key={one.id} alarm={one} />)}
      </ul>
      <More of={found} label={t("alarms.moreMembers")} />
    </>
  );
}
