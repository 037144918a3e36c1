import type { EpochAccount, Report, TrainingAccount } from "@pare/runtime/format";
import { accountsOf, type ToldAccount, whereText } from "./accounts.js";
import { type Curve, curves, endsText } from "./curves.js";
import { amount, digits, percent } from "./figures.js";
import { html, type Markup } from "./markup.js";

/** The curves of each training, whether it stayed or not; null where nothing was learned. */
export function learned(report: Report): Markup | null {
  const trainings = accountsOf(report, "training");
  if (trainings.length === 0) return null;
  return html`<div class="plots">${trainings.map(trainingFigure)}</div>`;
}

function trainingFigure(told: ToldAccount<"training">): Markup {
  const { account, tookMs } = told;
  const { epochs, epochCount } = account;
  const title = whereText(told);
  const loss = curveOf(epochs, "loss", "mark", ({ loss: value }) => value);
  const right = [
    curveOf(epochs, "of the samples that it learned from", "mark", ({ accuracy }) => accuracy),
    curveOf(epochs, "of other samples", "plain", ({ validation }) => validation),
  ].filter(({ points }) => points.length > 0);
  return html`<figure class="plot">
    <h3>${title}</h3>
    <p class="soft small">
      ${trainingText(account)}${tookMs === null ? "" : `, ${digits(tookMs / 1000)} s`}
    </p>
    <div class="panels">
      ${curves({ title: `loss, ${endsText(loss, digits)}`, curves: [loss], epochCount, write: digits, label: `${title}: loss by epoch` })}
      ${right.length === 0 ? null : curves({ title: "right of the labels", curves: right, epochCount, write: percent, most: 1, label: `${title}: share of right labels by epoch` })}
    </div>
    ${
      right.length === 0
        ? null
        : html`<div class="legend">
            ${right.map((each) => html`<span>${each.kind === "mark" ? "●" : "○"} ${each.name}: ${endsText(each, percent)}</span>`)}
          </div>`
    }
  </figure>`;
}

/** A diverged epoch stands nowhere. */
function curveOf(
  epochs: readonly EpochAccount[],
  name: string,
  kind: Curve["kind"],
  of: (epoch: EpochAccount) => number | null,
): Curve {
  const points = epochs.flatMap((one): Curve["points"] => {
    const value = of(one);
    return value === null || !Number.isFinite(value) ? [] : [{ epoch: one.epoch, value }];
  });
  return { name, kind, points };
}

/** `8 epochs of 1200 samples, 304 steps of 32, learned from labels and the teacher's answers` */
export function trainingText({
  learnedFrom,
  samples,
  steps,
  batch,
  epochCount,
}: TrainingAccount): string {
  const from = learnedFrom.map((one) => (one === "teacher" ? "the teacher's answers" : one));
  return `${epochCount} ${epochCount === 1 ? "epoch" : "epochs"} of ${amount(samples)} samples, ${amount(steps)} steps of ${batch}, learned from ${from.join(" and ")}`;
}
