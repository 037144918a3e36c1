import type { Measurement, Report, ReportStep, TargetName } from "@pare/runtime/format";
import { amount, targetText } from "./figures.js";
import { html, type Markup } from "./markup.js";
import { panel, type Point } from "./panel.js";
import { metricOf, pointOf, withFloat } from "./plot.js";

interface Cut {
  readonly step: ReportStep;
  readonly measurement: Measurement;
}

/**
 * Where a recipe cut several times, one cut after another: what each lost over its size and its latency, as the validation
 * samples saw it, and the one where it stayed. Null where there are no two to compare.
 */
export function sweep(report: Report): Markup | null {
  const targets = [...new Set(report.steps.map(({ target }) => target))];
  const figures = targets.flatMap((target) => {
    const cuts = cutsOn(report, target);
    return cuts.length < 2 ? [] : [figureOf(report, target, cuts)];
  });
  if (figures.length === 0) return null;
  return html`<div class="plots" data-split="validation">${figures}</div>
    <div class="legend">
      <span>□ float model</span><span>◎ where it stayed</span><span>● on the way, or too far</span
      ><span>lines: what chance may do (95 % of the drop, 99 % of the latency)</span>
    </div>`;
}

function cutsOn({ steps }: Report, target: TargetName): readonly Cut[] {
  return steps.flatMap((step) => {
    const { group = [], measurement } = step;
    const isCut = step.target === target && group.includes("prune") && measurement !== null;
    return isCut ? [{ step, measurement }] : [];
  });
}

function figureOf(report: Report, target: TargetName, cuts: readonly Cut[]): Markup {
  const last = cuts.map(({ step }) => step.verdict).lastIndexOf("kept");
  const points = cuts.map(({ step, measurement }, index): Point =>
    pointOf(measurement, step.name, index === last ? "chosen" : "rejected", String(index + 1)),
  );
  const metric = metricOf(report, target);
  const shown = withFloat(report, target, points);
  const label = (what: string): string =>
    `${targetText(target)}: drop of ${metric} over ${what}, cut by cut`;
  const isTimed = points.some(({ latency }) => latency !== null);
  return html`<figure class="plot" data-target="${target}">
    <h3>${targetText(target)}</h3>
    <div class="panels">
      ${panel(shown, "size", metric, label("size"), true)}
      ${isTimed ? panel(shown, "latency", metric, label("latency"), true) : null}
    </div>
    <ol class="soft small">
      ${cuts.map(({ step }) => html`<li>${leftText(step)}${step.verdict === "kept" ? "" : `, turned down: ${step.reason}`}</li>`)}
    </ol>
  </figure>`;
}

/** `295 k of 1.12 M multiply-accumulates` of what that cut began with. */
function leftText({ name, shares = [] }: ReportStep): string {
  const macs = shares.find(({ use }) => use === "prune")?.macs;
  return macs === undefined || macs === null
    ? name
    : `${amount(macs.after)} of ${amount(macs.before)} multiply-accumulates`;
}
