/** The points at which reports are put whose place nobody knows. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../../api/client";
import { Dialog } from "../../design/Dialog";
import { Form, Input } from "../../design/Form";
import { Empty, Waiting } from "../../design/States";
import { decimal } from "../../words";
import { type Place, PlacePicker } from "../PlacePicker";
import { Head } from "./parts";

type Point = { lon: number; lat: number; says: string };
type Points = { version: number; points: Point[] };

export function Points() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Point | null>(null);
  const found = useQuery({
    queryKey: ["case-points"],
    queryFn: ({ signal }) => askJson<Points>("/api/cases/default-points", { signal }),
  });
  const points = found.data?.points ?? [];
  const put = (fresh: Point[]) =>
    askJson("/api/cases/default-points", { method: "PUT", query: { seen: found.data?.version }, body: fresh });
  const done = () => {
    setAdding(false);
    setRemoving(null);
    void client.invalidateQueries({ queryKey: ["case-points"] });
  };
  return (
    <>
      <Head room="points" />
      <div>
        <button type="button" className="button" onClick={() => setAdding(true)}>
          <Plus aria-hidden />
          {t("cases.administration.points.add")}
        </button>
      </div>
      <Waiting of={found} lines={3} />
      {found.isSuccess && points.length === 0 && <Empty title={t("cases.administration.points.none")} />}
      {points.length > 0 && (
        <ul className="rows card">
          {points.map((one) => (
            <li key={`${one.lon},${one.lat}`}>
              <div>
                <b>{one.says}</b>
                <span className="small quiet numbers block">{`${decimal(one.lon, 9)}, ${decimal(one.lat, 9)}`}</span>
              </div>
              <button type="button" className="icon-button" aria-label={t("cases.administration.points.remove", { says: one.says })} onClick={() => setRemoving(one)}>
                <Trash2 aria-hidden />
              </button>
            </li>
          ))}
        </ul>
      )}
      {adding && <AddPoint add={(point) => put([...points, point])} close={() => setAdding(false)} done={done} />}
      {removing && (
        <Dialog title={t("cases.administration.points.remove", { says: removing.says })} close={() => setRemoving(null)}>
          <Form send={() => put(points.filter((one) => one !== removing))} done={done} action={t("cases.rules.remove")} danger>
            <p>{t("cases.administration.points.removeLead")}</p>
          </Form>
        </Dialog>
      )}
    </>
  );
}

function AddPoint({ add, close, done }: { add: (point: Point) => Promise<unknown>; close: () => void; done: () => void }) {
  const { t } = useTranslation();
  const [says, setSays] = useState("");
  const [place, setPlace] = useState<Place | null>(null);
  return (
    <Dialog title={t("cases.administration.points.add")} close={close}>
      <Form send={() => add({ lon: place?.[0] ?? Number.NaN, lat: place?.[1] ?? Number.NaN, says: says.trim() })} done={done} action={t("form.save")}>
        <Input label={t("cases.administration.points.says")} value={says} required maxLength={200} onChange={(event) => setSays(event.target.value)} />
        <PlacePicker label={t("cases.administration.points.place")} value={place} start={null} pick={setPlace} />
      </Form>
    </Dialog>
  );
}
