import type { Accuracy, Artifact, SizeBytes, TryOut } from "@pare/runtime/format";
import type { Tried } from "./candidate.js";
import type { TargetFacts } from "./costs.js";
import type { TargetDevice } from "./request.js";
import { relative, tieBand } from "./verdict.js";

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
  /** What is written when nothing else is accepted. */
  float: Tried;
  readonly accepted: Tried[];
  /** What the recipe's own groups have come to. */
  recipe: Tried;
  /** Names by the identity of what was made. */
  readonly made: Map<string, string>;
}

/** Best so far, by the times of the search: what is accepted, or the float model. */
export function bestOf({ accepted, float }: TargetState): Tried {
  return accepted.reduce((best, one) => (isBetter(one, best) ? one : best), float);
}

function isBetter(one: Tried, other: Tried): boolean {
  if (one.latency === null || other.latency === null) return one.size.brotli < other.size.brotli;
  const { ratio } = relative(one.latency, other.latency);
  if (ratio < 1 - tieBand) return true;
  return ratio <= 1 + tieBand && one.size.brotli < other.size.brotli;
}
