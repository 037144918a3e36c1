import type { Accuracy, Artifact, SizeBytes, TryOut } from "@pare/runtime/format";
import { findTarget } from "../../targets/index.js";
import type { FloatAnswers, Tried } from "../candidate.js";
import type { TargetFacts } from "../plan/costs.js";
import { overLimits } from "./over-limits.js";
import type { Budget, OptimizeRequest, TargetDevice } from "../request.js";
import { isStatic } from "../plan/shown.js";
import { choose, type Contender, lookAt, relative, type Relative } from "../verdict/verdict.js";
import { whatRuns } from "./what-runs.js";
import type { Ratios } from "../verdict/worth.js";

/** The model as its user has it, on one target. */
export interface Baseline {
  readonly tryOut: TryOut;
  readonly size: SizeBytes;
  /** On the validation samples. */
  accuracy: Accuracy | null;
}

/** What is known of one target while it is searched. */
export interface TargetState {
  readonly device: TargetDevice;
  readonly facts: TargetFacts;
  /** Null where the engine refuses the model as it is. */
  readonly baseline: Baseline | null;
  /** What drops and ratios are against: the model as it is, or its simplified form where the engine refuses that. */
  readonly reference: Artifact;
  /** The reference, or what says the same sooner: what drops are against on the validation samples. */
  readonly floatAnswers: FloatAnswers;
  /** What is written when nothing else is accepted. */
  float: Tried;
  /** What the groups that the recipe requires made; the float model until one of them holds. Nothing without them wins. */
  required: Tried;
  readonly accepted: Tried[];
  /** What the recipe's own groups have come to. */
  recipe: Tried;
  /** Turned down by time or size alone, next to what was best then; their accuracy was not looked at. */
  readonly screened: Tried[];
  /** Names by the identity of what was made. */
  readonly made: Map<string, string>;
}

/** Whether the engine of the one loads the files of the other. */
export function sameFormat(one: TargetState, other: TargetState): boolean {
  return findTarget(one.device.target).format === findTarget(other.device.target).format;
}

/**
 * What a few blocks cannot tell apart is settled among the finalists: until then the smaller one is in hand, and not the
 * float model for a difference that may be noise.
 */
const screenedBand = 0.1;

/**
 * Best so far by the rule of choice, on the times of the search: of what is accepted and what is required, and of that what
 * keeps the user's limits, where anything does.
 */
export function bestOf(state: TargetState, budget: Budget): Tried {
  const contenders = withinLimits(state, budget, contendersOf(state));
  const [best = 0] = choose(
    contenders.map(asContender),
    (a, b) => relativeTo(contenders[a], contenders[b]),
    budget.prefer,
    screenedBand,
  );
  return contenders[best] ?? state.required;
}

/** What keeps the user's limits, or all where nothing does. */
export function withinLimits(
  state: TargetState,
  budget: Budget,
  all: readonly Tried[],
): readonly Tried[] {
  const within = all.filter((one) => overLimitsOf(state, budget, one) === null);
  return within.length > 0 ? within : all;
}

/** What of a candidate is more than the user allows on a target; null where nothing is. */
export function overLimitsOf(
  { device, facts }: TargetState,
  budget: Budget,
  one: Pick<Tried, "artifact" | "latency">,
): string | null {
  return overLimits(one, budget.limits(device.target), facts.runMs);
}

/** Whether the samples that were looked at leave open if it holds. */
export function isOpen(
  { budget, evidence }: OptimizeRequest,
  { device }: TargetState,
  { accuracy }: Tried,
): boolean {
  const { maxDrop } = budget.limits(device.target);
  return accuracy?.drop != null && lookAt(accuracy, { maxDrop, evidence }) === "open";
}

export function asContender(tried: Tried): Contender {
  return { brotli: tried.size.brotli, runs: whatRuns(tried) };
}

/** What can be chosen. */
export function contendersOf({ required, accepted }: TargetState): readonly Tried[] {
  return [required, ...accepted];
}

/** What one came to, next to the float model that all began with. */
export function nextToFloat({ float }: TargetState, one: Tried): Ratios {
  return {
    latency: relativeTo(float, one)?.ratio ?? 1,
    size: one.size.brotli / float.size.brotli,
  };
}

/** Assumed: files that lose for another reason stand in for the best where it fails, if they take no more of its time. */
const standsIn = 1.1;

/** Whether something else was accepted that would do where the best fails: not of static integers, which lose together. */
export function hasStandIn({ accepted }: TargetState, best: Tried): boolean {
  return accepted.some(
    (one) =>
      one !== best &&
      !one.groups.some((group) => isStatic({ group })) &&
      (relativeTo(best, one)?.ratio ?? Infinity) <= standsIn,
  );
}

/** The time of the second over the first's; null where either was not timed. */
export function relativeTo(
  first: Pick<Tried, "latency"> | undefined,
  second: Pick<Tried, "latency"> | undefined,
): Relative | null {
  const [from, to] = [first?.latency ?? null, second?.latency ?? null];
  return from === null || to === null ? null : relative(to, from);
}

/** Of what was measured of a candidate, its latency next to the simplified float model; null where it was not timed. */
export function latencyNextToFloat(
  { float }: TargetState,
  tried: Partial<Tried> | null,
): number | null {
  return relativeTo(float, { latency: tried?.latency ?? null })?.ratio ?? null;
}
