import type { Accuracy, Report, ReportRow, TargetName } from "@pare/runtime/format";
import { bytes, digits, fromTo, isTimed, metricValue, signed, targetText } from "./figures.js";
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
const radius = 8;

/** A panel per target: download size against latency, the change of accuracy as colour. Lower left is better. */
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
  const points = variant?.baseline ? [of(variant.baseline, "float model", "float", 0)] : [];
  const candidates = numbered(report, target);
  for (const { number, candidate } of candidates) {
    if (candidate.measurement && candidate.verdict === "rejected")
      points.push(of(candidate.measurement, candidate.name, "rejected", number));
  }
  const chosen = candidates.find(({ candidate }) => candidate.verdict === "chosen");
  if (variant) points.push(of(variant, variant.name, "chosen", chosen?.number ?? 1));
  return points;
}

function panel(report: Report, target: TargetName): Markup | null {
  const all = pointsOf(report, target);
  const timed = all.some(({ latency }) => latency !== null);
  const value = (point: Point): number | null =>
    timed ? point.latency : (point.accuracy?.value ?? null);
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
    : `not timed; ${metric}, over size after brotli`;
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
  readonly shownX: number;
}

/** Points that would cover one another move aside, with a line to where they belong; the chosen one stays. */
function place(points: readonly { point: Point; x: number; y: number }[]): Placed[] {
  const placed: Placed[] = [];
  const first = [...points].sort(
    (a, b) => Number(b.point.kind !== "rejected") - Number(a.point.kind !== "rejected"),
  );
  for (const each of first) {
    const free = (at: number) =>
      placed.every((other) => Math.hypot(other.shownX - at, other.y - each.y) >= radius * 2.1);
    let shownX = each.x;
    for (let tries = 1; !free(shownX) && tries < 12; tries++) {
      const aside = Math.ceil(tries / 2) * radius * 2.2 * (tries % 2 ? 1 : -1);
      if (each.x + aside > left && each.x + aside < width - radius) shownX = each.x + aside;
    }
    placed.push({ ...each, shownX });
  }
  return placed;
}

function path(placed: readonly Placed[]): Markup | null {
  const float = placed.find(({ point }) => point.kind === "float");
  const chosen = placed.find(({ point }) => point.kind === "chosen");
  return float && chosen
    ? html`<path class="path" d="M${float.shownX} ${float.y}L${chosen.shownX} ${chosen.y}" />`
    : null;
}

function draw({ point, x, y, shownX }: Placed): Markup {
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
      ? `${accuracy.metric} ${metricValue(accuracy.value)}${change}`
      : "accuracy not measured",
  ].join("\n");
  const leader =
    shownX === x
      ? null
      : html`<line class="leader" x1="${x}" y1="${y}" x2="${shownX}" y2="${y}" /><circle
            cx="${x}"
            cy="${y}"
            r="1.5"
            fill="var(--soft)"
          />`;
  const label = accuracy ? metricValue(accuracy.value) : "";
  const anchor = shownX > width - 60 ? "end" : "middle";
  const text = html`<text
    class="strong"
    x="${anchor === "end" ? width - right + 8 : shownX}"
    y="${kind === "float" ? y - 13 : y + radius + 17}"
    text-anchor="${anchor}"
    >${kind === "float" ? `float ${label}` : label}</text
  >`;
  if (kind === "float") {
    return html`<g
      ><title>${about}</title>${leader}<rect
        x="${shownX - 6.5}"
        y="${y - 6.5}"
        width="13"
        height="13"
        rx="2"
        fill="var(--card)"
        stroke="var(--ink)"
        stroke-width="2"
      />${text}</g
    >`;
  }
  const dot = html`<circle
      cx="${shownX}"
      cy="${y}"
      r="${radius}"
      fill="${colour(accuracy)}"
      ${kind === "rejected" ? html`opacity="0.85"` : null}
    /><text class="inside" x="${shownX}" y="${y + 3.5}">${number}</text>`;
  if (kind === "rejected") return html`<g><title>${about}</title>${leader}${dot}</g>`;
  return html`<g
    ><title>${about}</title>${leader}<circle
      cx="${shownX}"
      cy="${y}"
      r="${radius + 4}"
      fill="none"
      stroke="${colour(accuracy)}"
      stroke-width="2"
    />${dot}${text}</g
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
