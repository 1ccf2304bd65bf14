/** A MapLibre map as a React component. What lies on it are its children, which find it by `useMap`. */
import maplibregl, { type LngLatBoundsLike, type Map as MapLibre } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { headersNow } from "../api/client";
import { usePurpose } from "../api/purpose";
import "./map.css";
import { type Ground, groundStyle } from "./style";

const MapContext = createContext<MapLibre | null>(null);

/** The map around this component; children are drawn only once its style is loaded. */
export function useMap(): MapLibre {
  const map = useContext(MapContext);
  if (!map) throw new Error("useMap outside a BaseMap");
  return map;
}

type Props = {
  label: string;
  /** Null while it is not known yet: the map waits for it. */
  ground: Ground | null;
  /** Where the map starts, and returns to; later changes do not move it. */
  bounds?: LngLatBoundsLike;
  padding?: number | maplibregl.PaddingOptions;
  centre?: [number, number];
  zoom?: number;
  maxBounds?: LngLatBoundsLike;
  still?: boolean;
  /** Told when a source's tiles do not come (with the status of the answer, if there was one), or come again. */
  onTrouble?: (source: string, status: number | null | undefined) => void;
  children?: ReactNode;
};

export function BaseMap({ label, ground, bounds, padding = 40, centre, zoom, maxBounds, still, onTrouble, children }: Props) {
  const { t, i18n } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<MapLibre | null>(null);
  const [lost, setLost] = useState(false);
  const [drawn, setDrawn] = useState(false);
  const trouble = useRef(onTrouble);
  trouble.current = onTrouble;

  // The map lives as long as its box; a new ground (another look, another city) makes a new map.
  // biome-ignore lint: the view it starts from is read once
  useEffect(() => {
    if (!box.current || !ground) return;
    let made: MapLibre;
    try {
      made = new maplibregl.Map({
        container: box.current,
        style: groundStyle(ground),
        // Tiles of the city are asked for as everything else is; a city's map service hears nothing of it.
        transformRequest: (url) => (url.startsWith(`${location.origin}/api/`) ? { url, headers: headersNow() } : { url }),
        ...(centre ? { center: centre, zoom: zoom ?? 10 } : bounds ? { bounds, fitBoundsOptions: { padding } } : {}),
        maxBounds,
        attributionControl: false,
        dragRotate: false,
        pitchWithRotate: false,
        touchPitch: false,
        fadeDuration: 0,
        interactive: !still,
        locale: {
          "Map.Title": label,
          "NavigationControl.ZoomIn": t("map.zoomIn"),
          "NavigationControl.ZoomOut": t("map.zoomOut"),
          "ScaleControl.Meters": t("map.metres"),
          "ScaleControl.Kilometers": t("map.kilometres"),
        },
      });
    } catch {
      setLost(true);
      return;
    }
    made.touchZoomRotate.disableRotation();
    made.keyboard.disableRotation();
    if (!still) made.addControl(new maplibregl.NavigationControl({ showCompass: false }), "bottom-right");
    made.addControl(new maplibregl.ScaleControl({ maxWidth: 96 }), "bottom-left");
    const ready = () => setMap(made);
    made.on("idle", () => setDrawn(true));
    made.on("dataloading", () => setDrawn(false));
    made.on("error", (event) => {
      const { sourceId, error } = event as { sourceId?: string; error: Error & { status?: number } };
      if (sourceId && trouble.current) trouble.current(sourceId, error.status ?? null);
      else console.error(error);
      made.triggerRepaint(); // a tile that failed draws nothing, and only a drawing can tell that all is done
    });
    made.on("data", (event) => {
      const { sourceId, tile } = event as { sourceId?: string; tile?: unknown };
      if (sourceId && tile) trouble.current?.(sourceId, undefined);
    });
    if (made.isStyleLoaded()) ready();
    else made.once("style.load", ready);
    return () => {
      setMap(null);
      made.remove();
    };
  }, [ground, i18n.language, label]);

  const purpose = usePurpose();
  const drawnFor = useRef(purpose);
  useEffect(() => {
    if (!map || drawnFor.current === purpose) return;
    drawnFor.current = purpose;
    for (const [id, { type, ...rest }] of Object.entries(map.getStyle().sources)) {
      const source = map.getSource(id);
      if (type === "vector" && "tiles" in rest && rest.tiles && source instanceof maplibregl.VectorTileSource) source.setTiles(rest.tiles);
    }
  }, [map, purpose]);

  return (
    <div className="map" data-drawn={drawn}>
      <div ref={box} className="map-box" />
      {lost && <p className="map-lost">{t("map.lost")}</p>}
      {map && <MapContext.Provider value={map}>{children}</MapContext.Provider>}
    </div>
  );
}
