/** Colours of layers: one ramp for densities, a few hues for kinds. All readable on their ground. */
import type { Look } from "../app/mode";

export type Rgb = [number, number, number];

/** From few to many: one hue family, lightness in even steps, dark on light ground and light on dark. */
const RAMPS: Record<Look, Rgb[]> = {
  light: [
    [214, 232, 226],
    [166, 211, 207],
    [112, 183, 189],
    [63, 147, 165],
    [29, 106, 136],
    [13, 62, 96],
  ],
  dark: [
    [27, 58, 68],
    [30, 88, 100],
    [41, 122, 131],
    [77, 158, 156],
    [137, 195, 178],
    [216, 234, 205],
  ],
};

const HUES: Record<Look, Rgb[]> = {
  light: [
    [20, 86, 110],
    [166, 84, 28],
    [86, 118, 38],
    [122, 66, 140],
    [150, 108, 0],
    [176, 48, 84],
  ],
  dark: [
    [124, 192, 210],
    [232, 164, 106],
    [166, 200, 110],
    [200, 152, 220],
    [226, 190, 90],
    [240, 140, 166],
  ],
};

export function ramp(look: Look): Rgb[] {
  return RAMPS[look];
}

export function hue(look: Look, number: number): Rgb {
  const hues = HUES[look];
  return hues[number % hues.length]!;
}

export function css([r, g, b]: Rgb, alpha = 1): string {
  return alpha === 1 ? `rgb(${r} ${g} ${b})` : `rgb(${r} ${g} ${b} / ${alpha})`;
}

/** 1, 2 or 5 times a power of ten, the nearest at or below. */
function roundDown(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const digit = value / power;
  return power * (digit >= 5 ? 5 : digit >= 2 ? 2 : 1);
}

/** Five rising round numbers that part the densities into six classes of about equal number of cells. */
export function breaksOf(densities: Float32Array): number[] {
  const sorted = Float32Array.from(densities).sort();
  const found: number[] = [];
  for (let k = 1; k <= 5; k++) {
    const value = sorted[Math.floor((k / 6) * sorted.length)];
    if (value === undefined || !(value > 0)) continue;
    const round = roundDown(value);
    if (found.length === 0 || round > found[found.length - 1]!) found.push(round);
  }
  // Equal numbers collapse where most cells hold one fact; then the upper classes part the tail.
  const top = sorted[sorted.length - 1];
  while (found.length < 5 && top !== undefined && top > 0) {
    const last = found[found.length - 1] ?? roundDown(top) / 32;
    const step = roundDown(last * 2.5);
    if (step > top) break;
    found.push(step);
  }
  return found;
}

export function classOf(value: number, breaks: number[]): number {
  let number = 0;
  while (number < breaks.length && value >= breaks[number]!) number += 1;
  return number;
}

/** The ramp's colours for this many classes, its ends kept. */
export function classColours(look: Look, classes: number): Rgb[] {
  const all = ramp(look);
  if (classes <= 1) return [all[3]!];
  return Array.from({ length: classes }, (_, k) => all[Math.round((k * (all.length - 1)) / (classes - 1))]!);
}
