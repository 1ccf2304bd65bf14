/** Where one is signed in at this moment, and how to end it. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { ask, askJson } from "../api/client";
import { useZone } from "../api/questions";
import { Fault } from "../design/Form";
import { Empty, Waiting } from "../design/States";
import { instant } from "../words";

type SignIn = { id: string; started: string; seen: string; address: string; agent: string; this: boolean };

export function SignIns() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const zone = useZone();
  const found = useQuery({
    queryKey: ["sign-ins"],
    queryFn: ({ signal }) => askJson<SignIn[]>("/api/account/sign-ins", { signal }),
  });
  const ending = useMutation({
    mutationFn: (id: string | null) => ask(`/api/account/sign-ins${id ? `/${id}` : ""}`, { method: "DELETE" }),
    onSettled: () => client.invalidateQueries({ queryKey: ["sign-ins"] }),
  });
  const others = found.data?.some((one) => !one.this);
  return (
    <section className="card part" aria-labelledby="sign-ins">
      <h2 id="sign-ins">{t("account.signIns")}</h2>
      <p className="small">{t("account.signInsLead")}</p>
      <Waiting of={found} lines={2} compact />
      {found.data?.length === 0 && <Empty title={t("account.noSignIns")} compact />}
      <ul className="rows">
        {found.data?.map((one) => (
          <li key={one.id}>
            <div>
              <b>{device(one.agent) || t("account.program")}</b>
              {one.this && <span className="badge accent">{t("account.this")}</span>}
              <span className="small quiet">
                {t("account.signedInAt", { address: one.address, time: instant(one.started, zone, "minute") })}
              </span>
              <span className="small quiet">{t("account.seenAt", { time: instant(one.seen, zone, "minute") })}</span>
            </div>
            {!one.this && (
              <button
                type="button"
                className="button"
                disabled={ending.isPending}
                aria-label={t("account.endOf", { device: device(one.agent) || one.address })}
                onClick={() => ending.mutate(one.id)}
              >
                {t("account.end")}
              </button>
            )}
          </li>
        ))}
      </ul>
      <Fault error={ending.error} />
      {others && (
        <div className="form-actions">
          <button type="button" className="button" disabled={ending.isPending} onClick={() => ending.mutate(null)}>
            {t("account.endOthers")}
          </button>
        </div>
      )}
    </section>
  );
}

/** The browser and the system that a user agent names, as far as people tell them apart. */
function device(agent: string): string {
  const browser = /(Edg|OPR|Firefox|Chrome|Safari)\//.exec(agent)?.[1];
  const names: Record<string, string> = { Edg: "Edge", OPR: "Opera" };
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux|HarmonyOS)/.exec(agent)?.[1];
  return [browser && (names[browser] ?? browser), system?.replace("Mac OS X", "macOS")].filter(Boolean).join(" · ");
}
