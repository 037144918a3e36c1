import { Observer, PareError, sha256Sync } from "@pare/runtime/format";
import { Fingerprints } from "../analysis/fingerprints.js";
import type { Graph, ValueId } from "../ir/index.js";
import type {
  Activations,
  Observed,
  ObservedRange,
  ObserveOptions,
  Statistic,
  Wanted,
} from "../pipeline/activations.js";
import { integerRange } from "../quantize/format.js";
import { observedRange, observedSqnr } from "../quantize/observed-range.js";
import { calibrate, type Calibrated, type CalibrationSamples } from "./calibrate.js";
import type { Watched } from "./observed-graph.js";

/** Numbers by what they are of: the fingerprint of the computation and the statistic. */
export type Statistics = Map<string, readonly number[]>;

/** Statistics of activations, measured where they are not known yet. */
export class MeasuredActivations implements Activations {
  readonly #source: CalibrationSamples;
  readonly #known: Statistics = new Map();
  readonly #fingerprints: Fingerprints;

  constructor(source: CalibrationSamples, fingerprints = new Fingerprints()) {
    this.#source = source;
    this.#fingerprints = fingerprints;
  }

  async observe(
    graph: Graph,
    wanted: readonly Wanted[],
    options: ObserveOptions,
  ): Promise<Observed> {
    const all = together(wanted, options.beside);
    const naming = observationKeys(graph, all, this.#fingerprints);
    // What is asked first has no answer yet: it is named while the engine works.
    const isKnown = this.#known.size > 0 && (await naming).every((key) => this.#known.has(key));
    const [keys, measured] = await Promise.all([
      naming,
      isKnown ? [] : this.#measure(graph, all, options),
    ]);
    for (const [index, numbers] of measured.entries()) this.#known.set(keys[index] ?? "", numbers);
    return observedFrom(all, keys, this.#known);
  }

  async #measure(
    graph: Graph,
    wanted: readonly Wanted[],
    { pass, signal, onProgress }: ObserveOptions,
  ): Promise<readonly (readonly number[])[]> {
    if (this.#source.count === 0) {
      throw new PareError("DATA_MISMATCH", "There is no sample to calibrate with.", {
        where: pass,
        hint: "Give the calibration split at least one sample.",
      });
    }
    const calibrated = await calibrate(graph, this.#source, watchedFor(wanted), {
      exact: wanted.some(({ statistic }) => statistic.kind === "extremes"),
      signal,
      onProgress,
    });
    return wanted.map((one) => numbersOf(calibrated, one));
  }
}

/** Extremes are enough for ranges of all that was seen; other methods look at the distribution. */
function watchedFor(wanted: readonly Wanted[]): Watched {
  const extremes = new Set<ValueId>();
  const histograms = new Set<ValueId>();
  const channelSums: { value: ValueId; axis: number }[] = [];
  for (const { value, statistic } of wanted) {
    if (statistic.kind === "channel-means") channelSums.push({ value, axis: statistic.axis });
    else if (statistic.kind === "extremes" || statistic.method === "minmax") extremes.add(value);
    else histograms.add(value);
  }
  return { extremes: [...extremes], histograms: [...histograms], channelSums };
}

function numbersOf(calibrated: Calibrated, { value, statistic }: Wanted): readonly number[] {
  switch (statistic.kind) {
    case "range": {
      const { method, format } = statistic;
      if (method === "minmax") return extremesOf(calibrated, value);
      const observer = calibrated.histograms.get(value) ?? new Observer();
      const range = observedRange(observer, method, format);
      return [range.min, range.max, observedSqnr(observer, range, format)];
    }
    case "extremes":
      return extremesOf(calibrated, value);
    case "channel-means":
      // Nine digits tell every float32 from its neighbours. A channel that was no number once has no mean to go by: its
      // weights' rounding is made up for by nothing.
      return Array.from(calibrated.channelMeans(value, statistic.axis) ?? [], (mean) =>
        Number.isFinite(mean) ? Number(mean.toPrecision(9)) : 0,
      );
    default:
      return statistic satisfies never;
  }
}

function extremesOf({ ranges }: Calibrated, value: ValueId): readonly number[] {
  const { min, max } = ranges.get(value) ?? { min: 0, max: 0 };
  return [min, max];
}

/** What is wanted, and then what is only observed beside it. */
export function together(
  wanted: readonly Wanted[],
  beside: readonly Wanted[] = [],
): readonly Wanted[] {
  const known = new Set(wanted.map(idOf));
  return [...wanted, ...beside.filter((one) => !known.has(idOf(one)))];
}

/** What each statistic is of, whatever the values are called and numbered. */
export async function statisticKeys(
  graph: Graph,
  wanted: readonly Wanted[],
  fingerprints: Fingerprints,
): Promise<readonly string[]> {
  return keysFrom(await fingerprints.of(graph), wanted);
}

function keysFrom(
  names: ReadonlyMap<ValueId, string>,
  wanted: readonly Wanted[],
): readonly string[] {
  return wanted.map(({ value, statistic }) => `${names.get(value) ?? "?"} ${kindOf(statistic)}`);
}

/**
 * What each statistic is of, and what was asked together with it. An engine fuses nodes by what has to be seen of them, so
 * that the last digits of a statistic depend on what is observed beside it: the answer to a question must not depend on
 * those that came before.
 */
export async function observationKeys(
  graph: Graph,
  wanted: readonly Wanted[],
  fingerprints: Fingerprints,
): Promise<readonly string[]> {
  const names = await fingerprints.of(graph);
  const keys = keysFrom(names, wanted);
  const outputs = graph.main.outputs.map((value) => names.get(value) ?? "?");
  const asked = new TextEncoder().encode([...outputs, "", ...[...keys].sort()].join("\n"));
  const question = sha256Sync(asked).slice(0, 16);
  return keys.map((key) => `${key} of ${question}`);
}

function idOf({ value, statistic }: Wanted): string {
  return `${value} ${kindOf(statistic)}`;
}

function kindOf(statistic: Statistic): string {
  switch (statistic.kind) {
    case "range": {
      const { method, format } = statistic;
      const { min, max } = integerRange(format);
      return `range ${method} ${min}…${max}${format.symmetric ? " symmetric" : ""}`;
    }
    case "extremes":
      return "extremes";
    case "channel-means":
      return `channel-means ${statistic.axis}`;
    default:
      return statistic satisfies never;
  }
}

export function observedFrom(
  wanted: readonly Wanted[],
  keys: readonly string[],
  known: ReadonlyMap<string, readonly number[]>,
): Observed {
  const ranges = new Map<ValueId, ObservedRange>();
  const channelMeans = new Map<ValueId, Map<number, Float32Array>>();
  for (const [index, { value, statistic }] of wanted.entries()) {
    const numbers = known.get(keys[index] ?? "") ?? [];
    if (statistic.kind === "channel-means") {
      const means = channelMeans.get(value) ?? new Map<number, Float32Array>();
      channelMeans.set(value, means.set(statistic.axis, Float32Array.from(numbers)));
      continue;
    }
    const [min = 0, max = 0, sqnr] = numbers;
    ranges.set(value, { min, max, sqnr: sqnr ?? null });
  }
  return { ranges, channelMeans };
}
