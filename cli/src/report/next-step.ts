import { metricValue } from "@pare/bench";
import { besideThePlan, type Budget, type Optimized, surplus } from "@pare/compiler";
import type {
  Accuracy,
  Measurement,
  ReportCandidate,
  ReportStep,
  ValueInfo,
} from "@pare/runtime/format";
import type { Evaluation } from "../workbench/evaluation.js";
import { hopelessText } from "./hopeless.js";

/** The cheapest thing that would make the result better or surer: one sentence, or null. */
export function nextStep(
  {
    inputs,
    outputs,
  }: { readonly inputs: readonly ValueInfo[]; readonly outputs: readonly ValueInfo[] },
  evaluation: Evaluation,
  optimized: Optimized,
  budget: Pick<Budget, "limits" | "prefer">,
): string | null {
  const { evidence, report } = evaluation;
  if (evidence === "none" || evidence === "synthetic") {
    // Of what has no weights to round, like decision trees, there is but the float model.
    const isUnchecked =
      evidence === "none" && optimized.candidates.some(({ name }) => name !== "float");
    const checked = isUnchecked ? "int8" : "accuracy";
    return takesImages(inputs)
      ? `50 images in a folder let ${checked} be checked: --data ./images`
      : `50 samples let ${checked} be checked: pare data <model> writes a module to fill in`;
  }
  if (report.validation === 0 || report.calibration === 0)
    return "More samples, each another: with fewer than ten that differ, there is nothing to calibrate and search on.";
  const ownAccuracies = optimized.variants.flatMap(({ baseline }) => baseline?.accuracy ?? []);
  if (evidence === "unlabelled" && ownAccuracies.some(isUnlikeItself))
    return "Look at the data: on some samples the model as it came gives what is no number, and what is held to that says nothing. A mask of zeros alone does it, or inputs beyond what it was trained on.";
  const moreTime = moreTimeText(worthMoreTime(optimized, budget.prefer));
  // Labels of a model that nothing was tried for would show that it is as it was.
  const isAsItWas = optimized.variants.every(({ precision }) => precision === "float32");
  if (evidence === "unlabelled" && isAsItWas && moreTime !== null) return moreTime;
  if (evidence === "unlabelled")
    // What is no class, boxes and masks, no subfolder is a label of.
    return evaluation.samples.labelled || ownAccuracies.some(({ metric }) => metric === ofNumbers)
      ? "`score` of a data module would show accuracy, not only agreement with the float model: pare data <model> writes one to fill in."
      : `Labels would show accuracy, not only agreement with the float model: ${howToLabel(report.source)}.${ownAccuracies.some(({ metric }) => metric === ofClasses) ? unlessClasses : ""}`;
  const accuracies = optimized.variants.flatMap(({ measurement: { accuracy } }) => accuracy ?? []);
  const allowed = Math.max(
    0,
    ...optimized.variants.map(({ target }) => budget.limits(target).maxDrop),
  );
  const hopeless = hopelessText(accuracies);
  if (hopeless !== null) return hopeless;
  const chance = chanceOf(outputs);
  if (chance !== null && accuracies.some((accuracy) => isChance(accuracy, chance)))
    return `Look at the labels and the preprocessing: the float model itself is right no more often than chance, ${chance.toFixed(3)}, would be. Labels count as the model's outputs do, from 0; folders of images count in the order of their names.`;
  const unfit = accuracies.flatMap((accuracy) => unfitText(accuracy, allowed) ?? []);
  if (unfit[0] !== undefined) return unfit[0];
  const [lesson] = optimized.steps.flatMap((step) => shortLesson(step, allowed) ?? []);
  if (lesson !== undefined) return lesson;
  if (moreTime !== null) return moreTime;
  const undecided = accuracies.some(
    ({ drop, dropInterval }) => dropInterval !== null && drop !== null && dropInterval[1] > allowed,
  );
  if (!undecided) return null;
  const looked = Math.max(0, ...Object.values(optimized.tested));
  return looked < report.test
    ? `More time, for more test samples: ${looked} of ${report.test} were looked at, with which a drop of ${allowed} is within what chance does: --time-budget.`
    : `More test samples: with ${report.test}, a drop of ${allowed} is within what chance does.`;
}

/**
 * What was not tried and is expected to be better than what was chosen; the one with the most to gain first. More time is no
 * help to what is beside the plan.
 */
function worthMoreTime(
  { candidates, variants }: Pick<Optimized, "candidates" | "variants">,
  prefer: Budget["prefer"],
): readonly ReportCandidate[] {
  const found = candidates.flatMap((candidate) => {
    const { reason, target, expectedGain } = candidate;
    if (!reason.startsWith("not tried") || reason.startsWith(besideThePlan)) return [];
    const chosen = variants.find((variant) => variant.target === target);
    // Of the user's own steps nothing is known.
    if (!expectedGain || chosen === undefined) return [{ candidate, worth: 0 }];
    const float = candidates.find((one) => one.name === "float" && one.target === target);
    const worth = surplus(expectedGain, ratiosOf(chosen, float?.measurement ?? null), prefer);
    return worth > 0 ? [{ candidate, worth }] : [];
  });
  return found.sort((a, b) => b.worth - a.worth).map(({ candidate }) => candidate);
}

function moreTimeText(untried: readonly ReportCandidate[]): string | null {
  const [first] = untried;
  if (first === undefined) return null;
  const { length: count } = untried;
  return `More time: ${count} ${count === 1 ? "candidate" : "candidates"} that may be better ${count === 1 ? "was" : "were"} not tried, above all ${first.name} on ${first.target}${gainText(first.expectedGain)}: --time-budget.`;
}

/**
 * What was chosen next to the float model in its simplified form, as gains are expected; where nothing is timed, as fast.
 * @param float that form, next to the model as it came
 */
function ratiosOf(
  { measurement, baseline }: Optimized["variants"][number],
  float: Measurement | null,
): {
  readonly latency: number;
  readonly size: number;
} {
  const whole = float ?? baseline ?? measurement;
  return {
    latency: ratio(measurement) / (float === null ? 1 : ratio(float)),
    size: measurement.sizeBytes.brotli / whole.sizeBytes.brotli,
  };
}

function ratio({ latencyMs }: Measurement): number {
  return "unmeasured" in latencyMs ? 1 : (latencyMs.ratio ?? 1);
}

/** The float model agrees with itself, but where its answers are no numbers, which equal nothing. */
function isUnlikeItself({ direction, value }: Accuracy): boolean {
  return direction === "higher" && !(value > 0.9999);
}

/** By so many and more a step that was turned down had a fair chance. */
const fewSamples = 1000;

/** Of a step that learned from few samples and is not right enough: what would teach it better; else null. */
function shortLesson(step: ReportStep, allowed: number): string | null {
  const { drop = null, metric } = step.measurement?.accuracy ?? {};
  if (step.verdict === "kept" || drop === null || drop <= allowed) return null;
  const lessons = (step.shares ?? []).flatMap(({ account }) =>
    account?.kind === "training" && account.samples < fewSamples ? [account] : [],
  );
  const [first] = lessons;
  if (first === undefined) return null;
  const [name] = step.name.split(":");
  const unlabelled = first.learnedFrom.includes("teacher") ? ", and need no labels" : "";
  return `More samples to learn from: ${name} was taught by ${first.samples} and lost ${Number(drop.toPrecision(2))} of ${metric}. A data module names them as splits.training; they are no part of what is tested${unlabelled}.`;
}

/** What agreement is measured by where answers are no classes. */
const ofNumbers = "concordance";

/** What it is measured by where they look like classes: a forecast or an embedding of so many numbers does too. */
const ofClasses = "top1-agreement";

const unlessClasses =
  " If the answers are no scores of classes, but a forecast or an embedding, --metric concordance compares their values.";

function howToLabel(source: string | null): string {
  return source !== null && /\.\w+$/.test(source)
    ? "add `label` to the samples"
    : "put images into one subfolder per label";
}

function gainText(gain: ReportCandidate["expectedGain"]): string {
  if (gain === undefined || gain === null) return "";
  return `, expected at ${gain.latency.toFixed(2)}× the time and ${Math.round(gain.size * 100)} % of the download`;
}

/** How often a guess is right, of the only output that scores classes; null where none or several may. */
function chanceOf(outputs: readonly ValueInfo[]): number | null {
  const [classes, ...others] = outputs.flatMap(({ dims }) => {
    const last = dims.at(-1);
    return dims.length === 2 && typeof last === "number" && last > 1 ? [last] : [];
  });
  return classes === undefined || others.length > 0 ? null : 1 / classes;
}

/** So many standard deviations above it chance is hardly found. */
const deviations = 2;

function isChance({ metric, value, drop, n }: Accuracy, chance: number): boolean {
  const most = chance + deviations * Math.sqrt((chance * (1 - chance)) / n);
  return metric === "top1" && n >= 50 && value + (drop ?? 0) < most;
}

/** A smaller error is rounding. */
const leastError = 1e-6;
/** An error that is a share, as of letters, may grow by several times itself and be small. */
const mostTimes = 10;

/** Of an error in units of its own: where what may be lost has nothing to do with its size, the size that would. */
function unfitText({ metric, direction, value, drop }: Accuracy, allowed: number): string | null {
  const float = value - (drop ?? 0);
  if (direction !== "lower" || !(float > leastError) || allowed === 0) return null;
  const [share, fitting] = [allowed / float, Number((float / 10).toPrecision(2))];
  if (share > mostTimes)
    return `A drop of ${allowed} is ${Number(share.toPrecision(2))} times the float model's own ${metric} of ${metricValue(float)}, so that hardly anything would be turned down: --max-drop ${fitting} allows a tenth of it.`;
  if (share < 0.001)
    return `A drop of ${allowed} is next to nothing of the float model's ${metric} of ${metricValue(float)}: --max-drop ${fitting} allows a tenth of it.`;
  return null;
}

function takesImages(inputs: readonly ValueInfo[]): boolean {
  const [info] = inputs;
  return (
    inputs.length === 1 &&
    info !== undefined &&
    info.dims.length === 4 &&
    (info.type === "float32" || info.type === "uint8")
  );
}
