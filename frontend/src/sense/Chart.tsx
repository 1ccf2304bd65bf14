/** Lines over time, drawn as SVG: few points, gaps as gaps, read by pointer and keyboard. */
import { useId, useMemo, useRef, useState } from "react";

export type Line = { name: string; points: { x: number; y: number | null }[] };

type Props = {
  lines: Line[];
  label: string;
  xText: (x: number) => string;
  /** Shorter, for the axis. */
  xTick: (x: number) => string;
  yText: (y: number) => string;
};

const WIDTH = 960;
const HEIGHT = 320;
const LEFT = 64;
/** How wide a digit of the axis is at most, where the text is drawn larger because the chart is small. */
const DIGIT = 15;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 30;
const INKS = ["--accent", "--weft", "--good", "--bad", "--warn", "--ink-3", "--accent-strong"];

/** Round numbers between two values, about `wanted` of them. */
export function ticks(low: number, high: number, wanted: number): number[] {
  const raw = (high - low) / wanted;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((one) => one * size).find((one) => one >= raw) ?? raw;
  const found: number[] = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) found.push(Number(at.toPrecision(12)));
  return found;
}

export function Chart({ lines, label, xText, xTick, yText }: Props) {
  const box = useRef<SVGSVGElement>(null);
  const [at, setAt] = useState<number | null>(null);
  const id = useId();
  const all = useMemo(() => lines.flatMap((line) => line.points), [lines]);
  const scale = useMemo(() => {
    const xs = all.map((one) => one.x);
    const ys = all.flatMap((one) => (one.y === null ? [] : [one.y]));
    const first = xs.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
    const last = xs.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    let low = ys.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
    let high = ys.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    if (low === high) [low, high] = [low - 1, high + 1];
    const pad = (high - low) * 0.06;
    return { first, last: last === first ? first + 1 : last, low: low - pad, high: high + pad };
  }, [all]);
  const marks = useMemo(() => ticks(scale.low, scale.high, 5).map((y) => ({ y, text: String(Number(y.toPrecision(6))) })), [scale]);
  const left = Math.max(LEFT, 16 + DIGIT * Math.max(...marks.map((one) => one.text.length)));
  const px = (x: number) => left + ((x - scale.first) / (scale.last - scale.first)) * (WIDTH - left - RIGHT);
  const py = (y: number) => TOP + (1 - (y - scale.low) / (scale.high - scale.low)) * (HEIGHT - TOP - BOTTOM);

  const path = (line: Line) => {
    let pen = false;
    let drawn = "";
    for (const { x, y } of line.points) {
      if (y === null) {
        pen = false;
        continue;
      }
      drawn += `${pen ? "L" : "M"}${px(x).toFixed(1)} ${py(y).toFixed(1)}`;
      pen = true;
    }
    return drawn;
  };
  /** Points with a gap on both sides make no line: they are dots. */
  const alone = (line: Line) =>
    line.points.filter(
      ({ y }, index) => y !== null && (line.points[index - 1]?.y ?? null) === null && (line.points[index + 1]?.y ?? null) === null,
    );

  const known = useMemo(() => [...new Set(all.filter((one) => one.y !== null).map((one) => one.x))].sort((a, b) => a - b), [all]);
  const near = (x: number) => known.reduce((best, one) => (Math.abs(one - x) < Math.abs(best - x) ? one : best), known[0] ?? 0);
  const point = (clientX: number) => {
    const edge = box.current?.getBoundingClientRect();
    if (!edge || known.length === 0) return;
    const inside = ((clientX - edge.left) / edge.width) * WIDTH;
    setAt(near(scale.first + ((inside - left) / (WIDTH - left - RIGHT)) * (scale.last - scale.first)));
  };
  const step = (by: number) => {
    const place = at === null ? (by > 0 ? -1 : known.length) : known.indexOf(at);
    setAt(known[Math.max(0, Math.min(known.length - 1, place + by))] ?? null);
  };
  const here = at === null ? [] : lines.flatMap((line, index) => {
    const found = line.points.find((one) => one.x === at && one.y !== null);
    return found ? [{ index, name: line.name, y: found.y as number }] : [];
  });
  const xs = Array.from({ length: 6 }, (_, index) => scale.first + ((scale.last - scale.first) * index) / 5);

  return (
    <figure className="chart">
      <svg
        ref={box}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={label}
        aria-describedby={id}
        tabIndex={0}
        onPointerMove={(event) => point(event.clientX)}
        onPointerDown={(event) => point(event.clientX)}
        onPointerLeave={() => setAt(null)}
        onKeyDown={(event) => {
          const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
          if (by) {
            event.preventDefault();
            step(by);
          } else if (event.key === "Escape") setAt(null);
        }}
      >
        {marks.map(({ y, text }) => (
          <g key={y}>
            <line className="chart-rule" x1={left} x2={WIDTH - RIGHT} y1={py(y)} y2={py(y)} />
            <text className="chart-text" x={left - 8} y={py(y)} textAnchor="end" dominantBaseline="middle">
              {text}
            </text>
          </g>
        ))}
        {xs.map((x, index) => (
          <text
            key={index}
            className="chart-text"
            x={px(x)}
            y={HEIGHT - 8}
            textAnchor={index === 0 ? "start" : index === xs.length - 1 ? "end" : "middle"}
          >
            {xTick(x)}
          </text>
        ))}
        {lines.map((line, index) => (
          <g key={line.name} style={{ color: `var(${INKS[index % INKS.length]})` }}>
            <path className="chart-line" d={path(line)} strokeDasharray={index < 3 ? undefined : `${12 - 2 * index} 4`} />
            {alone(line).map((one) => (
              <circle key={one.x} cx={px(one.x)} cy={py(one.y as number)} r={2.5} fill="currentColor" />
            ))}
          </g>
        ))}
        {at !== null && (
          <>
            <line className="chart-hair" x1={px(at)} x2={px(at)} y1={TOP} y2={HEIGHT - BOTTOM} />
            {here.map((one) => (
              <circle key={one.index} cx={px(at)} cy={py(one.y)} r={4} fill={`var(${INKS[one.index % INKS.length]})`} />
            ))}
          </>
        )}
      </svg>
      <figcaption id={id} className="chart-said small" aria-live="polite">
        {at !== null && <b>{xText(at)}</b>}
        {(at !== null ? here : lines.length > 1 ? lines.map((line, index) => ({ index, name: line.name, y: null })) : []).map((one) => (
          <span key={one.index} className="chart-key" style={{ color: `var(${INKS[one.index % INKS.length]})` }}>
            <i aria-hidden />
            <span>
              {lines.length > 1 && `${one.name} `}
              {one.y !== null && yText(one.y)}
            </span>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

/** A line without axes, as large as a word. */
export function Spark({ values, label }: { values: (number | null)[]; label: string }) {
  const known = values.filter((one): one is number => one !== null);
  if (known.length < 2) return null;
  const low = Math.min(...known);
  const range = Math.max(...known) - low || 1;
  let drawn = "";
  let pen = false;
  values.forEach((value, index) => {
    if (value === null) pen = false;
    else {
      drawn += `${pen ? "L" : "M"}${((index / (values.length - 1)) * 96 + 2).toFixed(1)} ${(22 - ((value - low) / range) * 20).toFixed(1)}`;
      pen = true;
    }
  });
  return (
    <svg className="spark" viewBox="0 0 100 24" role="img" aria-label={label}>
      <path className="chart-line" d={drawn} />
    </svg>
  );
}
