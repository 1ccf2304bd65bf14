/** One case of a list. */
import { Flag, MapPin } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { instant, langOf, list, say, type Text } from "../words";
import { TimeLeft } from "./Clock";
import type { CaseRow, CaseType, State } from "./questions";

export function CaseItem({ row, type, state, source, titles, zone, picked, pick, chosen, choose, children }: {
  row: CaseRow;
  type?: CaseType;
  state?: State;
  source?: Text;
  titles: Record<string, string>;
  zone: string;
  picked: boolean;
  pick: () => void;
  /** Undefined where nothing is done to several at once. */
  chosen?: boolean;
  choose: () => void;
  children?: ReactNode;
}) {
  const { t } = useTranslation();
  const name = say(type?.name) || row.type;
  const departments = [row.department, ...row.open_parts].filter((one): one is string => !!one).map((one) => titles[one] ?? one);
  return (
    <li className="case-item" data-number={row.number} data-picked={picked || undefined} onPointerDown={pick}>
      {chosen !== undefined && (
        <input
          type="checkbox"
          aria-label={t("cases.bulk.choose", { name, number: row.number })}
          checked={chosen}
          onChange={choose}
          onPointerDown={(event) => event.stopPropagation()}
        />
      )}
      <div className="case-what">
        <Link to={`/cases/${row.number}`} aria-current={picked || undefined} lang={langOf(name)}>
          {name}
        </Link>
        <span className="case-marks">
          <span className="badge accent">{say(state?.says)}</span>
          {!row.ended && <TimeLeft due={row.due && row.due / 1000} risk={row.risk_at && row.risk_at / 1000} suspended={row.state === "suspended"} />}
          {row.orders_open > 0 && (
            <span className="badge warn">
              <Flag aria-hidden />
              {t("cases.marks.ordered")}
            </span>
          )}
          {row.asked && <span className="badge warn">{t(`cases.marks.${row.asked.replace(":", "_")}`)}</span>}
          {row.reworks > 0 && <span className="badge">{t("cases.marks.reworks", { count: row.reworks })}</span>}
          {row.others > 0 && <span className="badge">{t("cases.marks.others", { count: row.others })}</span>}
        </span>
        {row.description && <span className="case-said small" lang={langOf(row.description)}>{row.description}</span>}
        <span className="small quiet case-line">
          <code>{row.number}</code>
          <span>{instant(new Date(row.reported / 1000).toISOString(), zone, "minute")}</span>
          <span>{say(source)}</span>
          {row.area && (
            <span>
              <MapPin aria-hidden />
              <code>{row.area}</code>
            </span>
          )}
          {departments.length > 0 && <span lang={langOf(list(departments))}>{list(departments)}</span>}
        </span>
        {children}
      </div>
    </li>
  );
}
