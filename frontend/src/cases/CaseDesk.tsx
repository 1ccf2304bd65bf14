/** A desk of cases: one choice of them as a list and on the map, with what can be done to several at once. */
import { ChevronLeft, ChevronRight, CircleHelp, List, Map as MapIcon, X } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { useZone } from "../api/questions";
import { Dialog } from "../design/Dialog";
import { SearchField } from "../design/SearchField";
import { Empty, Waiting } from "../design/States";
import { count as written, say } from "../words";
import { BulkDialog } from "./BulkDialog";
import { CaseMap } from "./CaseMap";
import { CaseItem } from "./CaseItem";
import { type Address, PAGE, pageOf, URGENT } from "./filters";
import { type Keys, setKeys, useKeys, useKeysOn } from "./keys";
import { HandlingDepartment, SourceChoice, TypePicker } from "./pickers";
import { type CaseRow, useCases, useLifecycle, useStates, useTitles, useTypes } from "./questions";
import { dayIn, midnight } from "../words/days";

/** Where list and map find room beside each other. */
const WIDE = matchMedia("(min-width: 64rem)");

type Props = {
  address: Address;
  /** Steps that can be taken with several at once. */
  bulk: string[];
  /** What further keys do, with what they are called: of the case that is picked. */
  keys?: { key: string; says: string; run: (row: CaseRow) => void }[];
  /** What stands in a row beside the facts. */
  beside?: (row: CaseRow, picked: boolean) => ReactNode;
  sort?: string;
  empty: string;
  /** What a step is filled with for each case of a bulk action. */
  fill?: (row: CaseRow, action: string) => Record<string, unknown> | null;
  tools?: ReactNode;
  hideStates?: boolean;
};

export function CaseDesk({ address, bulk, keys = [], beside, sort = "due", empty, fill, tools, hideStates }: Props) {
  const { t } = useTranslation();
  const go = useNavigate();
  const zone = useZone();
  const table = useLifecycle().data;
  const types = useTypes().data;
  const from = Number(address.get("from")) || 0;
  const order = address.get("sort") || sort;
  const found = useCases(address.filters, pageOf(address, sort));
  const rows = found.data?.cases ?? [];
  const titles = useTitles(rows.flatMap((row) => [row.department, ...row.open_parts]));
  const view = address.get("view") || (WIDE.matches ? "both" : "list");
  const picked = address.get("case") || null;
  const [chosen, setChosen] = useState<Map<string, CaseRow>>(new Map());
  const [acting, setActing] = useState<string | null>(null);
  const [help, setHelp] = useState(false);
  const search = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);

  const pick = (number: string | null) => address.put({ case: number });
  const at = rows.findIndex((row) => row.number === picked);
  const current = rows[at];
  const move = (step: number) => {
    const next = rows[at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + step))];
    if (next) pick(next.number);
  };
  const toggle = (row: CaseRow) =>
    setChosen((before) => {
      const next = new Map(before);
      if (!next.delete(row.number)) next.set(row.number, row);
      return next;
    });
  const known: { key: string; says: string; run: () => void }[] = [
    { key: "j", says: t("cases.keys.next"), run: () => move(1) },
    { key: "k", says: t("cases.keys.before"), run: () => move(-1) },
    { key: "Enter", says: t("cases.keys.open"), run: () => current && void go(`/cases/${current.number}`) },
    ...(bulk.length ? [{ key: "x", says: t("cases.keys.choose"), run: () => current && toggle(current) }] : []),
    ...keys.map((one) => ({ ...one, run: () => current && one.run(current) })),
    { key: "m", says: t("cases.keys.map"), run: () => address.put({ view: view === "list" ? "both" : "list" }) },
    { key: "/", says: t("cases.keys.search"), run: () => search.current?.focus() },
    { key: "n", says: t("cases.report"), run: () => void go("/cases/new") },
    { key: "?", says: t("cases.keys.help"), run: () => setHelp(true) },
  ];
  useKeys(Object.fromEntries(known.map((one) => [one.key, one.run])) as Keys);

  useEffect(() => {
    if (picked) list.current?.querySelector(`[data-number="${CSS.escape(picked)}"]`)?.scrollIntoView({ block: "nearest" });
  }, [picked]);

  const chosenRows = [...chosen.values()];
  return (
    <>
      {tools}
      <FilterBar address={address} search={search} hideStates={hideStates} sort={order} />
      <div className="desk-tools">
        <p role="status" className="small quiet numbers">
          {found.data && t("cases.count", { count: found.data.count, shown: written(found.data.count) })}
        </p>
        {found.data && found.data.count > PAGE && (
          <div className="pages" role="group" aria-label={t("cases.pages")}>
            <button
              type="button"
              className="icon-button"
              aria-label={t("cases.before")}
              disabled={found.data.previous === null}
              onClick={() =>
                address.put(from > PAGE ? { before: found.data?.previous ?? null, from: String(from - PAGE) } : {})
              }
            >
              <ChevronLeft aria-hidden />
            </button>
            <span className="small numbers">{`${written(from + 1)}–${written(from + rows.length)}`}</span>
            <button
              type="button"
              className="icon-button"
              aria-label={t("cases.next")}
              disabled={found.data.next === null}
              onClick={() => address.put({ after: found.data?.next ?? null, from: String(from + rows.length) })}
            >
              <ChevronRight aria-hidden />
            </button>
          </div>
        )}
        <div className="views" role="group" aria-label={t("cases.view")}>
          <button
            type="button"
            className="icon-button"
            aria-pressed={view !== "map"}
            aria-label={t("cases.views.list")}
            title={t("cases.views.list")}
            onClick={() => address.put({ view: view === "map" ? "both" : view === "both" ? "map" : "list" })}
          >
            <List aria-hidden />
          </button>
          <button
            type="button"
            className="icon-button"
            aria-pressed={view !== "list"}
            aria-label={t("cases.views.map")}
            title={t("cases.views.map")}
            onClick={() => address.put({ view: view === "list" ? "both" : view === "both" ? "list" : "map" })}
          >
            <MapIcon aria-hidden />
          </button>
        </div>
        <button type="button" className="icon-button" aria-label={t("cases.keys.title")} title={t("cases.keys.title")} onClick={() => setHelp(true)}>
          <CircleHelp aria-hidden />
        </button>
      </div>
      {bulk.length > 0 && chosenRows.length > 0 && (
        <div className="bulk-bar" role="region" aria-label={t("cases.bulk.chosen", { count: chosenRows.length })}>
          <strong>{t("cases.bulk.chosen", { count: chosenRows.length })}</strong>
          {bulk.map((action) => (
            <button key={action} type="button" className="button" onClick={() => setActing(action)}>
              {say(table?.transitions.find((one) => one.action === action)?.says)}
            </button>
          ))}
          <button type="button" className="button" onClick={() => setChosen(new Map(rows.map((row) => [row.number, row])))}>
            {t("cases.bulk.all")}
          </button>
          <button type="button" className="icon-button" aria-label={t("cases.bulk.none")} onClick={() => setChosen(new Map())}>
            <X aria-hidden />
          </button>
        </div>
      )}
      <div className="desk" data-view={view}>
        {view !== "map" && (
          <section className="desk-list" aria-label={t("cases.views.list")}>
            <Waiting of={found} lines={8} />
            {found.isSuccess && rows.length === 0 && <Empty title={empty}>{t("cases.emptyMend")}</Empty>}
            <ul ref={list} className="case-list">
              {rows.map((row) => (
                <CaseItem
                  key={row.number}
                  row={row}
                  type={types?.find((one) => one.kind === row.kind && one.code === row.type)}
                  state={table?.states.find((one) => one.key === row.state)}
                  source={table?.sources[row.source]}
                  titles={titles}
                  zone={zone}
                  picked={row.number === picked}
                  pick={() => pick(row.number)}
                  chosen={bulk.length ? chosen.has(row.number) : undefined}
                  choose={() => toggle(row)}
                >
                  {beside?.(row, row.number === picked)}
                </CaseItem>
              ))}
            </ul>
          </section>
        )}
        {view !== "list" && (
          <section className="desk-map" aria-label={t("cases.views.map")}>
            <CaseMap filters={address.filters} rows={rows} picked={picked} pick={pick} within={(box) => address.put({ box })} />
          </section>
        )}
      </div>
      {acting && (
        <BulkDialog
          action={acting}
          rows={chosenRows}
          titles={titles}
          fill={fill}
          close={(done) => {
            setActing(null);
            if (done.length) setChosen((before) => new Map([...before].filter(([number]) => !done.includes(number))));
          }}
        />
      )}
      {help && <KeyHelp keys={known} close={() => setHelp(false)} />}
    </>
  );
}

function KeyHelp({ keys, close }: { keys: { key: string; says: string }[]; close: () => void }) {
  const { t } = useTranslation();
  const on = useKeysOn();
  return (
    <Dialog title={t("cases.keys.title")} close={close}>
      <dl className="facts keys">
        {keys.map((one) => (
          <div key={one.key}>
            <dt>
              <kbd>{one.key}</kbd>
            </dt>
            <dd>{one.says}</dd>
          </div>
        ))}
      </dl>
      <label className="radio">
        <input type="checkbox" checked={on} onChange={(event) => setKeys(event.target.checked)} />
        <span>{t("cases.keys.on")}</span>
      </label>
    </Dialog>
  );
}

const SORTS = ["due", "-reported", "reported", "-latest"];

function FilterBar({ address, search, hideStates, sort }: {
  address: Address;
  search: React.RefObject<HTMLInputElement | null>;
  hideStates?: boolean;
  sort: string;
}) {
  const { t } = useTranslation();
  const table = useLifecycle().data;
  const types = useTypes().data;
  const [typed, setTyped] = useState(address.get("search"));
  const put = useRef(address.put);
  put.current = address.put;
  const asked = address.get("search");
  useEffect(() => {
    if (typed.trim() === asked) return;
    const timer = setTimeout(() => put.current({ search: typed.trim() }), 350);
    return () => clearTimeout(timer);
  }, [typed, asked]);
  const whole = new URLSearchParams(address.filters);
  if (!hideStates) whole.delete("state");
  for (const one of URGENT) whole.delete(one);
  const states = useStates(whole).data ?? [];
  const chosen = address.all("state");
  const sum = (name: "overdue" | "at_risk" | "asked" | "ordered") => states.reduce((all, one) => all + one[name], 0);
  const urgent = URGENT.find((one) => address.get(one) === "true");
  const department = address.get("department");
  const titles = useTitles([department]);
  const type = types?.find((one) => one.kind === address.get("kind") && one.code === address.get("type")) ?? null;
  const others = ["source", "type", "department", "since", "until", "ended"].filter((name) => address.get(name)).length;
  return (
    <div className="filters">
      <div className="filter-row">
        <SearchField ref={search} label={t("cases.search")} value={typed} most={40} set={setTyped} />
        <div className="chips" role="group" aria-label={t("cases.urgent")}>
          {URGENT.map((one) => (
            <button
              key={one}
              type="button"
              className="chip"
              aria-pressed={urgent === one}
              onClick={() => address.put({ ...Object.fromEntries(URGENT.map((name) => [name, null])), [one]: urgent === one ? null : "true" })}
            >
              {t(`cases.urgency.${one}`)} <span className="numbers">{written(sum(one))}</span>
            </button>
          ))}
        </div>
      </div>
      {!hideStates && (
        <div className="chips" role="group" aria-label={t("cases.state")}>
          {table?.states
            .map((state) => ({ ...state, n: states.find((one) => one.state === state.key)?.count ?? 0 }))
            .filter((state) => state.n > 0 || chosen.includes(state.key))
            .map((state) => (
              <button
                key={state.key}
                type="button"
                className="chip"
                aria-pressed={chosen.includes(state.key)}
                onClick={() =>
                  address.put({
                    state: chosen.includes(state.key) ? chosen.filter((one) => one !== state.key) : [...chosen, state.key],
                  })
                }
              >
                {say(state.says)} <span className="numbers">{written(state.n)}</span>
              </button>
            ))}
        </div>
      )}
      <details className="filter-more" open={others > 0 || undefined}>
        <summary>{others ? t("cases.moreFiltersOn", { count: others }) : t("cases.moreFilters")}</summary>
        <div className="filter-grid">
          <SourceChoice address={address} />
          <TypePicker
            label={t("cases.type")}
            value={type}
            pick={(one) => address.put({ kind: one?.kind ?? null, type: one?.code ?? null })}
          />
          <HandlingDepartment
            label={t("cases.handlingDepartment")}
            value={department ? { code: department, title: titles[department] ?? department } : null}
            pick={(one) => address.put({ department: one?.code ?? null })}
          />
          <Day name="since" address={address} />
          <Day name="until" address={address} />
          <label className="input">
            <span className="small">{t("cases.sort")}</span>
            <select className="choice" value={sort} onChange={(event) => address.put({ sort: event.target.value })}>
              {SORTS.map((one) => (
                <option key={one} value={one}>
                  {t(`cases.sorts.${one.replace("-", "last_")}`)}
                </option>
              ))}
            </select>
          </label>
        </div>
      </details>
    </div>
  );
}

function Day({ name, address }: { name: "since" | "until"; address: Address }) {
  const { t } = useTranslation();
  const zone = useZone();
  const given = new Date(address.get(name) ?? "");
  return (
    <label className="input">
      <span className="small">{t(`cases.${name}`)}</span>
      <input
        type="date"
        className="choice"
        value={Number.isNaN(given.getTime()) ? "" : dayIn(zone, given)}
        onChange={(event) => address.put({ [name]: event.target.value ? midnight(event.target.value, zone) : null })}
      />
    </label>
  );
}
