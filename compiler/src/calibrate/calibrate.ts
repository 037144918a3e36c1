import {
  type Executor,
  Observer,
  onnxArtifact,
  PareError,
  type Reduced,
  reduceOutputs,
  type Tensors,
  throwIfAborted,
} from "@pare/runtime/format";
import type { Graph, ValueId } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import type { Range } from "../quantize/scale.js";
import { observedGraph, outputNames, type Watched } from "./observed-graph.js";

/** The calibration split's feeds, on an engine; `samples` starts anew at each call. */
export interface CalibrationSamples {
  readonly executor: Executor;
  samples(): AsyncIterable<Tensors>;
  readonly count: number;
}

export interface CalibrateOptions {
  readonly signal?: AbortSignal | undefined;
  /** Done so far, of 1. */
  readonly onProgress?: ((fraction: number, what: string) => void) | undefined;
}

/** What was seen of activations. */
export interface Calibrated {
  /** Of finite elements; 0…0 where there was none. */
  readonly ranges: ReadonlyMap<ValueId, Range>;
  readonly histograms: ReadonlyMap<ValueId, Observer>;
  /** Over all samples; undefined for what was not watched. */
  channelMeans(value: ValueId, axis: number): Float64Array | undefined;
}

/** What the activations of one run may take that become outputs, as far as shapes tell. */
const bytesPerRun = 256 * 2 ** 20;
/** Stands for a dim that shapes do not tell. */
const guessedDim = 64;

/**
 * Runs samples through copies of the graph that give away what is watched, and reduces it where the engine is: nothing is
 * kept of a sample, and samples may differ in shape. Activations whose distribution is asked for are shared out over
 * several passes over the samples where they are too large for one.
 * @throws PareError DATA_MISMATCH when there is no sample; ENGINE; ABORTED
 */
export async function calibrate(
  graph: Graph,
  source: CalibrationSamples,
  watched: Watched,
  { signal, onProgress }: CalibrateOptions = {},
): Promise<Calibrated> {
  const [first = [], ...others] = shareOut(graph, watched.histograms);
  const rounds: Watched[] = [
    { ...watched, histograms: first },
    ...others.map((histograms) => ({ extremes: [], histograms, channelMeans: [] })),
  ];
  const seen = new Map<string, Reduced>();
  const observe = async (round: Watched, before: number): Promise<void> => {
    for (const [output, reduced] of await observeOnce(graph, source, round, {
      signal,
      onProgress: (fraction, what) => onProgress?.((before + fraction) / rounds.length, what),
    }))
      seen.set(output, reduced);
  };
  for (const [before, round] of rounds.entries()) await observe(round, before);
  // An engine's extremes are of all elements. Those of the finite ones are found by looking at each.
  const notFinite = watched.extremes.filter((value) => isFault(extremesOf(seen, value)));
  for (const histograms of shareOut(graph, notFinite))
    await observe({ extremes: [], histograms, channelMeans: [] }, rounds.length - 1);

  const histograms = new Map<ValueId, Observer>();
  for (const value of [...watched.histograms, ...notFinite]) {
    const reduced = seen.get(outputNames.all(value));
    const observer = new Observer();
    if (reduced?.by === "histogram") observer.merge(reduced.observation);
    histograms.set(value, observer);
  }
  const ranges = new Map<ValueId, Range>();
  for (const value of watched.extremes) {
    const { min, max } = extremesOf(seen, value);
    const elementwise = notFinite.includes(value) ? histograms.get(value)?.range : undefined;
    // A value without elements is the smallest of none: +∞.
    ranges.set(
      value,
      elementwise ?? (min > max ? { min: 0, max: 0 } : { min: min + 0, max: max + 0 }),
    );
  }
  return {
    ranges,
    histograms,
    channelMeans(value, axis) {
      const sums = numbersOf(seen, outputNames.sums(value, axis));
      const [elements = 0] = numbersOf(seen, outputNames.size(value)) ?? [];
      return sums?.map((sum) => (sum * sums.length) / Math.max(1, elements));
    },
  };
}

/** One pass over the samples: what came of each output of the observed graph, by its name. */
async function observeOnce(
  graph: Graph,
  source: CalibrationSamples,
  watched: Watched,
  { signal, onProgress }: CalibrateOptions,
): Promise<ReadonlyMap<string, Reduced>> {
  throwIfAborted(signal);
  const { graph: observed, reductions } = observedGraph(graph, watched);
  const { proto } = await encodeModel(observed);
  const session = await source.executor.load(onnxArtifact(proto), { signal });
  try {
    let done = 0;
    const reduced = await reduceOutputs(session, source.samples(), reductions, {
      signal,
      onSamples(sofar) {
        done = sofar;
        onProgress?.(Math.min(1, done / Math.max(1, source.count)), "calibrating");
      },
    });
    if (done === 0)
      throw new PareError("DATA_MISMATCH", "There is no sample to calibrate with.", {
        hint: "Give the calibration split at least one sample.",
      });
    return new Map(reductions.map(({ output }, index) => [output, reduced[index] as Reduced]));
  } finally {
    await session.dispose();
  }
}

function numbersOf(seen: ReadonlyMap<string, Reduced>, output: string): Float64Array | undefined {
  const reduced = seen.get(output);
  return reduced === undefined || reduced.by === "histogram"
    ? undefined
    : (reduced.numbers ?? undefined);
}

function extremesOf(seen: ReadonlyMap<string, Reduced>, value: ValueId): Range {
  const [min = Infinity] = numbersOf(seen, outputNames.min(value)) ?? [];
  const [max = -Infinity] = numbersOf(seen, outputNames.max(value)) ?? [];
  return { min, max };
}

/** +∞…−∞ is no fault: there was no element. */
function isFault({ min, max }: Range): boolean {
  const isEmpty = min === Infinity && max === -Infinity;
  return !isEmpty && !(Number.isFinite(min) && Number.isFinite(max));
}

/** Splits values into rounds whose tensors fit into memory together. */
function shareOut(graph: Graph, values: readonly ValueId[]): readonly (readonly ValueId[])[] {
  const rounds: ValueId[][] = [];
  let bytes = Infinity;
  for (const value of values) {
    const { type } = graph.value(value);
    const shape = type.kind === "tensor" && type.shape !== undefined ? type.shape : [];
    const size = shape.reduce<number>(
      (product, dim) => product * (typeof dim === "number" ? dim : guessedDim),
      4,
    );
    if (bytes + size > bytesPerRun) {
      rounds.push([]);
      bytes = 0;
    }
    rounds.at(-1)?.push(value);
    bytes += size;
  }
  return rounds;
}
