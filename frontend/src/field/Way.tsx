/** One's own way of the day: kept only of who agrees, while the page is open, and gone when one wants it gone. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import { useZone } from "../api/questions";
import { Dialog } from "../design/Dialog";
import { Form } from "../design/Form";
import { Empty, Waiting } from "../design/States";
import { length } from "../map/geodesy";
import { instant, metres } from "../words";
import { FieldMap } from "./FieldMap";
import { WhereAmI } from "./FieldPage";
import { away, type Here, type Position } from "./here";
import { useWay, WAY } from "./questions";
import { type Fix, phone } from "./store";

const KEY = "jingwei.field.way";
/** Metres after which a place is another, and of uncertainty beyond which it says nothing. */
const STEP = 15;
const BLURRED = 100;
const SENT_AT_ONCE = 200;
const SEND_EVERY = 30_000;

const agreements = new EventTarget();

function agreed(person: string): boolean {
  try {
    return localStorage.getItem(KEY) === person;
  } catch {
    return false;
  }
}

function agree(person: string | null): void {
  try {
    if (person) localStorage.setItem(KEY, person);
    else localStorage.removeItem(KEY);
  } catch {
    // a browser that forbids storage keeps no way
  }
  agreements.dispatchEvent(new Event("change"));
}

function useAgreed(person: string): boolean {
  return useSyncExternalStore(
    (follower) => {
      agreements.addEventListener("change", follower);
      return () => agreements.removeEventListener("change", follower);
    },
    () => agreed(person),
  );
}

/** Notes where one is, if one agreed, and sends it now and then. */
export function useWalking(person: string, here: Here | null): void {
  const wanted = useAgreed(person);
  const client = useQueryClient();
  const [last, setLast] = useState<Here>();
  useEffect(() => {
    if (!wanted || !here || here.accuracy > BLURRED) return;
    if (last && (away(last, here) ?? 0) < STEP) return;
    setLast(here);
    const fix = { person, at: new Date(here.at).toISOString(), lon: here.lon, lat: here.lat, accuracy: here.accuracy };
    void phone()
      .then((base) => base.put("way", fix))
      .then(() => sendWay(person))
      .then((sent) => (sent ? client.invalidateQueries({ queryKey: WAY }) : undefined));
  }, [wanted, here, last, person, client]);
  useEffect(() => {
    if (!wanted) return;
    const timer = setInterval(() => void sendWay(person), SEND_EVERY);
    return () => clearInterval(timer);
  }, [wanted, person]);
}

/** Sends what is not sent yet; without a network it stays. */
async function sendWay(person: string): Promise<boolean> {
  const base = await phone();
  const waiting = (await base.getAllFromIndex("way", "person", person)).slice(0, SENT_AT_ONCE);
  if (waiting.length === 0) return false;
  const fixes: Fix[] = waiting.map(({ at, lon, lat, accuracy }) => ({ at, lon, lat, accuracy }));
  try {
    await askJson("/api/cases/track", { method: "POST", body: { fixes } });
  } catch {
    return false;
  }
  for (const one of waiting) await base.delete("way", [person, one.at]);
  return true;
}

async function forgetWay(person: string): Promise<void> {
  const base = await phone();
  for (const one of await base.getAllFromIndex("way", "person", person)) await base.delete("way", [person, one.at]);
  await askJson("/api/cases/track", { method: "DELETE" });
}

export function WayPage({ person, position }: { person: string; position: Position }) {
  const { t } = useTranslation();
  const wanted = useAgreed(person);
  const client = useQueryClient();
  const zone = useZone();
  const found = useWay();
  const [asking, ask] = useState(false);
  const fixes = found.data?.fixes ?? [];
  const way = useMemo(() => (found.data?.fixes ?? []).map((one): [number, number] => [one.lon, one.lat]), [found.data]);
  const turn = useMutation({ mutationFn: async (on: boolean) => agree(on ? person : null) });
  return (
    <section className="field-way" aria-labelledby="field-way">
      <h1 id="field-way">{t("field.way")}</h1>
      <label className="field-check">
        <input type="checkbox" role="switch" checked={wanted} onChange={(event) => turn.mutate(event.target.checked)} />
        <span>
          {t("field.keepWay")}
          <span className="small quiet">{t("field.keepWayLead", { count: found.data?.days ?? 0 })}</span>
        </span>
      </label>
      {wanted && <WhereAmI position={position} />}
      <Waiting of={found} lines={4} stale />
      {found.data && fixes.length === 0 && <Empty title={t("field.noWay")} compact />}
      {fixes.length > 0 && (
        <>
          <dl className="facts">
            <dt>{t("field.wayLength")}</dt>
            <dd className="numbers">{metres(Math.round(length(way)))}</dd>
            <dt>{t("field.waySince")}</dt>
            <dd className="numbers">{instant(fixes[0]!.at, zone, "minute")}</dd>
            <dt>{t("field.wayUntil")}</dt>
            <dd className="numbers">{instant(fixes.at(-1)!.at, zone, "minute")}</dd>
          </dl>
          <div className="field-map">
            <FieldMap label={t("field.wayMap")} spots={NO_SPOTS} here={position.here} way={way} />
          </div>
          <button type="button" className="button danger" onClick={() => ask(true)}>
            <Trash2 aria-hidden />
            {t("field.forgetWay")}
          </button>
        </>
      )}
      {asking && (
        <Dialog title={t("field.forgetWay")} close={() => ask(false)}>
          <p>{t("field.forgetWayLead")}</p>
          <Form
            send={() => forgetWay(person)}
            done={() => {
              ask(false);
              void client.invalidateQueries({ queryKey: WAY });
            }}
            action={t("field.forgetWay")}
            danger
          />
        </Dialog>
      )}
    </section>
  );
}

const NO_SPOTS: [] = [];
