import {
  type Accuracy,
  type Arithmetic,
  arithmeticOf,
  type Evidence,
  type ExpectedGain,
  type Interval,
  isAllowedDrop,
  type LatencyRatio,
  type Parity,
  type Precision,
} from "@pare/runtime/format";
import { cumulative, undecidedBand } from "./worth.js";

/** Two medians this close are the same. */
export const tieBand = 0.02;

export type Verdict =
  | { readonly accepted: true; readonly reason: string }
  | { readonly accepted: false; readonly reason: string };

const yes = (reason: string): Verdict => ({ accepted: true, reason });
const no = (reason: string): Verdict => ({ accepted: false, reason });

/** How a candidate compares with another one: its time over the other's. */
export interface Relative {
  readonly ratio: number;
  readonly interval: Interval;
}

export type Order = "faster" | "slower" | "tie" | "undecided";

/** Times of two that run the same differ by where memory lies, a few per cent. By more, and they do not run the same. */
const sameRunBand = 0.1;

/** Whether times leave it at that: two are known to run the same. Null where they were not timed. */
export function isAsFast(compared: Relative | null): boolean {
  return compared === null || Math.abs(Math.log(compared.ratio)) <= sameRunBand;
}

/** Faster or slower where the whole interval says so, a tie where all of it lies within 2 %. */
export function orderOf({ interval: [low, high] }: Relative): Order {
  if (high < 1 - tieBand) return "faster";
  if (low > 1 + tieBand) return "slower";
  return low >= 1 - tieBand && high <= 1 + tieBand ? "tie" : "undecided";
}

/** Of two that were each timed against the same third, in other blocks: as wide as both together. */
export function relative(a: Relative, b: Relative): Relative {
  const spread = Math.hypot(halfWidth(a), halfWidth(b));
  const ratio = a.ratio / b.ratio;
  return { ratio, interval: [ratio * Math.exp(-spread), ratio * Math.exp(spread)] };
}

/** Of the logarithm, by the wider side. */
function halfWidth({ ratio, interval: [low, high] }: Relative): number {
  return Math.max(Math.log(high / ratio), Math.log(ratio / low), 0);
}

export interface AccuracyRule {
  /** The largest drop of the metric that is allowed, in the metric's own unit. */
  readonly maxDrop: number;
  readonly evidence: Evidence;
}

/** A look at some of the samples: enough to say yes or no, or not yet. */
export type Look = "accept" | "reject" | "open";

/**
 * What a look at a part of the samples says: the whole interval on one side of what is allowed decides. The interval's
 * confidence is what this look may spend of the error.
 */
export function lookAt({ drop, dropInterval, value }: Accuracy, { maxDrop }: AccuracyRule): Look {
  if (!Number.isFinite(value)) return "reject";
  if (drop === null || dropInterval === null) return "open";
  const [low, high] = dropInterval;
  if (!isAllowedDrop(low, maxDrop)) return "reject";
  return isAllowedDrop(high, maxDrop) ? "accept" : "open";
}

/** How likely it is that a drop is within what is allowed, by its 95 % interval: where looks leave it open. */
export function holdsShare({ drop, dropInterval }: Accuracy, { maxDrop }: AccuracyRule): number {
  if (drop === null || dropInterval === null) return 0.5;
  const [low, high] = dropInterval;
  const deviation = Math.max((high - low) / (2 * 1.96), 1e-9);
  return cumulative((maxDrop - drop) / deviation);
}

/** The last look, and the test: the drop's point estimate decides. */
export function checkAccuracy(accuracy: Accuracy | null, rule: AccuracyRule): Verdict {
  if (rule.evidence === "none") return yes("not checked for accuracy: there is no data");
  if (accuracy === null) return no("its accuracy could not be measured");
  const { metric, value, drop } = accuracy;
  if (!Number.isFinite(value)) return no(`${metric} is ${value}`);
  if (drop === null) return yes(`${metric} ${round(value)}`);
  const text = dropText(accuracy);
  return isAllowedDrop(drop, rule.maxDrop)
    ? yes(text)
    : no(`${text}, over the allowed ${round(rule.maxDrop)}`);
}

export function dropText({ metric, value, drop, dropInterval, n, flips }: Accuracy): string {
  if (drop === null) return `${metric} ${round(value)} on ${n}`;
  const interval =
    dropInterval === null ? "" : ` [${round(dropInterval[0])}, ${round(dropInterval[1])}]`;
  const flipped = flips === null ? "" : `, ${flips.count} of ${flips.n} flipped`;
  return `${metric} ${round(value)}, drop ${round(drop)}${interval} on ${n}${flipped}`;
}

/** How far a file may be from what it must agree with, of the largest output. */
const parityLimits: Readonly<Record<Arithmetic, number>> = {
  float32: 0.01,
  float16: 0.05,
  // Engines round integers differently, and what follows a rounding that fell the other way differs more.
  integer: 0.5,
};

export function checkParity(
  parity: Parity | null,
  precision: Precision,
  withWhat: string,
): Verdict {
  if (parity === null) return yes("no output can be compared");
  const limit = parityLimits[arithmeticOf[precision]];
  const text = `error ${round(parity.maxError)} of the largest output on ${parity.n} samples`;
  return parity.maxError <= limit
    ? yes(`agrees with ${withWhat}: ${text}`)
    : no(`disagrees with ${withWhat}: ${text}, over ${limit}`);
}

/**
 * What a step made of a file: is it worth keeping?
 * @param latency null where nothing was timed
 * @param runsTheSame as what it is compared with
 */
export function checkGain(
  latency: Relative | null,
  size: number,
  prefer: "latency" | "size",
  runsTheSame = false,
): Verdict {
  const text = gainText(latency, size);
  const order = latency === null || runsTheSame ? "tie" : orderOf(latency);
  if (order === "slower" && prefer === "latency") return no(`slower: ${text}`);
  return order === "faster" || size < 1 ? yes(text) : no(`gains nothing: ${text}`);
}

/** `0.52× the latency [0.50, 0.54], 28 % of the download`; of the bytes of the file where it was not compressed yet. */
export function gainText(
  latency: Relative | null,
  size: number,
  of: "the download" | "its bytes" = "the download",
): string {
  const time =
    latency === null
      ? "not timed"
      : `${round(latency.ratio, 3)}× the latency [${round(latency.interval[0], 3)}, ${round(latency.interval[1], 3)}]`;
  return `${time}, ${percent(size)} of ${of}`;
}

/** As many digits as tell it from all of it: "28 %", "99.7 %", "100.02 %". */
function percent(share: number): string {
  const digits = [0, 1, 2].find((count) => Number((share * 100).toFixed(count)) !== 100) ?? 0;
  return `${(share * 100).toFixed(digits)} %`;
}

/** `; expected at 0.55× the latency and 28 % of the download`, for what was not tried. */
export function expectedText(gain: ExpectedGain | null): string {
  return gain === null
    ? ""
    : `; expected at ${round(gain.latency, 3)}× the latency and ${Math.round(gain.size * 100)} % of the download`;
}

/** What the rule of choice needs to know. */
export interface Contender {
  /** Bytes after brotli. */
  readonly brotli: number;
  /** Those of which it is equal run the same: only their weights are stored otherwise. */
  readonly runs: string;
}

/** The time of b over that of a; null where they were not timed. */
export type Between = (a: number, b: number) => LatencyRatio | null;

/**
 * Orders accepted candidates, best first. By latency: of those that run the same the smallest counts; those within 2 % of the
 * lowest median tie, and so do those that could not be told from it, lie within 3 % and are smaller by 2 %; of them the smallest
 * wins. By size: the smallest, and among equal sizes the fastest. What was not timed is ordered by size alone.
 * @param band within which what could not be told from the fastest ties with it
 */
export function choose(
  contenders: readonly Contender[],
  between: Between,
  prefer: "latency" | "size",
  band = undecidedBand,
): readonly number[] {
  const rest = contenders.map((_, index) => index);
  const ranked: number[] = [];
  while (rest.length > 0) {
    const best = pick(contenders, smallestOfRuns(contenders, rest, between), between, prefer, band);
    ranked.push(best);
    rest.splice(rest.indexOf(best), 1);
  }
  return ranked;
}

/** Those of which no smaller one runs the same. */
function smallestOfRuns(
  contenders: readonly Contender[],
  among: readonly number[],
  between: Between,
): readonly number[] {
  const isBeaten = (index: number, one: Contender): boolean =>
    among.some((at) => {
      const other = contenders[at];
      return (
        other !== undefined &&
        other.brotli < one.brotli &&
        other.runs === one.runs &&
        isAsFast(between(index, at))
      );
    });
  return among.filter((index) => {
    const one = contenders[index];
    return one !== undefined && !isBeaten(index, one);
  });
}

function pick(
  contenders: readonly Contender[],
  among: readonly number[],
  between: Between,
  prefer: "latency" | "size",
  band: number,
): number {
  const brotli = (index: number): number => contenders[index]?.brotli ?? Infinity;
  const ratio = (a: number, b: number): number => between(a, b)?.ratio ?? 1;
  const fastest = among.reduce((best, one) => (ratio(best, one) < 1 ? one : best), among[0] ?? 0);
  const bySize = [...among].sort((a, b) => brotli(a) - brotli(b) || ratio(b, a) - 1);
  const smallest = (of: readonly number[]): number =>
    bySize.find((one) => of.includes(one)) ?? fastest;
  if (prefer === "size") return smallest(among);
  return smallest(
    among.filter((one) => {
      const compared = between(fastest, one);
      if (one === fastest || compared === null || compared.ratio <= 1 + tieBand) return true;
      const undecided = orderOf(compared) === "undecided";
      return (
        undecided && compared.ratio < 1 + band && brotli(one) <= brotli(fastest) * (1 - tieBand)
      );
    }),
  );
}

export function round(value: number, digits = 4): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : String(value);
}
