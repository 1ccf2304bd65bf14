/** The cells in which alarms last, in the colour of the gravest. */
import type { FeatureCollection } from "geojson";
import { useMemo } from "react";
import { token, useLook } from "../app/mode";
import type { State } from "../sense/alarms";
import { type DrawnLayer, GeoJsonLayer } from "./GeoJsonLayer";

/** Cells of about 500 m, and of 2 km where those would be dots. Finer ones are not told to everybody. */
export const alarmLevel = (zoom: number) => (zoom < 10.5 ? 15 : 17);

/** The cell with an alarm at a place. */
export function cellWith(states: State[], lon: number, lat: number): State | undefined {
  return states.find(({ bounds: [west, south, east, north] }) => west <= lon && lon < east && south <= lat && lat < north);
}

export function AlarmCells({ states }: { states: State[] }) {
  const look = useLook();
  const data = useMemo<FeatureCollection>(
    () => ({
      type: "FeatureCollection",
      features: states.map(({ code, severity, bounds: [west, south, east, north] }) => ({
        type: "Feature" as const,
        properties: { code, severity },
        geometry: {
          type: "Polygon" as const,
          coordinates: [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
        },
      })),
    }),
    [states],
  );
  const layers = useMemo<DrawnLayer[]>(() => {
    void look;
    const colour: DrawnLayer["paint"] & unknown = ["match", ["get", "severity"], "alarm", token("--bad"), "warning", token("--warn"), token("--accent")] as never;
    return [
      { id: "alarm-cells", type: "fill", paint: { "fill-color": colour as never, "fill-opacity": 0.5 } },
      { id: "alarm-edges", type: "line", paint: { "line-color": colour as never, "line-width": 2 } },
    ];
  }, [look]);
  return <GeoJsonLayer id="alarms" data={data} layers={layers} />;
}
