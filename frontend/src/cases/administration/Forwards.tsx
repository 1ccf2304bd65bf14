/** What was forwarded to other cities: how it stands there, and trying again what did not go. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { askJson } from "../../api/client";
import { useZone } from "../../api/questions";
import { Fault } from "../../design/Form";
import { Empty, Waiting } from "../../design/States";
import { instant } from "../../words";
import { Head, Leaf } from "./parts";

type Forward = {
  id: number;
  case: string;
  to: string;
  number: string | null;
  status: "" | "open" | "closed";
  fault: string;
  sent: string | null;
  followed: string | null;
  next: string | null;
  updates: { at: string; status: string; says: string }[];
};

export function Forwards() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const zone = useZone();
  const [before, setBefore] = useState<number | null>(null);
  const [error, setError] = useState<unknown>();
  const found = useQuery({
    queryKey: ["case-forwards", before],
    queryFn: ({ signal }) => askJson<{ forwards: Forward[]; next: number | null }>("/api/cases/forwards", { query: before ? { before } : {}, signal }),
  });
  const again = async (id: number) => {
    setError(undefined);
    try {
      await askJson(`/api/cases/forwards/${id}/again`, { method: "POST" });
      await client.invalidateQueries({ queryKey: ["case-forwards"] });
    } catch (fault) {
      setError(fault);
    }
  };
  const stands = (one: Forward) =>
    one.fault ? t("cases.administration.forwards.fault", { why: one.fault }) : one.sent ? t(`cases.administration.forwards.${one.status || "sent"}`) : t("cases.administration.forwards.waiting");
  const rows = found.data?.forwards ?? [];
  return (
    <>
      <Head room="forwards" />
      <Fault error={error} />
      <Waiting of={found} lines={3} />
      {found.isSuccess && rows.length === 0 && <Empty title={t("cases.administration.forwards.none")} />}
      {rows.length > 0 && (
        <ul className="rows card">
          {rows.map((one) => (
            <li key={one.id}>
              <div>
                <Link to={`/cases/${one.case}`}>{one.case}</Link>
                <span className="small quiet block">
                  {one.to} {one.number} · {stands(one)}
                  {one.followed && ` · ${instant(one.followed, zone)}`}
                </span>
                {one.updates.length > 0 && <span className="small block">{one.updates.at(-1)?.says}</span>}
              </div>
              {(one.fault || !one.next) && (
                <button type="button" className="button" onClick={() => void again(one.id)}>
                  {t("cases.administration.forwards.again")}
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      <Leaf begun={before !== null} next={found.data?.next ?? null} go={(mark) => setBefore(mark === null ? null : Number(mark))} />
    </>
  );
}
