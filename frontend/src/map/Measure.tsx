/** Measures a way and the area it encloses: each click on the map adds a point. */
import type { FeatureCollection } from "geojson";
import type { MapMouseEvent } from "maplibre-gl";
import { Undo2, X } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { createPortal } from "react-dom";
import { useTranslation } from "react-i18next";
import { token, useLook } from "../app/mode";
import { metres, squareMetres } from "../words";
import { useMap } from "./BaseMap";
import { type DrawnLayer, GeoJsonLayer } from "./GeoJsonLayer";
import { area, length } from "./geodesy";

export function Measure({ box, close }: { box: HTMLElement; close: () => void }) {
  const { t } = useTranslation();
  const map = useMap();
  const look = useLook();
  const [points, setPoints] = useState<[number, number][]>([]);

  useEffect(() => {
    const add = (event: MapMouseEvent) => setPoints((before) => [...before, [event.lngLat.lng, event.lngLat.lat]]);
    map.on("click", add);
    map.getCanvas().style.cursor = "crosshair";
    return () => {
      map.off("click", add);
      map.getCanvas().style.cursor = "";
    };
  }, [map]);

  const data = useMemo<FeatureCollection>(
    () => ({
      type: "FeatureCollection",
      features: [
        ...(points.length > 2
          ? [{ type: "Feature" as const, properties: {}, geometry: { type: "Polygon" as const, coordinates: [[...points, points[0]!]] } }]
          : []),
        ...(points.length > 1
          ? [{ type: "Feature" as const, properties: {}, geometry: { type: "LineString" as const, coordinates: points } }]
          : []),
        ...points.map((point) => ({ type: "Feature" as const, properties: {}, geometry: { type: "Point" as const, coordinates: point } })),
      ],
    }),
    [points],
  );
  const layers = useMemo<DrawnLayer[]>(() => {
    void look;
    const colour = token("--weft");
    return [
      { id: "measure-area", type: "fill", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": colour, "fill-opacity": 0.12 } },
      { id: "measure-line", type: "line", filter: ["==", ["geometry-type"], "LineString"], paint: { "line-color": colour, "line-width": 2.5 } },
      {
        id: "measure-points",
        type: "circle",
        filter: ["==", ["geometry-type"], "Point"],
        paint: { "circle-color": token("--surface"), "circle-stroke-color": colour, "circle-stroke-width": 2, "circle-radius": 4 },
      },
    ];
  }, [look]);

  return (
    <>
      <GeoJsonLayer id="measure" data={data} layers={layers} />
      {createPortal(
        <section className="measure" aria-label={t("map.measure")}>
          <p className="small" role="status">
            {points.length < 2 ? (
              t("map.measureHint")
            ) : (
              <>
                <b>{metres(length(points))}</b>
                {points.length > 2 && ` · ${squareMetres(area(points))}`}
              </>
            )}
          </p>
          <button
            type="button"
            className="icon-button"
            disabled={!points.length}
            aria-label={t("map.undo")}
            onClick={() => setPoints(points.slice(0, -1))}
          >
            <Undo2 aria-hidden />
          </button>
          <button type="button" className="icon-button" aria-label={t("map.close")} onClick={close}>
            <X aria-hidden />
          </button>
        </section>,
        box,
      )}
    </>
  );
}
