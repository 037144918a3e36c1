import type { Evidence, Measurement, Precision } from "@pare/runtime/format";
import { compareLatency, latencyOf } from "./choose.js";

/** 0.995 − 0.985 is a little over 0.01 in binary. */
const rounding = 1e-9;

export interface AcceptanceRule {
  /** The largest drop of the metric that is allowed, in the metric's own unit. */
  readonly maxDrop: number;
  readonly prefer: "latency" | "size";
  readonly evidence: Evidence;
}

export type Acceptance =
  | { readonly accepted: true; readonly reason: string }
  | { readonly accepted: false; readonly reason: string };

const yes = (reason: string): Acceptance => ({ accepted: true, reason });
const no = (reason: string): Acceptance => ({ accepted: false, reason });

/**
 * Is a candidate good enough, against the state it was made from? The drop's point estimate decides; a slower one is
 * turned down unless size is what counts; one that gained nothing is turned down too.
 */
export function accept(
  candidate: Measurement,
  current: Measurement,
  precision: Precision,
  rule: AcceptanceRule,
): Acceptance {
  const parity = checkParity(candidate, precision);
  if (parity !== null) return no(parity);
  const accuracy = checkAccuracy(candidate, rule);
  if (!accuracy.accepted) return accuracy;
  const order = compareLatency(candidate, current);
  const size = candidate.sizeBytes.brotli / current.sizeBytes.brotli;
  const gains = `${accuracy.reason}; ${latencyText(candidate, current)}; ${percent(size)} of the download`;
  if (order === "slower" && rule.prefer === "latency") return no(`slower: ${gains}`);
  if (order !== "faster" && size >= 1) return no(`gains nothing: ${gains}`);
  return yes(gains);
}

/** The drop alone: the final check on the test samples. */
export function checkAccuracy(candidate: Measurement, rule: AcceptanceRule): Acceptance {
  const { accuracy } = candidate;
  if (rule.evidence === "none") return yes("not checked for accuracy: there is no data");
  if (accuracy === null) return no("its accuracy could not be measured");
  const { metric, value, drop, dropInterval, n, flips } = accuracy;
  if (!Number.isFinite(value)) return no(`${metric} is ${value}`);
  if (drop === null) return yes(`${metric} ${round(value)}`);
  const interval =
    dropInterval === null ? "" : ` [${round(dropInterval[0])}, ${round(dropInterval[1])}]`;
  const flipped = flips === null ? "" : `, ${flips.count} of ${flips.n} flipped`;
  const text = `${metric} ${round(value)}, drop ${round(drop)}${interval} on ${n}${flipped}`;
  return drop <= rule.maxDrop + rounding
    ? yes(text)
    : no(`${text}, over the allowed ${round(rule.maxDrop)}`);
}

/** How far a target's engine may be from the CPU engine, of the largest output: int8 rounds differently per engine. */
function parityLimit(precision: Precision): number {
  switch (precision) {
    case "float32":
    case "float16-weights":
    case "int8-weights":
      return 0.01;
    case "float16":
      return 0.05;
    case "int8":
    case "int8-dynamic":
    case "mixed":
      return 0.5;
    default:
      return precision satisfies never;
  }
}

function checkParity(candidate: Measurement, precision: Precision): string | null {
  const { parity, accuracy, target } = candidate;
  // Where the device's own engine was measured for accuracy, that decides; on cpu parity is with the float model.
  if (parity === null || target === "cpu" || (accuracy !== null && accuracy.measuredOn === target))
    return null;
  const limit = parityLimit(precision);
  if (parity.maxError <= limit) return null;
  return `disagrees with the CPU engine: error ${round(parity.maxError)} of the largest output on ${parity.n} samples, over ${limit}`;
}

function latencyText(candidate: Measurement, current: Measurement): string {
  const latency = latencyOf(candidate);
  if (latency === null) return "not timed";
  const before = latencyOf(current)?.ratio ?? 1;
  const ratio = (latency.ratio ?? 1) / before;
  return `${round(ratio)}× the latency before (${round(latency.p50)} ms)`;
}

const percent = (fraction: number): string => `${Math.round(fraction * 100)} %`;

/** Four significant digits. */
export function round(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value);
}
