/** A place picked on the map: by a click, or by keyboard at the middle of the map, or typed in degrees. */
import type { FeatureCollection } from "geojson";
import { Crosshair } from "lucide-react";
import { useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useCity } from "../api/questions";
import { token, useLook } from "../app/mode";
import { BaseMap, useMap } from "../map/BaseMap";
import { type DrawnLayer, GeoJsonLayer } from "../map/GeoJsonLayer";
import { useGround } from "../map/ground";

export type Place = [lon: number, lat: number];

const round = (degrees: number) => Math.round(degrees * 1e7) / 1e7;

export function PlacePicker({ label, value, start, pick }: {
  label: string;
  value: Place | null;
  /** Where the map begins, if nothing is picked yet. */
  start: Place | null;
  pick: (place: Place | null) => void;
}) {
  const { t } = useTranslation();
  const ground = useGround();
  const bounds = useCity().data?.bounds ?? undefined;
  const first = useRef(value ?? start);
  const typed = (at: 0 | 1, text: string) => {
    const number = Number(text);
    if (text === "" || !Number.isFinite(number)) return;
    const next: Place = value ? [...value] : [bounds?.[0] ?? 0, bounds?.[1] ?? 0];
    next[at] = number;
    pick(next);
  };
  return (
    <fieldset className="place-picker">
      <legend>{label}</legend>
      <div className="place-map">
        <BaseMap
          label={t("cases.place.map")}
          ground={bounds === undefined ? null : ground}
          {...(first.current ? { centre: first.current, zoom: 16 } : { bounds })}
        >
          <Pin place={value} other={start} pick={pick} />
        </BaseMap>
      </div>
      <div className="place-tools">
        <label>
          <span className="small quiet">{t("cases.place.lon")}</span>
          <input
            className="field number"
            inputMode="decimal"
            key={`lon-${value?.[0] ?? ""}`}
            defaultValue={value?.[0] ?? ""}
            onBlur={(event) => typed(0, event.target.value)}
          />
        </label>
        <label>
          <span className="small quiet">{t("cases.place.lat")}</span>
          <input
            className="field number"
            inputMode="decimal"
            key={`lat-${value?.[1] ?? ""}`}
            defaultValue={value?.[1] ?? ""}
            onBlur={(event) => typed(1, event.target.value)}
          />
        </label>
      </div>
    </fieldset>
  );
}

function Pin({ place, other, pick }: { place: Place | null; other: Place | null; pick: (place: Place) => void }) {
  const { t } = useTranslation();
  const map = useMap();
  const look = useLook();
  const newest = useRef(pick);
  newest.current = pick;

  useEffect(() => {
    const click = (event: { lngLat: { lng: number; lat: number } }) =>
      newest.current([round(event.lngLat.lng), round(event.lngLat.lat)]);
    map.on("click", click);
    map.getCanvas().style.cursor = "crosshair";
    return () => {
      map.off("click", click);
    };
  }, [map]);

  const data = useMemo<FeatureCollection>(
    () => ({
      type: "FeatureCollection",
      features: [
        ...(other ? [{ type: "Feature" as const, properties: { is: "other" }, geometry: { type: "Point" as const, coordinates: other } }] : []),
        ...(place ? [{ type: "Feature" as const, properties: { is: "place" }, geometry: { type: "Point" as const, coordinates: place } }] : []),
      ],
    }),
    [place, other],
  );
  const layers = useMemo<DrawnLayer[]>(() => {
    void look;
    return [
      {
        id: "place-pin",
        type: "circle",
        paint: {
          "circle-radius": ["match", ["get", "is"], "place", 8, 5],
          "circle-color": ["match", ["get", "is"], "place", token("--weft"), token("--line-strong")],
          "circle-stroke-color": token("--map-halo"),
          "circle-stroke-width": 2.5,
        },
      },
    ];
  }, [look]);
  return (
    <>
      <GeoJsonLayer id="place" data={data} layers={layers} />
      <button
        type="button"
        className="button place-centre"
        onClick={() => {
          const { lng, lat } = map.getCenter();
          newest.current([round(lng), round(lat)]);
        }}
      >
        <Crosshair aria-hidden />
        {t("cases.place.centre")}
      </button>
    </>
  );
}
