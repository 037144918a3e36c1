import type { Accuracy, Report, ReportRow, TargetName } from "@pare/runtime/format";
import {
  baselineTime,
  bytes,
  digits,
  fromTo,
  isTimed,
  metricValue,
  signed,
  targetText,
} from "./figures.js";
import { html, type Markup } from "./markup.js";

interface Point {
  readonly name: string;
  readonly kind: "float" | "chosen" | "rejected";
  /** Its row in the table of candidates; 0 for the float model. */
  readonly number: number;
  readonly size: number;
  /** Over the float model's in the same run. */
  readonly latency: number | null;
  readonly time: string;
  readonly accuracy: Accuracy | null;
}

const width = 380;
const height = 258;
const left = 52;
const right = 18;
const top = 10;
const bottom = 26;
const radius = 5;
/** Around what was chosen. */
const ring = 9;

/** A panel per target: download size against latency, or against the drop where nothing is timed. Lower left is better. */
export function plots(report: Report): Markup | null {
  const targets = [
    ...new Set([
      ...report.variants.map(({ target }) => target),
      ...report.candidates.map(({ target }) => target),
    ]),
  ];
  const panels = targets.map((target) => panel(report, target)).filter((each) => each !== null);
  if (panels.length === 0) return null;
  return html`<div class="plots">${panels}</div>
    ${legend()}`;
}

/** Numbers of a target's candidates, as the table counts them. */
export function numbered(
  report: Report,
  target: TargetName,
): { readonly number: number; readonly candidate: Report["candidates"][number] }[] {
  return report.candidates
    .filter((candidate) => candidate.target === target)
    .map((candidate, index) => ({ number: index + 1, candidate }));
}

function pointsOf(report: Report, target: TargetName): Point[] {
  const variant = report.variants.find((each) => each.target === target);
  const of = (
    row: Pick<ReportRow, "sizeBytes" | "latencyMs" | "accuracy">,
    name: string,
    kind: Point["kind"],
    number: number,
  ): Point => ({
    name,
    kind,
    number,
    size: row.sizeBytes.brotli,
    latency: isTimed(row.latencyMs) ? (row.latencyMs.ratio ?? 1) : null,
    time: fromTo(row.latencyMs),
    accuracy: row.accuracy,
  });
  const { baseline = null } = variant ?? {};
  const points =
    variant && baseline
      ? [
          {
            ...of(baseline, "float model", "float", 0),
            time: baselineTime(variant.latencyMs, baseline.latencyMs),
          },
        ]
      : [];
  const candidates = numbered(report, target);
  for (const { number, candidate } of candidates) {
    if (candidate.measurement && candidate.verdict === "rejected")
      points.push(of(candidate.measurement, candidate.name, "rejected", number));
  }
  const chosen = candidates.find(({ candidate }) => candidate.verdict === "chosen");
  if (variant) points.push(of(variant, variant.name, "chosen", chosen?.number ?? 1));
  return points;
}

/** Against the float model on the same samples: what was measured on other samples can stand beside it. */
function dropOf({ kind, accuracy }: Point): number | null {
  return kind === "float" ? 0 : (accuracy?.drop ?? null);
}

function panel(report: Report, target: TargetName): Markup | null {
  const all = pointsOf(report, target);
  const timed = all.some(({ latency }) => latency !== null);
  const value = (point: Point): number | null => (timed ? point.latency : dropOf(point));
  const points = all.filter((point) => value(point) !== null);
  if (points.length === 0) return null;
  const ys = points.map((point) => value(point) ?? 0);
  const metric = points.find(({ accuracy }) => accuracy)?.accuracy?.metric ?? "";
  const x = scale(0, Math.max(...points.map(({ size }) => size)) * 1.08, left, width - right);
  const y = timed
    ? scale(0, Math.max(...ys) * 1.18, height - bottom, top)
    : scale(...around(ys), height - bottom, top);
  const placed = place(
    points.map((point) => ({ point, x: x.at(point.size), y: y.at(value(point) ?? 0) })),
  );
  const note = timed
    ? "latency, float model = 1, over size after brotli"
    : `not timed; drop of ${metric}, float model = 0, over size after brotli`;
  return html`<figure class="plot" style="margin:0">
    <h3>${targetText(target)}</h3>
    <div class="soft small">${note}</div>
    <svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${`${target}: ${note}`}">
      ${y.ticks.map((tick) => html`<line class="grid" x1="${left}" x2="${width - right}" y1="${y.at(tick)}" y2="${y.at(tick)}" /><text x="${left - 8}" y="${y.at(tick) + 4}" text-anchor="end">${timed ? digits(tick) : metricValue(tick)}</text>`)}
      ${x.ticks.map((tick) => html`<text x="${x.at(tick)}" y="${height - bottom + 16}" text-anchor="middle">${bytes(tick)}</text>`)}
      <line
        class="axis"
        x1="${left}"
        x2="${width - right}"
        y1="${height - bottom}"
        y2="${height - bottom}"
      />
      ${path(placed)}${[...placed].reverse().map(draw)}
    </svg>
  </figure>`;
}

interface Scale {
  at(value: number): number;
  readonly ticks: readonly number[];
}

function scale(from: number, to: number, start: number, end: number): Scale {
  const span = to - from || 1;
  const raw = span / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((each) => each * power >= raw) ?? 10) * power;
  const ticks: number[] = [];
  for (let index = Math.ceil(from / step); index * step <= to + step / 1e6; index++)
    ticks.push(index * step);
  return {
    ticks,
    at: (value) => Math.round((start + ((value - from) / span) * (end - start)) * 10) / 10,
  };
}

function around(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = Math.max((high - low) * 0.15, Math.abs(high) * 0.002, 1e-6);
  return [low - margin, high + margin];
}

interface Placed {
  readonly point: Point;
  readonly x: number;
  readonly y: number;
  /** Where its number stands. */
  readonly numberX: number;
  readonly numberY: number;
}

/** Around a marker, nearest first: above, below, and then further away. */
const aside = [1, 1.6, 2.3, 3].flatMap((far) =>
  [-90, 90, -45, -135, 45, 135, 0, 180].map((degrees) => ({
    dx: Math.cos((degrees * Math.PI) / 180) * far * 15,
    dy: Math.sin((degrees * Math.PI) / 180) * far * 15,
  })),
);

/** Every marker stands where it belongs; a number that would cover something moves aside, with a line to its marker. */
function place(points: readonly { point: Point; x: number; y: number }[]): Placed[] {
  const taken = points.map(({ x, y, point }) => ({
    x,
    y,
    clear: point.kind === "chosen" ? ring + 6 : radius + 6,
  }));
  return points.map((each) => {
    const isFree = ({ dx, dy }: { dx: number; dy: number }): boolean => {
      const [x, y] = [each.x + dx, each.y + dy];
      return (
        x > left + 6 &&
        x < width - 6 &&
        y > top + 4 &&
        y < height - bottom - 4 &&
        taken.every((other) => Math.hypot(other.x - x, other.y - y) >= other.clear)
      );
    };
    const { dx, dy } = aside.find(isFree) ?? { dx: 0, dy: -15 };
    const placed = { ...each, numberX: rounded(each.x + dx), numberY: rounded(each.y + dy) };
    taken.push({ x: placed.numberX, y: placed.numberY, clear: 13 });
    return placed;
  });
}

const rounded = (value: number): number => Math.round(value * 10) / 10;

function path(placed: readonly Placed[]): Markup | null {
  const float = placed.find(({ point }) => point.kind === "float");
  const chosen = placed.find(({ point }) => point.kind === "chosen");
  return float && chosen
    ? html`<path class="path" d="M${float.x} ${float.y}L${chosen.x} ${chosen.y}" />`
    : null;
}

function draw({ point, x, y, numberX, numberY }: Placed): Markup {
  const { kind, number, accuracy } = point;
  const change =
    accuracy?.drop !== null && accuracy?.drop !== undefined
      ? ` (${signed((accuracy.direction === "higher" ? -1 : 1) * accuracy.drop)})`
      : "";
  const about = [
    point.name,
    bytes(point.size),
    point.time,
    accuracy
      ? `${accuracy.metric} ${metricValue(accuracy.value)}${change} on ${accuracy.n} samples`
      : "accuracy not measured",
  ].join("\n");
  const isFar = Math.hypot(numberX - x, numberY - y) > 20;
  const leader = isFar
    ? html`<line class="leader" x1="${x}" y1="${y}" x2="${numberX}" y2="${numberY}" />`
    : null;
  const text = html`<text
    class="${kind === "rejected" ? "label" : "strong label"}"
    x="${numberX}"
    y="${numberY + 4}"
    >${kind === "float" ? "float" : number}</text
  >`;
  if (kind === "float") {
    return html`<g
      ><title>${about}</title>${leader}<rect
        x="${x - radius}"
        y="${y - radius}"
        width="${2 * radius}"
        height="${2 * radius}"
        rx="2"
        fill="var(--card)"
        stroke="var(--ink)"
        stroke-width="2"
      />${text}</g
    >`;
  }
  const circle =
    kind === "rejected"
      ? null
      : html`<circle
          cx="${x}"
          cy="${y}"
          r="${ring}"
          fill="none"
          stroke="${colour(accuracy)}"
          stroke-width="2"
        />`;
  return html`<g
    ><title>${about}</title>${leader}${circle}<circle
      cx="${x}"
      cy="${y}"
      r="${radius}"
      fill="${colour(accuracy)}"
      stroke="var(--card)"
    />${text}</g
  >`;
}

const shades = [
  { upTo: 0.001, colour: "var(--d0)", text: "at most 0.1 % worse" },
  { upTo: 0.005, colour: "var(--d1)", text: "0.5 %" },
  { upTo: 0.01, colour: "var(--d2)", text: "1 %" },
  { upTo: 0.05, colour: "var(--d3)", text: "5 %" },
  { upTo: Infinity, colour: "var(--d4)", text: "more" },
] as const;

/** By how much of its own value the metric got worse. */
function colour(accuracy: Accuracy | null): string {
  if (!accuracy || accuracy.drop === null) return "var(--none)";
  const before = Math.abs(
    accuracy.value + (accuracy.direction === "higher" ? accuracy.drop : -accuracy.drop),
  );
  const share = accuracy.drop / Math.max(before, 1e-12);
  return shades.find(({ upTo }) => share <= upTo)?.colour ?? "var(--none)";
}

function shade({ colour, text }: { readonly colour: string; readonly text: string }): Markup {
  return html`<span><i class="dot" style="background:${colour}"></i>${text}</span>`;
}

function legend(): Markup {
  return html`<div class="legend">
    <span>□ float model</span><span>◎ chosen</span
    ><span>numbers: see Candidates</span
    >${shades.map(shade)}${shade({ colour: "var(--none)", text: "accuracy not measured" })}
  </div>`;
}
