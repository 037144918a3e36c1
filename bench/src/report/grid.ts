import { type Axis, rounded } from "./axis.js";
import { html, type Markup } from "./markup.js";

/** Where the area of a plot begins and ends, in its own units. */
export interface Sides {
  readonly left: number;
  readonly right: number;
}

/** What the values of a plot's rows are, above it, and a line with its value for each tick. */
export function rows(
  title: string,
  y: Axis,
  { left, right }: Sides,
  write: (tick: number) => string,
  classOf: (tick: number) => string = () => "grid",
): Markup {
  return html`<text class="title" x="2" y="12">${title}</text> ${y.ticks.map(
      (tick) =>
        html`<line
            class="${classOf(tick)}"
            data-value="${tick}"
            x1="${left}"
            x2="${right}"
            y1="${y.at(tick)}"
            y2="${y.at(tick)}"
          />
          <text x="${left - 6}" y="${rounded(y.at(tick) + 4)}" text-anchor="end"
            >${write(tick).replace("-", "−")}</text
          >`,
    )}`;
}

/** The line below a plot, a value below each tick, and what they are. */
export function columns(
  title: string,
  x: Axis,
  ticks: readonly number[],
  { left, right }: Sides,
  end: number,
  write: (tick: number) => string,
): Markup {
  return html`<line class="axis" x1="${left}" x2="${right}" y1="${end}" y2="${end}" />
    ${ticks.map(
      (tick) =>
        html`<text
          class="column"
          data-value="${tick}"
          x="${x.at(tick)}"
          y="${end + 16}"
          text-anchor="middle"
          >${write(tick)}</text
        >`,
    )}
    <text class="title" x="${(left + right) / 2}" y="${end + 33}" text-anchor="middle">
      ${title}
    </text>`;
}
