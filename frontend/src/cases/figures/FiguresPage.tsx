/** Evaluation: indicators, scoreboards, and what stands out, over a period and for whom one chooses. */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { askJson } from "../../api/client";
import { useZone } from "../../api/questions";
import { type Address, useAddress } from "../filters";
import { HandlingDepartment, SourceChoice } from "../pickers";
import { useTitles } from "../questions";
import { Findings } from "./Findings";
import { type Indicator, period } from "./figures";
import { Indicators } from "./Indicators";
import { Scores } from "./Scores";

const BY = ["department", "street", "community", "type", "major", "source", "collector", "acceptor", "dispatcher", "handler", "month", "day"] as const;
const PERIODS = ["month", "lastMonth", "year", "all"] as const;
const VIEWS = ["indicators", "scores", "findings"] as const;

export function FiguresPage() {
  const { t } = useTranslation();
  const address = useAddress();
  const zone = useZone();
  const named = address.get("period") || "month";
  const part = address.get("part") || "indicators";
  const asked = new URLSearchParams(address.filters);
  for (const [name, value] of Object.entries(period(named, zone))) if (!asked.has(name)) asked.set(name, value);
  const table = useQuery({
    queryKey: ["case-indicators"],
    queryFn: ({ signal }) => askJson<Indicator[]>("/api/cases/indicators", { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <>
      <div className="scope" role="group" aria-label={t("cases.figures.name")}>
        {VIEWS.map((one) => (
          <button key={one} type="button" className="chip" aria-pressed={part === one} onClick={() => address.put({ part: one === "indicators" ? null : one })}>
            {t(`cases.figures.parts.${one}`)}
          </button>
        ))}
      </div>
      <Choices address={address} by={part === "indicators" ? address.get("by") : null} named={named} />
      {part === "indicators" && <Indicators address={address} asked={asked} table={table.data ?? []} />}
      {part === "scores" && <Scores address={address} asked={asked} table={table.data ?? []} />}
      {part === "findings" && <Findings asked={asked} />}
    </>
  );
}

function Choices({ address, by, named }: { address: Address; by: string | null; named: string }) {
  const { t } = useTranslation();
  const department = address.get("department");
  const titles = useTitles([department]);
  return (
    <div className="filter-grid">
      <label className="input">
        <span className="small">{t("cases.figures.period")}</span>
        <select className="choice" value={named} onChange={(event) => address.put({ period: event.target.value })}>
          {PERIODS.map((one) => (
            <option key={one} value={one}>
              {t(`cases.figures.periods.${one}`)}
            </option>
          ))}
        </select>
      </label>
      {by !== null && (
        <label className="input">
          <span className="small">{t("cases.figures.by")}</span>
          <select className="choice" value={by} onChange={(event) => address.put({ by: event.target.value })}>
            <option value="">{t("cases.figures.whole")}</option>
            {BY.map((one) => (
              <option key={one} value={one}>
                {t(`cases.figures.dimensions.${one}`)}
              </option>
            ))}
          </select>
        </label>
      )}
      <SourceChoice address={address} />
      <HandlingDepartment
        label={t("cases.handlingDepartment")}
        value={department ? { code: department, title: titles[department] ?? department } : null}
        pick={(one) => address.put({ department: one?.code ?? null })}
      />
    </div>
  );
}
