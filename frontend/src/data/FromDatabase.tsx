/** Tables of databases that the administrators named: read one, and load what is new of one that is known. */
import { useQuery } from "@tanstack/react-query";
import { Select } from "../design/Select";
import { Database } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { askJson } from "../api/client";
import { useZone } from "../api/questions";
import { Failure, Loading } from "../design/States";
import { instant } from "../words";
import { Following } from "./Following";

type Known = {
  database: string;
  table: string;
  cursor: string | null;
  keys: string[];
  rows: number;
  read: string;
  file: string;
  source: string | null;
};
type Databases = { databases: { name: string; kind: string }[]; tables: Known[] };
type Column = { name: string; type: string; rises: boolean; key: boolean };

export function FromDatabase() {
  const { t } = useTranslation();
  const answer = useQuery({
    queryKey: ["intake", "databases"],
    queryFn: ({ signal }) => askJson<Databases>("/api/intake/databases", { signal }),
  });
  if (answer.error) return <Failure error={answer.error} retry={() => answer.refetch()} compact />;
  if (!answer.data || answer.data.databases.length === 0) return null;
  return (
    <section className="card stack" aria-labelledby="from-database">
      <h2 id="from-database">
        <Database aria-hidden /> {t("intake.fromDatabase")}
      </h2>
      <KnownTables tables={answer.data.tables} />
      <Choose databases={answer.data.databases} />
    </section>
  );
}

function KnownTables({ tables }: { tables: Known[] }) {
  const { t } = useTranslation();
  const zone = useZone();
  const [events, setEvents] = useState<{ table: Known; address: string } | null>(null);
  const [error, setError] = useState<unknown>(null);
  const load = async (table: Known) => {
    setError(null);
    try {
      const job = await askJson<{ events: string }>(`/api/intake/databases/${table.database}/readings`, {
        method: "POST",
        body: { table: table.table, cursor: table.cursor, keys: table.keys, load: true },
      });
      setEvents({ table, address: job.events });
    } catch (failure) {
      setError(failure);
    }
  };
  if (tables.length === 0) return null;
  return (
    <>
      <ul className="findings">
        {tables.map((one) => (
          <li key={`${one.database}/${one.table}`} className="card">
            <div>
              <p>
                <Link to={one.source ? `/data/${one.source}` : `/data/intake/${one.file}`}>
                  {one.database}.{one.table}
                </Link>
              </p>
              <p className="small quiet">
                {t("data.rowsCount", { count: one.rows })} · {instant(one.read, zone, "minute")}
                {one.cursor && ` · ${t("intake.byCursor", { column: one.cursor })}`}
              </p>
              {one.source && (
                <div className="form-actions">
                  <button type="button" className="button" disabled={events !== null} onClick={() => void load(one)}>
                    {t("intake.loadNew")}
                  </button>
                </div>
              )}
            </div>
          </li>
        ))}
      </ul>
      {error !== null && <Failure error={error} compact />}
      {events && <Following address={events.address} dataset={events.table.source ?? ""} again={() => setEvents(null)} link />}
    </>
  );
}

function Choose({ databases }: { databases: Databases["databases"] }) {
  const { t } = useTranslation();
  const go = useNavigate();
  const [database, setDatabase] = useState(databases.length === 1 ? (databases[0]?.name ?? "") : "");
  const [table, setTable] = useState("");
  const [cursor, setCursor] = useState("");
  const [keys, setKeys] = useState<string[] | null>(null);
  const [events, setEvents] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const tables = useQuery({
    queryKey: ["intake", "tables", database],
    queryFn: ({ signal }) => askJson<string[]>(`/api/intake/databases/${database}/tables`, { signal }),
    enabled: database !== "",
    retry: false,
  });
  const columns = useQuery({
    queryKey: ["intake", "columns", database, table],
    queryFn: ({ signal }) => askJson<Column[]>(`/api/intake/databases/${database}/columns`, { query: { table }, signal }),
    enabled: database !== "" && table !== "",
    retry: false,
  });
  const key = keys ?? (columns.data ?? []).filter((one) => one.key).map((one) => one.name);

  const read = async (event: FormEvent) => {
    event.preventDefault();
    setError(null);
    try {
      const job = await askJson<{ events: string }>(`/api/intake/databases/${database}/readings`, {
        method: "POST",
        body: { table, cursor: cursor || null, keys: key },
      });
      setEvents(job.events);
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <form className="stack" onSubmit={read} aria-busy={events !== null}>
      <div className="fields">
        <Select label={t("intake.database")} value={database} options={databases.map((one) => one.name)} set={(name) => { setDatabase(name); setTable(""); }} />
        <Select label={t("intake.table")} value={table} options={tables.data ?? []} set={(name) => { setTable(name); setCursor(""); setKeys(null); }} />
        <Select label={t("intake.cursor")} value={cursor} empty={t("intake.noCursor")} options={(columns.data ?? []).filter((one) => one.rises).map((one) => one.name)} set={setCursor} />
        <Select label={t("data.key")} value={key[0] ?? ""} empty="–" options={(columns.data ?? []).map((one) => one.name)} set={(name) => setKeys(name ? [name] : [])} />
      </div>
      <p className="small quiet">{t("intake.cursorHint")}</p>
      {(tables.isFetching || columns.isFetching) && <Loading lines={1} />}
      {tables.error && <Failure error={tables.error} retry={() => tables.refetch()} compact />}
      {columns.error && <Failure error={columns.error} retry={() => columns.refetch()} compact />}
      {error !== null && <Failure error={error} compact />}
      <div className="form-actions">
        <button type="submit" className="button primary" disabled={events !== null || !table}>
          {t("intake.readTable")}
        </button>
      </div>
      {events && (
        <Following
          address={events}
          dataset={table}
          again={() => setEvents(null)}
          done={(result) => result.file && go(`/data/intake/${result.file}`)}
        />
      )}
    </form>
  );
}
