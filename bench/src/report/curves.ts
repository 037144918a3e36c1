import { axis } from "./axis.js";
import { columns, rows } from "./grid.js";
import { html, type Markup } from "./markup.js";

export interface Curve {
  readonly name: string;
  readonly kind: "mark" | "plain";
  /** In order. */
  readonly points: readonly { readonly epoch: number; readonly value: number }[];
}

interface Curves {
  readonly title: string;
  readonly curves: readonly Curve[];
  readonly epochCount: number;
  readonly write: (value: number) => string;
  /** No value can be greater, and no tick is. */
  readonly most?: number;
  /** What the whole shows, for who cannot see it. */
  readonly label: string;
}

const width = 270;
const sides = { left: 50, right: width - 12 };
const top = 24;
const plotHeight = 120;
const bottom = 40;
const floor = top + plotHeight;
/** Of so few epochs each has its marker. */
const mostMarkers = 40;

/** Values over epochs, from 1 on. */
export function curves({
  title,
  curves: all,
  epochCount,
  write,
  most = Infinity,
  label,
}: Curves): Markup {
  const values = all.flatMap(({ points }) => points.map(({ value }) => value));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = Math.max((high - low) * 0.08, Math.abs(high) * 0.01, 1e-9);
  const y = axis(low - margin, Math.min(most, high + margin), floor, top);
  const x = axis(1, Math.max(2, epochCount), sides.left, sides.right);
  const epochs = x.ticks.filter((tick) => tick > 1 && tick <= epochCount && Number.isInteger(tick));
  const drawn = all.map(({ kind, points }) => ({
    kind,
    places: points.map(({ epoch, value }) => ({
      x: x.at(epoch),
      y: y.at(value),
      about: `epoch ${epoch}: ${write(value)}`,
    })),
  }));
  return html`<svg
    class="chart"
    viewBox="0 0 ${width} ${floor + bottom}"
    role="img"
    aria-label="${label}"
  >
    ${rows(title, y, sides, write)} ${columns("epoch", x, [1, ...epochs], sides, floor, String)}
    ${drawn.map(
      ({ kind, places }) =>
        html`<polyline
            class="curve ${kind}"
            points="${places.map((place) => `${place.x},${place.y}`).join(" ")}"
          />${places.length > mostMarkers ? null : places.map((place) => html`<circle class="spot ${kind}" cx="${place.x}" cy="${place.y}" r="3"><title>${place.about}</title></circle>`)}`,
    )}
  </svg>`;
}

/** From where to where a curve goes: `0.52 → 0.11`. */
export function endsText({ points }: Curve, write: (value: number) => string): string {
  const [first, last] = [points[0], points.at(-1)];
  return first === undefined || last === undefined
    ? ""
    : `${write(first.value)} → ${write(last.value)}`;
}
