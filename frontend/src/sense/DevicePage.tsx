/** One device: where it is, what it sends, what was done to it. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { useZone } from "../api/questions";
import { useTitle } from "../app/title";
import { Dialog } from "../design/Dialog";
import { Fault } from "../design/Form";
import { Empty, Failure, Loading } from "../design/States";
import { Table } from "../design/Table";
import { actorOf } from "../session/actors";
import { instant } from "../words";
import { Spark } from "./Chart";
import { StateOf } from "./Devices";
import { keepWork, signOff, useDevice, useSparks, type WholeDevice } from "./questions";

const WORKS = ["inspection", "repair", "calibration", "battery", "cleaning", "other"];

export function DevicePage() {
  const { t } = useTranslation();
  const id = Number(useParams().device);
  const found = useDevice(id);
  return (
    <div className="page">
      <nav className="small quiet" aria-label={t("sense.devices")}>
        <Link to="/sense/devices">{t("sense.all")}</Link>
      </nav>
      {found.error ? <Failure error={found.error} retry={() => found.refetch()} /> : found.data ? <Known whole={found.data} /> : <Loading lines={8} />}
    </div>
  );
}

function Known({ whole }: { whole: WholeDevice }) {
  const { t } = useTranslation();
  const zone = useZone();
  const { device, streams, works } = whole;
  useTitle(device.name);
  const sparks = new Map(useSparks(streams.map((one) => one.id)).data?.map((one) => [one.stream, one.values]));
  const place = device.lon === null || device.lat === null ? "" : t(device.exact ? "sense.exactly" : "sense.roughly", { lon: device.lon.toFixed(device.exact ? 6 : 3), lat: device.lat.toFixed(device.exact ? 6 : 3) });
  const facts: [string, React.ReactNode][] = [
    ["identifier", <Link key="i" to={`/objects/${device.identifier}`}><code>{device.identifier}</code></Link>],
    ["key", device.key],
    ["kind", t(`sense.kinds.${device.kind}`, { defaultValue: device.kind })],
    ["owner", whole.owner_title || device.owner],
    ["place", place],
    ["height", device.height === null ? "" : t("sense.heightAbove", { height: device.height, datum: t(`sense.datums.${device.height_datum}`, { defaultValue: device.height_datum ?? "" }) })],
    ["lastSeen", device.last_seen ? instant(device.last_seen, zone) : t("sense.never")],
    ["battery", device.battery === null ? "" : `${device.battery}%`],
    ["calibrated", device.calibrated ? instant(device.calibrated, zone, "day") : ""],
    ["calibrationDue", device.calibration_due ? instant(device.calibration_due, zone, "day") : ""],
    ["signedOff", device.signed_off ? t("sense.signedOffBy", { time: instant(device.signed_off, zone, "minute"), who: actorOf(device.signed_off_by, t) }) : t("sense.notSignedOff")],
  ];
  return (
    <>
      <header className="sense-head">
        <h1>{device.name} <StateOf state={device.state} /></h1>
        {whole.may_keep && !device.signed_off && device.state !== "retired" && <SignOff id={device.id} name={device.name} />}
      </header>
      <dl className="facts sense-facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{t(`sense.${name}`)}</dt>
            <dd>{value || "–"}</dd>
          </div>
        ))}
      </dl>
      <h2>{t("sense.streams")}</h2>
      <ul className="sense-streams card">
        {streams.map((one) => (
          <li key={one.id}>
            <Link to={`/sense/streams/${one.id}`}>{one.name}</Link>
            <Spark values={sparks.get(one.id) ?? []} label={t("sense.spark")} />
            <span className="quiet">{one.unit?.symbol}</span>
          </li>
        ))}
      </ul>
      <h2>{t("sense.works")}</h2>
      {works.length === 0 ? <Empty title={t("sense.noWorks")} compact /> : (
        <Table label={t("sense.works")}>
          <thead>
            <tr>{["at", "work", "note", "by"].map((one) => <th key={one} scope="col">{t(`sense.${one}`)}</th>)}</tr>
          </thead>
          <tbody>
            {works.map((one, index) => (
              <tr key={index}>
                <td>{instant(one.at, zone, "minute")}</td>
                <td>{t(`sense.workKinds.${one.kind}`)}</td>
                <td>{one.note}</td>
                <td>{actorOf(one.by, t)}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      {whole.may_keep && <KeepWork id={device.id} />}
    </>
  );
}

function useSending(id: number) {
  const questions = useQueryClient();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const send = async (what: () => Promise<unknown>) => {
    setBusy(true);
    setError(undefined);
    try {
      await what();
      await questions.invalidateQueries({ queryKey: ["sense", "device", id] });
      return true;
    } catch (problem) {
      setError(problem);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { send, error, busy };
}

/** Asked once more, as nobody can take it back. */
function SignOff({ id, name }: { id: number; name: string }) {
  const { t } = useTranslation();
  const { send, error, busy } = useSending(id);
  const [asked, setAsked] = useState(false);
  return (
    <>
      <button type="button" className="button primary" onClick={() => setAsked(true)}>
        {t("sense.signOff")}
      </button>
      {asked && (
        <Dialog title={t("sense.signOffAsk", { name })} close={() => setAsked(false)}>
          <p>{t("sense.signOffMeans")}</p>
          {error !== undefined && <Fault error={error} />}
          <div className="form-actions">
            <button type="button" className="button" onClick={() => setAsked(false)}>
              {t("sense.signOffNot")}
            </button>
            <button type="button" className="button primary" disabled={busy} onClick={() => void send(() => signOff(id))}>
              {t("sense.signOffDo")}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function KeepWork({ id }: { id: number }) {
  const { t } = useTranslation();
  const { send, error, busy } = useSending(id);
  const [kind, setKind] = useState(WORKS[0]!);
  const [note, setNote] = useState("");
  return (
    <form
      className="sense-tools"
      onSubmit={(event) => {
        event.preventDefault();
        void send(() => keepWork(id, { kind, note })).then((done) => done && setNote(""));
      }}
    >
      <select className="choice" aria-label={t("sense.work")} value={kind} onChange={(event) => setKind(event.target.value)}>
        {WORKS.map((one) => <option key={one} value={one}>{t(`sense.workKinds.${one}`)}</option>)}
      </select>
      <label className="field">
        <input value={note} maxLength={1000} placeholder={t("sense.note")} aria-label={t("sense.note")} onChange={(event) => setNote(event.target.value)} />
      </label>
      <button type="submit" className="button" disabled={busy}>{t("sense.addWork")}</button>
      {error !== undefined && <Fault error={error} />}
    </form>
  );
}
