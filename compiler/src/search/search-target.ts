import type { Measurement, ReportCandidate, ReportStep } from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import { type Branch, branchesOf } from "./branch.js";
import type { Judged } from "./candidate.js";
import { compareLatency, rank } from "./choose.js";
import type { OptimizeRequest, TargetDevice } from "./request.js";
import { layerSensitivity, type LayerSensitivity } from "./sensitivity.js";
import { type Refused, Trials } from "./trials.js";

export interface TargetSearch {
  /** Accepted, best first; the simplified float model is among them. */
  readonly ranked: readonly Judged[];
  /** The model as its user has it, on this target; null where its engine refuses it. */
  readonly baseline: Measurement | null;
  /** Most sensitive layer first, where it was needed. */
  readonly sensitivity: readonly LayerSensitivity[];
  readonly steps: readonly ReportStep[];
  readonly candidates: readonly ReportCandidate[];
}

type Progress = (fraction: number, what: string) => void;

/** Tries a recipe's steps, and with `propose` what the target's table adds, each on a fork, until the deadline. */
export async function searchTarget(
  request: OptimizeRequest,
  device: TargetDevice,
  simplified: Graph,
  deadline: number,
  progress: Progress,
): Promise<TargetSearch> {
  const { target } = device;
  const trials = new Trials(request, device, simplified);
  progress(0, `${target}: the float model`);
  const baseline = await trials.baseline();
  const float = await trials.float(baseline);
  const accepted: Judged[] = [];
  const branches = branchesOf(request, device, simplified);
  for (const [index, branch] of branches.entries()) {
    progress((index + 1) / (branches.length + 1), `${target}: ${branch.name}`);
    const late = Date.now() > deadline ? "not tried: the time budget was spent" : null;
    const skip = branch.skip ?? late;
    if (skip !== null) {
      trials.reject(branch.name, branch.precision, skip);
      continue;
    }
    const judged = await trials.try(branch, float);
    if (judged !== null) accepted.push(judged);
  }

  let sensitivity: readonly LayerSensitivity[] = [];
  const coarse = tooCoarse(trials, float);
  if (coarse !== null && Date.now() < deadline) {
    const { layers, step } = coarse;
    const each: (done: number) => void = (done) =>
      progress(done / layers.length, `${target}: sensitivity of ${layers.length} layers`);
    const { executor } = device;
    sensitivity = await layerSensitivity(simplified, step, layers, executor, trials.context, each);
    const mixed = await keepSensitiveFloat(trials, coarse, sensitivity, float, deadline);
    if (mixed !== null) accepted.push(mixed);
  }
  const { steps, candidates, rule } = trials;
  return {
    ranked: rank([float, ...accepted], rule.prefer),
    baseline,
    sensitivity,
    steps,
    candidates,
  };
}

interface TooCoarse {
  readonly branch: Branch;
  readonly step: Branch["stages"][number][number];
  readonly layers: readonly { readonly layer: string; readonly op: string }[];
}

/** The proposal of static int8 that was fast enough, but lost too much: the one that lost least. */
function tooCoarse(trials: Trials, float: Judged): TooCoarse | null {
  const [best] = trials.refused
    .filter(({ branch, measurement }) => {
      const slower = compareLatency(measurement, float.measurement) === "slower";
      return branch.proposed && !slower;
    })
    .filter((one) => drop(one) > trials.rule.maxDrop && staticStep(one) !== undefined)
    .sort((a, b) => drop(a) - drop(b));
  const step = best === undefined ? undefined : staticStep(best);
  if (best === undefined || step === undefined) return null;
  const layers = best.graph.journal
    .filter(({ what, rule }) => what === "changed" && rule === step.use)
    .map(({ node, op }) => ({ layer: node, op }));
  return { branch: best.branch, step, layers };
}

function drop({ measurement }: Refused): number {
  return measurement.accuracy?.drop ?? 0;
}

function staticStep({ stage }: Refused): TooCoarse["step"] | undefined {
  return stage.find(({ use }) => use === "quantize-static");
}

/** The most sensitive layers stay float: one, two, four and so on, until it holds. */
async function keepSensitiveFloat(
  trials: Trials,
  { branch, step, layers }: TooCoarse,
  sensitivity: readonly LayerSensitivity[],
  float: Judged,
  deadline: number,
): Promise<Judged | null> {
  for (let kept = 1; kept < layers.length && Date.now() < deadline; kept *= 2) {
    const keepFloat = sensitivity.slice(0, kept).map(({ layer }) => layer);
    const mixed = { ...step, with: { ...step.with, keepFloat } };
    const stages = branch.stages.map((stage) => stage.map((one) => (one === step ? mixed : one)));
    const name = `${branch.name}-${kept}-float`;
    const judged = await trials.try(
      { ...branch, name, precision: "mixed", proposed: false, stages },
      float,
    );
    if (judged !== null) return judged;
  }
  return null;
}
