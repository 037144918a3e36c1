import { metrics } from "@pare/bench";
import type { Accuracy } from "@pare/runtime/format";

/** Metrics that say how many answers are right; what a data module counts may be small as it should. */
const shares = new Set(["top1", "top5", "exact-match", "f1"]);

/** What to look at where the float model itself is as wrong as can be, so that anything passes beside it; else null. */
export function hopelessText(accuracies: readonly Accuracy[]): string | null {
  if (accuracies.some(isHopeless))
    return "Look at the labels: the float model itself is right on hardly any of the test samples, so that no variant can be worse. Labels count as the model's outputs do, from 0; `predict` returns what labels are.";
  const worst = accuracies.find(isWorst);
  return worst === undefined
    ? null
    : `Look at the metric ${worst.metric}: it is ${floatValue(worst)} for the float model itself, so that no variant can be worse. Its \`predictions\` are what \`predict\` returns, or without one whole outputs, which equal no label.`;
}

/** Hardly one of a hundred is right: the labels are of another kind or order, or the preprocessing is. */
function isHopeless(accuracy: Accuracy): boolean {
  return shares.has(accuracy.metric) && accuracy.n >= 20 && floatValue(accuracy) < 0.02;
}

/** Of a metric that a data module brings: nothing is right, or of an error, all is wrong. */
function isWorst(accuracy: Accuracy): boolean {
  const worst = accuracy.direction === "higher" ? 0 : 1;
  return !metrics.has(accuracy.metric) && accuracy.n >= 20 && floatValue(accuracy) === worst;
}

function floatValue({ direction, value, drop }: Accuracy): number {
  return direction === "higher" ? value + (drop ?? 0) : value - (drop ?? 0);
}
