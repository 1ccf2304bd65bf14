/** The inventory of components: looked through, and taken in from a table with progress that can be stopped. */
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { FileUp } from "lucide-react";
import { useDeferredValue, useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { askJson, Problem, problemOf } from "../../api/client";
import { Fault } from "../../design/Form";
import { SearchField } from "../../design/SearchField";
import { Empty, Waiting } from "../../design/States";
import { Table } from "../../design/Table";
import { count as written, languageNow, say, share, type Text } from "../../words";
import { useTitles, useTypes } from "../questions";
import { Head, Leaf } from "./parts";

type Component = { code: string; object: string; department: string; area: string };
type Taken = { count: number; mapped: number; faults: ({ row: number; code: string } & Text)[] };
type Job = {
  state: "running" | "done" | "failed" | "stopped";
  steps: { stage: string; share: number; rows: number }[];
  result: Taken | null;
  problem: { what: Text; mend: Text | null } | null;
};

export function Inventory() {
  const { t } = useTranslation();
  const types = useTypes().data ?? [];
  const [digits, setDigits] = useState("");
  const [after, setAfter] = useState("");
  const asked = useDeferredValue(digits.trim());
  const found = useQuery({
    queryKey: ["case-components", asked, after],
    queryFn: ({ signal }) =>
      askJson<{ components: Component[]; next: string | null }>("/api/cases/components", { query: { area: asked, after }, signal }),
    placeholderData: keepPreviousData,
  });
  const rows = found.data?.components ?? [];
  const titles = useTitles(rows.map((one) => one.department));
  return (
    <>
      <Head room="components" />
      <TakeIn />
      <div className="filter-row">
        <SearchField label={t("cases.administration.components.area")} value={digits} most={15} set={(text) => { setDigits(text); setAfter(""); }} />
      </div>
      <Waiting of={found} lines={6} />
      {found.isSuccess && rows.length === 0 && <Empty title={t("cases.administration.components.none")} />}
      {rows.length > 0 && (
        <Table
          label={t("cases.administration.components.name")}
          head={[
            t("cases.administration.components.code"),
            t("cases.type"),
            t("cases.administration.components.charge"),
            t("cases.administration.grids.code"),
          ]}
        >
          <tbody>
            {rows.map((one) => (
              <tr key={one.code}>
                <th scope="row">
                  <Link to={`/objects/${one.object}`}>
                    <code>{one.code}</code>
                  </Link>
                </th>
                <td>{say(types.find((each) => each.kind === "component" && each.code === one.code.slice(6, 11))?.name)}</td>
                <td>{titles[one.department] ?? one.department}</td>
                <td>
                  <code>{one.area}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      <Leaf begun={after !== ""} next={found.data?.next ?? null} go={(mark) => setAfter(String(mark ?? ""))} />
    </>
  );
}

/** First the file goes to the city, then the city takes it in; both show how far they are and can be stopped. */
function TakeIn() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const id = useId();
  const request = useRef<XMLHttpRequest>(undefined);
  const [sent, setSent] = useState<number | null>(null);
  const [address, setAddress] = useState<string | null>(null);
  const [job, setJob] = useState<Job | null>(null);
  const [error, setError] = useState<unknown>();

  useEffect(() => () => request.current?.abort(), []);
  useEffect(() => {
    if (!address) return;
    const source = new EventSource(address);
    source.addEventListener("progress", (event) => {
      const now = JSON.parse((event as MessageEvent<string>).data) as Job;
      setJob(now);
      if (now.state === "running") return;
      source.close();
      void client.invalidateQueries({ queryKey: ["case-components"] });
    });
    return () => source.close();
  }, [address, client]);

  const send = (file: File | undefined) => {
    if (!file) return;
    setError(undefined);
    setJob(null);
    setAddress(null);
    setSent(0);
    const going = new XMLHttpRequest();
    request.current = going;
    going.open("POST", `/api/cases/components/jobs?${new URLSearchParams({ name: file.name })}`);
    going.setRequestHeader("Content-Type", "application/octet-stream");
    going.setRequestHeader("Accept-Language", languageNow() === "en" ? "en" : "zh-CN");
    going.upload.onprogress = (event) => setSent(event.lengthComputable ? event.loaded / event.total : 0);
    going.onerror = () => {
      setSent(null);
      setError(new Problem({ code: "unreachable" }));
    };
    going.onabort = () => setSent(null);
    going.onload = () => {
      setSent(null);
      if (going.status === 202) setAddress((JSON.parse(going.responseText) as { events: string }).events);
      else
        void problemOf(new Response(going.responseText, { status: going.status, headers: { "Content-Type": going.getResponseHeader("Content-Type") ?? "" } })).then(
          setError,
        );
    };
    going.send(file);
  };
  const stop = () => {
    if (sent !== null) request.current?.abort();
    else if (address) void askJson(address.replace(/\/events$/, ""), { method: "DELETE" }).catch(setError);
  };
  const running = sent !== null || (address !== null && (job === null || job.state === "running"));
  const step = job?.steps[0];
  const far = sent ?? step?.share;
  return (
    <section className="card stack">
      <h3>{t("cases.administration.components.take")}</h3>
      <p className="small quiet">{t("cases.administration.components.takeLead")}</p>
      <div className="photo-add">
        <label htmlFor={id} className="button" aria-disabled={running}>
          <FileUp aria-hidden />
          {t("cases.administration.components.file")}
        </label>
        <input
          id={id}
          type="file"
          className="hidden-visually"
          accept=".csv,.xlsx,.xls,.json,.geojson,.parquet"
          disabled={running}
          onChange={(event) => {
            send(event.target.files?.[0]);
            event.target.value = "";
          }}
        />
      </div>
      {running && (
        <div className="stack" role="status">
          <progress value={far} max={1} aria-label={t("cases.administration.components.take")} />
          <p className="small numbers">
            {sent !== null
              ? t("cases.administration.components.sending", { share: share(sent) })
              : step?.stage === "taking"
                ? t("cases.administration.components.taking", { n: written(step.rows) })
                : t("cases.administration.components.reading")}
          </p>
          <div>
            <button type="button" className="button" onClick={stop}>
              {t("cases.administration.components.stop")}
            </button>
          </div>
        </div>
      )}
      <div role="status">
        {job?.result && (
          <p className="small">
            {t(`cases.administration.components.${job.state === "stopped" ? "stopped" : "done"}`, {
              n: written(job.result.count),
              mapped: written(job.result.mapped),
            })}
          </p>
        )}
      </div>
      {job?.result && job.result.faults.length > 0 && (
        <details open>
          <summary>{t("cases.administration.components.faults", { n: written(job.result.faults.length) })}</summary>
          <ul className="rows">
            {job.result.faults.map((fault) => (
              <li key={fault.row} className="small">
                {t("cases.administration.components.fault", { row: fault.row, code: fault.code, says: say(fault) })}
              </li>
            ))}
          </ul>
        </details>
      )}
      {job?.problem && <Fault error={new Problem({ title: say(job.problem.what), mend: say(job.problem.mend) })} />}
      <Fault error={error} />
    </section>
  );
}
