import {
  engineRefusals,
  type ErrorCode,
  isPareError,
  type PareError,
  type TargetName,
} from "@pare/runtime/format";
import { findTarget } from "../targets/index.js";

/** With these a pass, or what compiles, says no. */
const makingRefusals: readonly ErrorCode[] = ["PASS_FAILED", "DIVERGED", "UNSUPPORTED_OP"];

/** A device that cannot, or is gone, takes no other file either: that ends its target. */
const refusing: ReadonlySet<ErrorCode> = new Set(
  [...engineRefusals, ...makingRefusals].filter((code) => code !== "UNSUPPORTED_DEVICE"),
);

/** The engine or a pass says no to this file; another one may do. */
export function isRefusal(error: unknown): error is PareError {
  return isPareError(error) && refusing.has(error.code);
}

/**
 * The same of a candidate, once the float model was answered for: or what it answers is more than the user's own code for
 * scoring takes.
 */
export function isCandidatesFault(error: unknown): error is PareError {
  return isRefusal(error) || (isPareError(error) && error.code === "DATA_MODULE");
}

/** With these what a step is told to do cannot be done with this model, its options were looked at before, or with these samples. */
const unmet: ReadonlySet<ErrorCode> = new Set(["RECIPE", "DATA_MISMATCH"]);

export function isUnmet(error: unknown): error is PareError {
  return isPareError(error) && unmet.has(error.code);
}

/** No file came of it, so that no engine was asked. */
export function isOfMaking(error: PareError): boolean {
  return unmet.has(error.code) || makingRefusals.includes(error.code);
}

/** Samples are none of the sizes that are fixed in a target's files; other targets run them. */
export function isOfOtherSizes(target: TargetName, error: unknown): error is PareError {
  const fixesSizes = findTarget(target).format === "wasm";
  return fixesSizes && isPareError(error) && error.code === "INPUT";
}

/** What to do about a model that no engine runs. */
export const toBeRun =
  "`pare inspect` says for each target what it lacks. Where an engine failed on made-up inputs, --data gives it real ones, --dim their sizes, and --const what never changes. Where one took too long, --time-budget gives it longer.";
