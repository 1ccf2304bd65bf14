/** A report by staff: the type by words or code, the place on the map, and what may be the same already. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useDeferredValue, useId, useState } from "react";
import { LoaderCircle } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { askJson } from "../api/client";
import { Fault } from "../design/Form";
import { useSession } from "../session/questions";
import { metres, say, share, type Text } from "../words";
import { PhotoField } from "./Photos";
import { TypePicker } from "./pickers";
import { type Place, PlacePicker } from "./PlacePicker";
import { type Alike, type CaseDetail, type CaseType, useLifecycle, useTypes } from "./questions";

type Around = {
  area: string;
  rule: Text | null;
  components: { code: string; name: string; type: string; metres: number }[];
  cases: Alike[];
};

/** Where a report usually comes from, by the role of who makes it. */
const USUAL: Record<string, string> = { grid_officer: "collector", case_leader: "leader", case_acceptor: "phone" };

export function NewCase() {
  const { t } = useTranslation();
  const go = useNavigate();
  const client = useQueryClient();
  const table = useLifecycle().data;
  const types = useTypes().data;
  const duties = useSession().data?.duties ?? [];
  const words = useId();
  const origin = useId();
  const usual = duties.map((one) => USUAL[one.role]).find(Boolean) ?? "collector";
  const [type, setType] = useState<CaseType | null>(null);
  const [place, setPlace] = useState<Place | null>(null);
  const [description, setDescription] = useState("");
  const [chosen, setChosen] = useState("");
  const [component, setComponent] = useState("");
  const [photos, setPhotos] = useState<string[]>([]);
  const source = chosen || usual;
  const said = useDeferredValue(description.trim().slice(0, 400));
  const around = useQuery({
    queryKey: ["case-around", place, type?.kind, type?.code, said],
    queryFn: ({ signal }) =>
      askJson<Around>("/api/cases/around", {
        query: { lon: place![0], lat: place![1], kind: type?.kind, type: type?.code, words: said },
        signal,
      }),
    enabled: place !== null,
    placeholderData: (before) => before,
  });
  const near = place === null ? undefined : around.data;
  const send = useMutation({
    mutationFn: () =>
      askJson<CaseDetail>("/api/cases", {
        method: "POST",
        body: {
          kind: type!.kind,
          type: type!.code,
          source,
          description,
          photos,
          ...(place ? { lon: place[0], lat: place[1] } : {}),
          ...(component ? { component } : {}),
        },
      }),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ["cases"] });
      void go(`/cases/${made.number}`);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (type && !send.isPending) send.mutate();
  };
  return (
    <div className="page wide">
      <header>
        <nav aria-label={t("data.way")} className="small">
          <Link to="/cases">{t("cases.name")}</Link> / {t("cases.report")}
        </nav>
        <h1>{t("cases.report")}</h1>
      </header>
      <form className="case-page" onSubmit={submit}>
        <div className="card stack">
          <TypePicker label={t("cases.type")} value={type} pick={setType} />
          <div className="input">
            <label htmlFor={words}>{t("cases.description")}</label>
            <textarea id={words} className="area" rows={4} maxLength={4000} value={description} onChange={(event) => setDescription(event.target.value)} />
          </div>
          <div className="input">
            <label htmlFor={origin}>{t("cases.source")}</label>
            <select id={origin} className="choice" value={source} onChange={(event) => setChosen(event.target.value)}>
              {Object.entries(table?.sources ?? {}).map(([key, says]) => (
                <option key={key} value={key}>
                  {say(says)}
                </option>
              ))}
            </select>
          </div>
          <PhotoField label={t("cases.step.optional", { field: t("cases.photo.title") })} value={photos} set={setPhotos} />
          <Fault error={send.error} />
          {!type && <p className="small quiet">{t("cases.needType")}</p>}
          <div className="form-actions">
            <button type="submit" className="button primary" disabled={!type || send.isPending}>
              {send.isPending && <LoaderCircle aria-hidden className="spin" />}
              {t("cases.send")}
            </button>
          </div>
        </div>
        <div className="card stack">
          <PlacePicker label={t("cases.place.pick")} value={place} start={null} pick={(next) => {
              setPlace(next);
              setComponent("");
            }} />
          {near?.area && (
            <p className="small">
              {t("cases.area")} <code>{near.area}</code>
            </p>
          )}
          {near?.rule && <p className="notice warn">{say(near.rule)}</p>}
          {near && near.components.length > 0 && (
            <fieldset className="radios">
              <legend>{t("cases.nearComponents")}</legend>
              {[...near.components, null].map((one) => (
                <label key={one?.code ?? ""} className="radio">
                  <input type="radio" name="component" checked={component === (one?.code ?? "")} onChange={() => setComponent(one?.code ?? "")} />
                  <span>
                    {one ? one.name || say(types?.find((each) => each.kind === "component" && each.code === one.type)?.name) : t("cases.noComponent")}
                    {one && (
                      <span className="small quiet block">
                        <code>{one.code}</code> · {metres(one.metres)}
                      </span>
                    )}
                  </span>
                </label>
              ))}
            </fieldset>
          )}
          {near && near.cases.length > 0 && (
            <section>
              <h2>{t("cases.alike.title", { count: near.cases.length })}</h2>
              <ul className="rows">
                {near.cases.map((one) => (
                  <li key={one.number}>
                    <div>
                      <Link to={`/cases/${one.number}`} target="_blank">
                        {one.number}
                      </Link>{" "}
                      <span className="badge">{say(table?.states.find((state) => state.key === one.state)?.says)}</span>
                      <span className="small quiet">
                        {t("cases.alike.score", { score: share(one.score) })} · {say(one.why)}
                      </span>
                    </div>
                  </li>
                ))}
              </ul>
            </section>
          )}
        </div>
      </form>
    </div>
  );
}
