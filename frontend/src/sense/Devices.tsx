/** The devices of the city in a table, found by name, kind and state; and their import. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { FileUp } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { askJson } from "../api/client";
import { useZone } from "../api/questions";
import { Dialog } from "../design/Dialog";
import { Fault } from "../design/Form";
import { SearchField } from "../design/SearchField";
import { Empty, Waiting } from "../design/States";
import { Table } from "../design/Table";
import { count, instant, say } from "../words";
import { type Device, type Imported, importTable } from "./questions";

const STATES = ["planned", "installed", "active", "faulty", "retired"];
const TONES: Record<string, string> = { active: "good", faulty: "bad", planned: "", installed: "accent", retired: "" };
const SYSTEMS = ["WGS84", "CGCS2000", "GCJ-02", "BD-09"];

export function StateOf({ state }: { state: string }) {
  const { t } = useTranslation();
  return <span className={`badge ${TONES[state] ?? ""}`}>{STATES.includes(state) ? t(`sense.deviceStates.${state}`) : state}</span>;
}

export function Devices() {
  const { t } = useTranslation();
  const zone = useZone();
  const [search, setSearch] = useState("");
  const [state, setState] = useState("");
  const [kind, setKind] = useState("");
  const [due, setDue] = useState(false);
  const [after, setAfter] = useState(0);
  const [importing, setImporting] = useState(false);
  const found = useQuery({
    queryKey: ["sense", "devices", search, state, kind, due, after],
    queryFn: ({ signal }) =>
      askJson<{ devices: Device[]; next: number | null }>("/api/sense/devices", { query: { search, state, kind, due, after }, signal }),
    placeholderData: (before) => before,
  });
  const counts = useQuery({
    queryKey: ["sense", "devices", "counts"],
    queryFn: ({ signal }) => askJson<{ state: Record<string, number>; kind: Record<string, number> }>("/api/sense/devices/counts", { signal }),
  });
  const total = Object.values(counts.data?.state ?? {}).reduce((a, b) => a + b, 0);
  const filter = (set: () => void) => {
    set();
    setAfter(0);
  };
  return (
    <>
      <div className="sense-tools">
        <SearchField label={t("sense.findDevice")} value={search} most={80} set={(text) => filter(() => setSearch(text))} />
        <select className="choice" aria-label={t("sense.state")} value={state} onChange={(event) => filter(() => setState(event.target.value))}>
          <option value="">{`${t("sense.state")} · ${t("sense.any")}`}</option>
          {STATES.map((one) => (
            <option key={one} value={one}>{`${t(`sense.deviceStates.${one}`)} (${count(counts.data?.state[one] ?? 0)})`}</option>
          ))}
        </select>
        <select className="choice" aria-label={t("sense.kind")} value={kind} onChange={(event) => filter(() => setKind(event.target.value))}>
          <option value="">{`${t("sense.kind")} · ${t("sense.any")}`}</option>
          {Object.entries(counts.data?.kind ?? {}).map(([one, size]) => (
            <option key={one} value={one}>{`${t(`sense.kinds.${one}`, { defaultValue: one })} (${count(size)})`}</option>
          ))}
        </select>
        <label className="sense-check">
          <input type="checkbox" checked={due} onChange={(event) => filter(() => setDue(event.target.checked))} />
          {t("sense.due")}
        </label>
        <span className="quiet small">{t("sense.total", { count: total })}</span>
        <button type="button" className="button" onClick={() => setImporting(true)}>
          <FileUp aria-hidden />
          {t("sense.import")}
        </button>
      </div>
      <Waiting of={found} lines={8} />
      {found.data && found.data.devices.length === 0 && <Empty title={t("sense.noDevices")}>{t("sense.noDevicesMend")}</Empty>}
      {found.data && found.data.devices.length > 0 && (
        <Table label={t("sense.devices")}>
          <thead>
            <tr>
              {["deviceName", "key", "kind", "state", "lastSeen", "battery", "calibrationDue", "signedOff"].map((one) => (
                <th key={one} scope="col">{t(`sense.${one}`)}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {found.data.devices.map((one) => (
              <tr key={one.id}>
                <th scope="row"><Link to={`/sense/devices/${one.id}`}>{one.name}</Link></th>
                <td className="nowrap">{one.key}</td>
                <td className="nowrap">{t(`sense.kinds.${one.kind}`, { defaultValue: one.kind })}</td>
                <td><StateOf state={one.state} /></td>
                <td className="nowrap">{one.last_seen ? instant(one.last_seen, zone, "minute") : t("sense.never")}</td>
                <td>{one.battery === null ? "–" : `${one.battery}%`}</td>
                <td className="nowrap">{one.calibration_due ? instant(one.calibration_due, zone, "day") : "–"}</td>
                <td className="nowrap">{one.signed_off ? instant(one.signed_off, zone, "day") : "–"}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      <div className="sense-tools">
        {after > 0 && <button type="button" className="button" onClick={() => setAfter(0)}>{t("sense.first")}</button>}
        {found.data?.next && <button type="button" className="button" onClick={() => setAfter(found.data.next!)}>{t("sense.next")}</button>}
      </div>
      {importing && <Import close={() => setImporting(false)} />}
    </>
  );
}

function Import({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const questions = useQueryClient();
  const [file, setFile] = useState<File | null>(null);
  const [system, setSystem] = useState("");
  const [owner, setOwner] = useState("");
  const [told, setTold] = useState<Imported | null>(null);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const send = async () => {
    if (!file || !system) return;
    setBusy(true);
    setError(undefined);
    try {
      setTold(await importTable(file, system, owner));
      void questions.invalidateQueries({ queryKey: ["sense"] });
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("sense.importTitle")} close={close}>
      <form
        className="sense-form"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <p className="small">{t("sense.importLead")}</p>
        <label>
          <span>{t("sense.file")}</span>
          <input type="file" required accept=".csv,.tsv,.xlsx,.xls,.json,.geojson,.parquet" onChange={(event) => setFile(event.target.files?.[0] ?? null)} />
        </label>
        <label>
          <span>{t("sense.system")}</span>
          <select className="choice" required value={system} onChange={(event) => setSystem(event.target.value)}>
            <option value="">{t("sense.systemAsk")}</option>
            {SYSTEMS.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
          <span className="small quiet">{t("sense.systemHint")}</span>
        </label>
        <label>
          <span>{t("sense.owner")}</span>
          <span className="field"><input value={owner} maxLength={18} onChange={(event) => setOwner(event.target.value)} /></span>
          <span className="small quiet">{t("sense.ownerHint")}</span>
        </label>
        {error !== undefined && <Fault error={error} />}
        <button type="submit" className="button primary" disabled={busy || !file || !system}>{t("sense.doImport")}</button>
      </form>
      {told && (
        <section role="status">
          <p>{t("sense.imported", { new: told.new, changed: told.changed, same: told.same, bad: told.findings_count })}</p>
          {told.findings.length > 0 && (
            <Table label={t("sense.problem")} head={[t("sense.row"), t("sense.column"), t("sense.problem")]}>
              <tbody>
                {told.findings.map((one, index) => (
                  <tr key={index}>
                    <td>{one.row}</td>
                    <td>{one.column}</td>
                    <td>{say(one.says)}</td>
                  </tr>
                ))}
              </tbody>
            </Table>
          )}
        </section>
      )}
    </Dialog>
  );
}
