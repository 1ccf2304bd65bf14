/** A word to everybody in an emergency, and senders who are barred for abuse. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { askJson } from "../api/client";
import { useZone } from "../api/questions";
import { Dialog } from "../design/Dialog";
import { Form, Input } from "../design/Form";
import { Empty, Failure, Waiting } from "../design/States";
import { useMay } from "../session/questions";
import { instant } from "../words";
import { instantOf, localIn } from "../words/days";

type Announcement = { zh: string; en: string; until: string | null };
type Bar = { id: number; kind: "email" | "sms" | "address"; case: string; why: string; made: string; until: string; lifted: string | null };

export function Moderation() {
  const { t } = useTranslation();
  const announces = useMay("case.announce");
  const bars = useMay("case.bar");
  return (
    <div className="stack">
      {announces && <Announce />}
      {bars && <Bars />}
      {!announces && !bars && <Empty title={t("cases.moderation.notYours")} />}
    </div>
  );
}

function Announce() {
  const { t } = useTranslation();
  const zone = useZone();
  const client = useQueryClient();
  const found = useQuery({ queryKey: ["announcement"], queryFn: ({ signal }) => askJson<Announcement>("/api/cases/announcement", { signal }) });
  const [given, setGiven] = useState({ zh: "", en: "", until: "" });
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (found.data) setGiven({ zh: found.data.zh, en: found.data.en, until: found.data.until ? localIn(zone, new Date(found.data.until)) : "" });
  }, [found.data, zone]);
  const put = (body: Announcement) => askJson<Announcement>("/api/cases/announcement", { method: "PUT", body });
  const done = (one: Announcement) => {
    setSaid(t(one.zh ? "cases.moderation.shown" : "cases.moderation.gone"));
    void client.invalidateQueries({ queryKey: ["announcement"] });
  };
  const now = found.data;
  const live = Boolean(now?.zh) && (!now?.until || Date.parse(now.until) > Date.now());
  return (
    <section className="card stack">
      <h2>{t("cases.moderation.announcement")}</h2>
      <p className="small quiet">{t("cases.moderation.announcementLead")}</p>
      {found.error && <Failure error={found.error} retry={() => found.refetch()} />}
      {live && now && (
        <p className="notice warn">
          {now.zh}
          {now.until && ` · ${t("cases.moderation.untilWhen", { when: instant(now.until, zone) })}`}
        </p>
      )}
      <Form
        send={() => put({ zh: given.zh.trim(), en: given.en.trim(), until: given.until ? instantOf(given.until, zone) : null })}
        done={done}
        action={t("cases.moderation.say")}
        extra={
          live && (
            <button type="button" className="button" onClick={() => void put({ zh: "", en: "", until: null }).then(done)}>
              {t("cases.moderation.takeAway")}
            </button>
          )
        }
      >
        <Input label={t("cases.moderation.zh")} lang="zh-CN" value={given.zh} required maxLength={400} onChange={(event) => setGiven({ ...given, zh: event.target.value })} />
        <Input label={t("cases.moderation.en")} lang="en" value={given.en} required maxLength={400} onChange={(event) => setGiven({ ...given, en: event.target.value })} />
        <Input label={t("cases.moderation.until")} type="datetime-local" value={given.until} required onChange={(event) => setGiven({ ...given, until: event.target.value })} />
      </Form>
      <p role="status" className="small">
        {said}
      </p>
    </section>
  );
}

function Bars() {
  const { t } = useTranslation();
  const zone = useZone();
  const client = useQueryClient();
  const [lifting, setLifting] = useState<Bar | null>(null);
  const found = useQuery({ queryKey: ["case-bars"], queryFn: ({ signal }) => askJson<{ bars: Bar[] }>("/api/cases/bars", { query: { limit: 200 }, signal }) });
  const inForce = (one: Bar) => !one.lifted && Date.parse(one.until) > Date.now();
  return (
    <section className="card stack">
      <h2>{t("cases.moderation.bars")}</h2>
      <p className="small quiet">{t("cases.moderation.barsLead")}</p>
      <Waiting of={found} lines={3} />
      {found.data?.bars.length === 0 && <p className="quiet">{t("cases.moderation.noBars")}</p>}
      {found.data && found.data.bars.length > 0 && (
        <ul className="rows">
          {found.data.bars.map((one) => (
            <li key={one.id}>
              <div>
                <Link to={`/cases/${one.case}`}>{one.case}</Link> · {t(`cases.moderation.kind.${one.kind}`)}
                <span className="small block">{one.why}</span>
                <span className="small quiet block">
                  {one.lifted ? t("cases.moderation.lifted", { when: instant(one.lifted, zone) }) : t("cases.moderation.untilWhen", { when: instant(one.until, zone) })}
                </span>
              </div>
              {inForce(one) && (
                <button type="button" className="button" onClick={() => setLifting(one)}>
                  {t("cases.moderation.lift")}
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {lifting && (
        <Dialog title={t("cases.moderation.lift")} close={() => setLifting(null)}>
          <Form
            send={() => askJson(`/api/cases/bars/${lifting.id}`, { method: "DELETE" })}
            done={() => {
              setLifting(null);
              void client.invalidateQueries({ queryKey: ["case-bars"] });
            }}
            action={t("cases.moderation.lift")}
          >
            <p>{t("cases.moderation.liftLead", { number: lifting.case })}</p>
          </Form>
        </Dialog>
      )}
    </section>
  );
}

/** On the page of a case: barring who sent it, where it is still kept by what it came. */
export function BarSender({ number }: { number: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [kinds, setKinds] = useState<string[]>([]);
  const [days, setDays] = useState("7");
  const [why, setWhy] = useState("");
  const [said, setSaid] = useState("");
  const found = useQuery({
    queryKey: ["case-sender", number],
    queryFn: ({ signal }) => askJson<{ kinds: Record<string, number> }>(`/api/cases/${encodeURIComponent(number)}/sender`, { signal }),
  });
  const known = Object.entries(found.data?.kinds ?? {});
  if (known.length === 0) return null;
  return (
    <div>
      <button type="button" className="button" onClick={() => setOpen(true)}>
        {t("cases.moderation.bar")}
      </button>
      <p role="status" className="small">
        {said}
      </p>
      {open && (
        <Dialog title={t("cases.moderation.bar")} close={() => setOpen(false)}>
          <Form
            send={() => askJson(`/api/cases/${encodeURIComponent(number)}/sender/bars`, { method: "POST", body: { kinds, days: Number(days), why: why.trim() } })}
            done={() => {
              setOpen(false);
              setSaid(t("cases.moderation.barred"));
              void client.invalidateQueries({ queryKey: ["case-bars"] });
            }}
            action={t("cases.moderation.bar")}
            danger
          >
            <p className="small">{t("cases.moderation.barLead")}</p>
            <fieldset className="radios">
              <legend>{t("cases.moderation.by")}</legend>
              {known.map(([kind, most]) => (
                <label key={kind} className="radio">
                  <input type="checkbox" checked={kinds.includes(kind)} onChange={(event) => setKinds(event.target.checked ? [...kinds, kind] : kinds.filter((one) => one !== kind))} />
                  <span>
                    {t(`cases.moderation.kind.${kind}`)}
                    <span className="small quiet block">{t("cases.moderation.most", { n: most })}</span>
                  </span>
                </label>
              ))}
            </fieldset>
            <Input label={t("cases.moderation.days")} type="number" min={1} max={366} value={days} required onChange={(event) => setDays(event.target.value)} />
            <Input label={t("cases.moderation.why")} hint={t("cases.moderation.whyHint")} value={why} required maxLength={200} onChange={(event) => setWhy(event.target.value)} />
          </Form>
        </Dialog>
      )}
    </div>
  );
}
