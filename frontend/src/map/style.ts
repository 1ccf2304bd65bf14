/** The map's ground: colours from the design tokens, labels from the reader's own fonts, nothing from outside. */
import type { LayerSpecification, SourceSpecification, StyleSpecification } from "maplibre-gl";
import { token } from "../app/mode";

/** MapLibre draws every glyph from these system fonts, because the style names no glyph server. */
export const LABEL_FONTS = ["PingFang SC", "HarmonyOS Sans SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif"];

export type Ground = { sources: Record<string, SourceSpecification>; layers: LayerSpecification[] };

export function groundStyle(ground: Ground): StyleSpecification {
  return {
    version: 8,
    sources: ground.sources,
    layers: [
      { id: "outside", type: "background", paint: { "background-color": token("--map-outside") } },
      ...ground.layers,
    ],
  };
}
