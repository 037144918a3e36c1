import type { PrunedGroup, PruningAccount, Report } from "@pare/runtime/format";
import { accountsOf, type ToldAccount, whereText } from "./accounts.js";
import { amount, digits, percent } from "./figures.js";
import { html, type Markup } from "./markup.js";
import { doneText } from "./shares.js";
import { number, reason, table } from "./tables.js";

/** Each group of channels with its importance, what of it was cut, and why the others were not; null where nothing was pruned. */
export function cut(report: Report): Markup | null {
  const prunings = accountsOf(report, "pruning");
  if (prunings.length === 0) return null;
  return html`${prunings.map(one).map(({ title, done, body }) =>
      prunings.length === 1
        ? html`<h3 class="told">${title}</h3>
            ${body}`
        : html`<details>
            <summary>${title} <span class="soft">· ${done}</span></summary>
            ${body}
          </details>`,
    )}
    <div class="legend">
      <span><span class="is-kept">■</span> kept</span><span><span class="is-cut">■</span> cut</span
      ><span
        >height: importance, most important first; the line is the mean of all channels of the
        layer</span
      >
    </div>`;
}

interface Pruned {
  readonly title: string;
  /** In a few words. */
  readonly done: string;
  readonly body: Markup;
}

function one(told: ToldAccount<"pruning">): Pruned {
  const { account } = told;
  const groups = account.groups.map((group) => ({
    kind: "",
    cells: [
      html`<code>${group.node}</code>`,
      group.op,
      number(keptText(group)),
      bars(group),
      reason(group.cut.length === 0 ? "" : html`<span class="small">${cutText(group)}</span>`),
    ],
  }));
  const body = html`<p class="soft small">${wishText(account)}</p>
    ${groups.length === 0 ? null : table(["layer", "operator", "channels", "importance", "cut"], groups)}
    ${account.moreGroups === 0 ? null : html`<p class="soft small">${account.moreGroups} more groups, which lost less, are not shown.</p>`}
    ${leftTable(account)}`;
  return { title: whereText(told), done: doneText({ account }), body };
}

function leftTable({ left }: PruningAccount): Markup | null {
  if (left.length === 0) return null;
  const rows = left.map(({ reason: why, layers, channels }) => ({
    cells: [reason(why), number(amount(channels)), number(amount(layers))],
  }));
  return html`<p class="soft small">Channels that stay:</p>
    ${table(["why", "channels", "layers"], rows)}`;
}

const measures: { readonly [M in PruningAccount["measure"]]: string } = {
  macs: "multiply-accumulates",
  parameters: "parameters",
  channels: "channels that can be cut",
};

/** `at most 60.0 % of the multiply-accumulates were to be left; channels compared by magnitude` */
export function wishText({ measure, keep, importance }: PruningAccount): string {
  return `At most ${percent(keep)} of the ${measures[measure]} were to be left; channels were compared by ${importance}.`;
}

/** `16 of 32`, `4 of 8 heads of 64` */
export function keptText({ kept, units, width, heads }: PrunedGroup): string {
  const what = heads ? ` heads of ${width}` : width > 1 ? ` sets of ${width}` : "";
  return `${kept} of ${units}${what}`;
}

/** The least important that was kept next to the most important that was cut: `kept from 0.91, cut up to 0.80`. */
export function borderText({ importance, importanceKept }: PrunedGroup): string {
  const [least, most] = [importance[importanceKept - 1], importance[importanceKept]];
  const parts = [
    ...(least === undefined ? [] : [`kept from ${thousandths(least)}`]),
    ...(most === undefined ? [] : [`cut up to ${thousandths(most)}`]),
  ];
  return parts.join(", ");
}

/** Of what matters next to nothing no more digits are told. */
function thousandths(value: number): string {
  return digits(Math.round(value * 1000) / 1000);
}

/** The numbers of the channels that were cut: `0–3, 7`. */
function cutText({ units, kept, cut: ranges }: PrunedGroup): string {
  const told = ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  const more = units - kept - told;
  const numbers = ranges.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`));
  return `${numbers.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

const width = 160;
const height = 30;

/** A bar for each channel, as wide as the share of channels that it stands for. */
function bars(group: PrunedGroup): Markup {
  const { units, kept, importance, importanceKept } = group;
  const shown = importance.map((value) => (Number.isFinite(value) ? Math.max(0, value) : 0));
  const most = Math.max(1, ...shown);
  const edge = units > 0 ? (width * kept) / units : 0;
  const place = (index: number): readonly [from: number, wide: number] => {
    const isKept = index < importanceKept;
    const wide = isKept
      ? edge / importanceKept
      : (width - edge) / (importance.length - importanceKept);
    return [isKept ? index * wide : edge + (index - importanceKept) * wide, wide];
  };
  const at = (value: number): string => (height * (1 - value / most)).toFixed(1);
  return html`<svg
      class="channels"
      viewBox="0 0 ${width} ${height}"
      preserveAspectRatio="none"
      role="img"
      aria-label="${`${keptText(group)} kept; ${borderText(group)}`}"
    >
      ${shown.map((value, index) => {
        const [from, wide] = place(index);
        return html`<rect
          class="${index < importanceKept ? "kept" : "cut"}"
          x="${from.toFixed(2)}"
          y="${at(value)}"
          width="${(wide * 0.86).toFixed(2)}"
          height="${((height * value) / most).toFixed(1)}"
        />`;
      })}
      <line class="zero" x1="0" x2="${width}" y1="${at(1)}" y2="${at(1)}" />
    </svg>
    <div class="soft small">${borderText(group)}</div>`;
}
