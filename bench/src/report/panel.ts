import type { Interval } from "@pare/runtime/format";
import { type Axis, axis, rounded } from "./axis.js";
import { bytes, digits, metricValue } from "./figures.js";
import { columns, rows } from "./grid.js";
import { html, type Markup } from "./markup.js";

export interface Figure {
  readonly value: number;
  readonly interval: Interval | null;
}

/** A model as a plot shows it. */
export interface Point {
  readonly name: string;
  readonly kind: "float" | "chosen" | "rejected";
  /** What stands beside its marker. */
  readonly mark: string;
  /** Bytes after brotli. */
  readonly size: Figure;
  /** Over the float model's; null where it was not timed. */
  readonly latency: Figure | null;
  /** Of the metric, in its own unit, against the float model; null where it was not measured. */
  readonly drop: Figure | null;
  /** Shown when it is pointed at. */
  readonly about: string;
}

export type Horizontal = "size" | "latency";

const width = 270;
const sides = { left: 58, right: width - 12 };
const top = 24;
const plotHeight = 168;
/** What was not measured stands below the axis, where nothing says how far it dropped. */
const laneHeight = 26;
const bottom = 40;
const radius = 4.5;
/** Around what was chosen. */
const ring = 8.5;

interface Placed {
  readonly point: Point;
  readonly across: Figure;
  readonly x: number;
  readonly y: number;
  /** Where its mark stands. */
  readonly markX: number;
  readonly markY: number;
}

/**
 * The drop of the metric over size or latency: every marker stands on its values, with their intervals.
 * @param label what the whole shows, for who cannot see it
 * @param joined one point came of the other: a line goes from each to the next
 */
export function panel(
  points: readonly Point[],
  horizontal: Horizontal,
  metric: string,
  label: string,
  joined = false,
): Markup {
  const shown = points.flatMap((point) => {
    const across = point[horizontal];
    return across === null ? [] : [{ point, across }];
  });
  const dropped = shown.some(({ point }) => point.drop !== null);
  const hasLane = shown.some(({ point }) => point.drop === null);
  const floor = dropped ? top + plotHeight : top;
  const laneEnd = hasLane ? floor + laneHeight : floor;
  const height = laneEnd + bottom;
  const x = axis(0, greatest(shown.map(({ across }) => across)) * 1.1, sides.left, sides.right);
  const y = axis(...around(shown.flatMap(({ point }) => point.drop ?? [])), floor, top);
  const placed = place(
    shown.map(({ point, across }) => ({
      point,
      across,
      x: x.at(across.value),
      y: point.drop === null ? rounded(floor + laneHeight / 2) : y.at(point.drop.value),
    })),
    laneEnd,
  );
  return html`<svg
    class="panel"
    data-across="${horizontal}"
    viewBox="0 0 ${width} ${height}"
    role="img"
    aria-label="${label}"
  >
    ${dropped ? rows(`drop of ${metric}`, y, sides, metricValue, lineOf) : null}${hasLane ? lane(floor) : null}
    ${columns(titles[horizontal], x, x.ticks, sides, laneEnd, horizontal === "size" ? bytes : digits)}
    ${joined ? html`<polyline class="curve" points="${placed.map((each) => `${each.x},${each.y}`).join(" ")}" />` : null}
    ${placed.map((each) => intervals(each, x, y))}${[...placed].reverse().map(marker)}
  </svg>`;
}

function greatest(figures: readonly Figure[]): number {
  return Math.max(...figures.flatMap(({ value, interval }) => [value, ...(interval ?? [])]));
}

/** The drops with their intervals, the float model's 0 among them, and some room. */
function around(drops: readonly Figure[]): [number, number] {
  const all = [0, ...drops.flatMap(({ value, interval }) => [value, ...(interval ?? [])])];
  const finite = all.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const margin = Math.max((high - low) * 0.1, 1e-6);
  return [low - margin, high + margin];
}

/** Where nothing dropped stands out. */
function lineOf(tick: number): string {
  return Math.abs(tick) < 1e-12 ? "zero" : "grid";
}

function lane(floor: number): Markup {
  return html`<line
      class="axis"
      x1="${sides.left}"
      x2="${sides.right}"
      y1="${floor}"
      y2="${floor}"
    />
    <text class="lane" x="${sides.left - 6}" y="${floor + 11}" text-anchor="end">drop not</text>
    <text class="lane" x="${sides.left - 6}" y="${floor + 22}" text-anchor="end">measured</text>`;
}

const titles: { readonly [H in Horizontal]: string } = {
  size: "download, after brotli",
  latency: "latency, float model = 1",
};

/** Around a marker, nearest first: above, below, and then further away. */
const aside = [1, 1.6, 2.3, 3].flatMap((far) =>
  [-90, 90, -45, -135, 45, 135, 0, 180].map((degrees) => ({
    dx: Math.cos((degrees * Math.PI) / 180) * far * 14,
    dy: Math.sin((degrees * Math.PI) / 180) * far * 14,
  })),
);

/** A mark that would cover something moves aside, with a line to its marker. */
function place(points: readonly Omit<Placed, "markX" | "markY">[], end: number): readonly Placed[] {
  const taken = points.map(({ x, y, point }) => ({
    x,
    y,
    clear: point.kind === "chosen" ? ring + 6 : radius + 6,
  }));
  return points.map((each) => {
    const isFree = ({ dx, dy }: { dx: number; dy: number }): boolean => {
      const [x, y] = [each.x + dx, each.y + dy];
      return (
        x > sides.left + 6 &&
        x < width - 8 &&
        y > top - 4 &&
        y < end - 4 &&
        taken.every((other) => Math.hypot(other.x - x, other.y - y) >= other.clear)
      );
    };
    const { dx, dy } = aside.find(isFree) ?? { dx: 0, dy: -14 };
    const placed = { ...each, markX: rounded(each.x + dx), markY: rounded(each.y + dy) };
    taken.push({ x: placed.markX, y: placed.markY, clear: 12 });
    return placed;
  });
}

/** How far chance may have moved the marker, upwards and sideways. */
function intervals({ point, across, x: atX, y: atY }: Placed, x: Axis, y: Axis): Markup {
  const drop = point.drop?.interval ?? null;
  const { interval } = across;
  const kind = `interval ${point.kind}`;
  return html`${drop === null ? null : html`<line class="${kind}" x1="${atX}" x2="${atX}" y1="${y.at(drop[0])}" y2="${y.at(drop[1])}" />`}${interval === null ? null : html`<line class="${kind}" x1="${x.at(interval[0])}" x2="${x.at(interval[1])}" y1="${atY}" y2="${atY}" />`}`;
}

function marker({ point, x, y, markX, markY }: Placed): Markup {
  const { kind, name, mark, about } = point;
  const isFar = Math.hypot(markX - x, markY - y) > 20;
  const shape =
    kind === "float"
      ? html`<rect
          class="marker float"
          x="${rounded(x - radius)}"
          y="${rounded(y - radius)}"
          width="${2 * radius}"
          height="${2 * radius}"
          rx="2"
        />`
      : html`<circle class="marker ${kind}" cx="${x}" cy="${y}" r="${radius}" />`;
  return html`<g class="point" data-name="${name}"
    ><title>${about}</title
    >${isFar ? html`<line class="leader" x1="${x}" y1="${y}" x2="${markX}" y2="${markY}" />` : null}${kind === "chosen" ? html`<circle class="ring" cx="${x}" cy="${y}" r="${ring}" />` : null}${shape}<text
      class="label ${kind}"
      x="${markX}"
      y="${rounded(markY + 4)}"
      >${mark}</text
    ></g
  >`;
}
