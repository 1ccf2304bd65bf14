/** A place in words: addresses by the city's table, names of places, or a click on the map. */
import { useQuery } from "@tanstack/react-query";
import { MapPin } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../api/client";
import type { Hit } from "../api/types";
import { type Place, PlacePicker } from "../cases/PlacePicker";
import { say } from "../words";
import { useSettled } from "./questions";

type Found = { title: string; note: string; place: Place };

/** Addresses and names of places by the city's one search; where a name has only an outline, its middle. */
async function find(text: string, signal: AbortSignal): Promise<Found[]> {
  const answer = await askJson<{ hits: Hit[] }>("/api/search", { query: { q: text }, signal });
  return answer.hits.flatMap((hit) => {
    const place = hit.centre ?? (hit.bounds && [(hit.bounds[0] + hit.bounds[2]) / 2, (hit.bounds[1] + hit.bounds[3]) / 2]);
    return place ? [{ title: hit.title, note: say(hit.dataset_title), place: [place[0], place[1]] as Place }] : [];
  });
}

export function PlaceField({ place, pick }: { place: Place | null; pick: (place: Place | null) => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const [looked, setLooked] = useState<Place | null>(null);
  const [map, setMap] = useState(false);
  const asked = useSettled(text.trim());
  const found = useQuery({
    queryKey: ["hotline", "place", asked],
    queryFn: ({ signal }) => find(asked, signal),
    enabled: asked.length > 1,
  });
  const hits = asked.length > 1 ? (found.data ?? []) : [];
  const take = (one: Found | undefined) => {
    if (!one) return;
    setText(one.title);
    setOpen(false);
    setLooked(one.place);
    pick(one.place);
  };
  return (
    <div className="input">
      <label htmlFor="hotline-place">{t("hotline.desk.place")}</label>
      <div className="picker" onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setOpen(false)}>
        <div className="field">
          <MapPin aria-hidden />
          <input
            id="hotline-place"
            role="combobox"
            aria-expanded={open && hits.length > 0}
            aria-controls="hotline-place-list"
            aria-autocomplete="list"
            aria-activedescendant={open && hits.length ? `hotline-place-${active}` : undefined}
            autoComplete="off"
            maxLength={120}
            placeholder={t("hotline.desk.placeHint")}
            value={text}
            onChange={(event) => {
              setText(event.target.value);
              setActive(0);
              setOpen(true);
              if (!event.target.value) pick(null);
            }}
            onKeyDown={(event) => {
              if (event.key === "ArrowDown" || event.key === "ArrowUp") {
                event.preventDefault();
                setOpen(true);
                setActive((active + (event.key === "ArrowDown" ? 1 : hits.length - 1)) % Math.max(1, hits.length));
              } else if (event.key === "Enter" && open && hits.length && !event.ctrlKey && !event.metaKey) {
                event.preventDefault();
                take(hits[active]);
              } else if (event.key === "Escape") setOpen(false);
            }}
          />
        </div>
        {open && hits.length > 0 && (
          <ul id="hotline-place-list" role="listbox" aria-label={t("hotline.desk.place")} className="picker-list">
            {hits.map((one, index) => (
              <li key={`${one.title}${one.place.join()}`} id={`hotline-place-${index}`} role="option" aria-selected={index === active} onPointerDown={(event) => {
                event.preventDefault();
                take(one);
              }}>
                <span>{one.title}</span>
                <span className="small quiet">{one.note}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
      {open && asked.length > 1 && found.isSuccess && hits.length === 0 && <p className="small quiet" role="status">{t("hotline.desk.placeNone")}</p>}
      <details className="filter-more" open={map || place !== null} onToggle={(event) => setMap(event.currentTarget.open)}>
        <summary>{t("hotline.desk.placeMap")}</summary>
        {(map || place) && <PlacePicker key={looked?.join() ?? ""} label={t("hotline.desk.place")} value={place} start={null} pick={pick} />}
      </details>
    </div>
  );
}
