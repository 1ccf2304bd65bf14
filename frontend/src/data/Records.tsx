/** The records of a dataset as a table, a page at a time, with an optional filter. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Filter } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { askJson } from "../api/client";
import type { DatasetDetail, FactPage } from "../api/types";
import { More } from "../design/More";
import { Empty, Waiting } from "../design/States";
import { Table } from "../design/Table";
import { langOf } from "../words";

export function Records({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const [where, setWhere] = useState("");
  const answer = useInfiniteQuery({
    queryKey: ["records", dataset.id, dataset.version, where],
    queryFn: ({ signal, pageParam }) =>
      askJson<FactPage>(`/api/datasets/${dataset.id}/features`, {
        query: { f: "json", limit: 50, after: pageParam, where },
        signal,
      }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.after ?? undefined,
  });
  const records = answer.data?.pages.flatMap((page) => page.records) ?? [];
  const columns = Object.keys(records[0]?.values ?? {});
  const example = dataset.columns[0]?.name ?? "name";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setWhere(typed.trim());
  };
  return (
    <>
      <form className="records-filter" onSubmit={submit}>
        <div className="field">
          <Filter aria-hidden />
          <input
            className="code"
            aria-label={t("data.filter")}
            placeholder={t("data.filterHint", { example })}
            value={typed}
            maxLength={2000}
            spellCheck={false}
            onChange={(event) => setTyped(event.target.value)}
          />
        </div>
        <button type="submit" className="button">
          {t("data.apply")}
        </button>
      </form>
      <Waiting of={answer} lines={8} compact />
      {answer.isSuccess && records.length === 0 && <Empty title={t("data.noRecords")} compact />}
      {records.length > 0 && (
        <Table label={t("data.tabs.records")} className="records">
          <thead>
            <tr>
              <th scope="col">{t("data.recordNumber")}</th>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {records.map((record) => (
              <tr key={record.fact}>
                <th scope="row" className="nowrap">
                  <Link to={`/data/${dataset.id}/records/${record.fact}`}>{record.fact}</Link>
                </th>
                {columns.map((column) => (
                  <td key={column} className="clip" lang={langOf(record.values[column])}>
                    {record.values[column] === null ? "–" : String(record.values[column])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      <More of={answer} />
    </>
  );
}
