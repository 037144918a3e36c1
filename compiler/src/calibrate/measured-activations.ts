import { type Executor, PareError, type Tensors } from "@pare/runtime/format";
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
import type { Observer } from "../quantize/observer.js";
import { integerRange } from "../quantize/format.js";
import { observedRange, observedSqnr } from "../quantize/observed-range.js";
import { calibrate } from "./calibrate.js";

/** The calibration split's feeds, on an engine; `samples` starts anew at each call. */
export interface CalibrationSamples {
  readonly executor: Executor;
  samples(): AsyncIterable<Tensors>;
  readonly count: number;
}

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
    const keys = await statisticKeys(graph, wanted, this.#fingerprints);
    const missing = wanted.filter((_, index) => !this.#known.has(keys[index] ?? ""));
    if (missing.length > 0) await this.#measure(graph, missing, options);
    return observedFrom(wanted, keys, this.#known);
  }

  async #measure(
    graph: Graph,
    wanted: readonly Wanted[],
    { pass, signal, onProgress }: ObserveOptions,
  ): Promise<void> {
    if (this.#source.count === 0) {
      throw new PareError("DATA_MISMATCH", "There is no sample to calibrate with.", {
        where: pass,
        hint: "Give the calibration split at least one sample.",
      });
    }
    const { executor, count } = this.#source;
    const channelAxes = new Map<ValueId, number>();
    for (const { value, statistic } of wanted)
      if (statistic.kind === "channel-means") channelAxes.set(value, statistic.axis);
    const values = [...new Set(wanted.map(({ value }) => value))];
    const observers = await calibrate(graph, executor, () => this.#source.samples(), count, {
      values,
      channelAxes,
      signal,
      onProgress,
    });
    const keys = await statisticKeys(graph, wanted, this.#fingerprints);
    for (const [index, { value, statistic }] of wanted.entries()) {
      const observer = observers.get(value);
      if (observer !== undefined)
        this.#known.set(keys[index] ?? "", numbersOf(observer, statistic));
    }
  }
}

function numbersOf(observer: Observer, statistic: Statistic): readonly number[] {
  switch (statistic.kind) {
    case "range": {
      const { method, format } = statistic;
      const range = observedRange(observer, method, format);
      return [range.min, range.max, observedSqnr(observer, range, format)];
    }
    case "channel-means":
      // Nine digits tell every float32 from its neighbours.
      return Array.from(observer.channelMeans ?? [], (mean) => Number(mean.toPrecision(9)));
    default:
      return statistic satisfies never;
  }
}

/** What each statistic is of, whatever the values are called and numbered. */
export async function statisticKeys(
  graph: Graph,
  wanted: readonly Wanted[],
  fingerprints: Fingerprints,
): Promise<readonly string[]> {
  const names = await fingerprints.of(graph);
  return wanted.map(({ value, statistic }) => `${names.get(value) ?? "?"} ${kindOf(statistic)}`);
}

function kindOf(statistic: Statistic): string {
  switch (statistic.kind) {
    case "range": {
      const { method, format } = statistic;
      const { min, max } = integerRange(format);
      return `range ${method} ${min}…${max}${format.symmetric ? " symmetric" : ""}`;
    }
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
  const channelMeans = new Map<ValueId, Float32Array>();
  for (const [index, { value, statistic }] of wanted.entries()) {
    const numbers = known.get(keys[index] ?? "") ?? [];
    if (statistic.kind === "channel-means") {
      channelMeans.set(value, Float32Array.from(numbers));
      continue;
    }
    const [min = 0, max = 0, sqnr] = numbers;
    ranges.set(value, { min, max, sqnr: sqnr ?? null });
  }
  return { ranges, channelMeans };
}
