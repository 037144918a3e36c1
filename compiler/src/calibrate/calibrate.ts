import {
  type Distribution,
  distributionOf,
  type Executor,
  onnxArtifact,
  PareError,
  reduceOutputs,
  type Session,
  type SessionOptions,
  type Tensors,
  throwIfAborted,
} from "@pare/runtime/format";
import { type Graph, isStatic, type ValueId } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import type { Range } from "../quantize/scale.js";
import { activationBytes } from "./activation-bytes.js";
import { observedGraph, placesIn, type Sighting, type Watched } from "./observed-graph.js";
import { both, movement } from "./sightings.js";

/** The calibration split's feeds, on an engine; `samples` starts anew at each call. */
export interface CalibrationSamples {
  readonly executor: Executor;
  samples(): AsyncIterable<Tensors>;
  readonly count: number;
}

export interface CalibrateOptions {
  /** All samples, in the graph as it is: last digits that no fusion changes. */
  readonly exact?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Done so far, of 1. */
  readonly onProgress?: ((fraction: number, what: string) => void) | undefined;
}

/** What was seen of activations. */
export interface Calibrated {
  /** Of finite elements; 0…0 where there was none. */
  readonly ranges: ReadonlyMap<ValueId, Range>;
  readonly histograms: ReadonlyMap<ValueId, Distribution>;
  /** Over all samples; undefined for what was not watched. */
  channelMeans(value: ValueId, axis: number): Float64Array | undefined;
}

/**
 * What the activations of one run may take that become outputs: a third of all, but not less than is worth another pass
 * over the samples, nor more than a machine has. An engine hands over copies, so a run takes twice as much.
 */
const [leastPerRun, mostPerRun] = [16 * 2 ** 20, 256 * 2 ** 20];
const mostRuns = 3;
/** So many samples are looked at in any case; then as many again, each time, while ranges still move. */
const firstSamples = 64;
/** Of their widths, on average, when twice as many samples were seen: then more would say no more. */
const stillMovement = 0.02;

/**
 * Runs samples through copies of the graph that give away what is watched, and reduces it where the engine is: nothing is
 * kept of a sample, and samples may differ in shape. Activations whose distribution is asked for are shared out over
 * several passes over the samples where they are too large for one. Many samples are taken only while the ranges still
 * move: the order of samples should be one whose every beginning is fair.
 * @throws PareError DATA_MISMATCH when there is no sample; ENGINE; ABORTED
 */
export async function calibrate(
  graph: Graph,
  source: CalibrationSamples,
  watched: Watched,
  { signal, onProgress, exact = false }: CalibrateOptions = {},
): Promise<Calibrated> {
  throwIfAborted(signal);
  const bytesOf = activationBytes(graph, await firstSample(source));
  const [first = [], ...others] = shareOut(graph, watched.histograms, bytesOf);
  const rounds: Watched[] = [
    { ...watched, histograms: first },
    ...others.map((histograms) => ({ extremes: [], histograms, channelSums: [] })),
  ];
  const histograms = new Map<ValueId, Distribution>();
  const observe = async (round: Watched, before: number): Promise<Sighting> => {
    const seen = await observeOnce(graph, source, round, bytesOf, {
      exact,
      signal,
      onProgress: (fraction, what) => onProgress?.((before + fraction) / rounds.length, what),
    });
    for (const [value, observation] of seen.histograms)
      histograms.set(value, distributionOf(observation));
    return seen;
  };
  const seen: Sighting[] = [];
  for (const [before, round] of rounds.entries()) seen.push(await observe(round, before));
  const extremes = seen.flatMap((one) => [...one.extremes]);
  // An engine's extremes are of all elements. Those of the finite ones are found by looking at each.
  const faulty = extremes.filter(([, range]) => isFaulty(range)).map(([value]) => value);
  for (const missing of shareOut(graph, faulty, bytesOf))
    await observe({ extremes: [], histograms: missing, channelSums: [] }, rounds.length - 1);

  const ranges = new Map<ValueId, Range>();
  for (const [value, { min, max }] of extremes) {
    const elementwise = faulty.includes(value) ? histograms.get(value)?.range : undefined;
    // A value without elements is the smallest of none: +∞.
    const range = min > max ? { min: 0, max: 0 } : { min: min + 0, max: max + 0 };
    ranges.set(value, elementwise ?? range);
  }
  return {
    ranges,
    histograms,
    channelMeans(value, axis) {
      for (const { channelSums, sizes } of seen) {
        const found = channelSums.find((one) => one.value === value && one.axis === axis);
        const elements = Math.max(1, sizes.get(value) ?? 0);
        if (found) return found.sums.map((sum) => (sum * found.sums.length) / elements);
      }
      return undefined;
    },
  };
}

/** @throws PareError DATA_MISMATCH when there is none */
async function firstSample(source: CalibrationSamples): Promise<Tensors> {
  for await (const feeds of source.samples()) return feeds;
  throw new PareError("DATA_MISMATCH", "There is no sample to calibrate with.", {
    hint: "Give the calibration split at least one sample.",
  });
}

/**
 * How a graph with free dims is opened: what an engine makes of one whose shapes it does not know is worth little, and a
 * text recognizer took 206 MB with it for its ranges, and 37 without (house/calibration). Fixed shapes are worth it, where there
 * are not so many operators that looking for what to fuse takes longer than all samples do.
 */
const asItIs: SessionOptions = { graphOptimizationLevel: "disabled" };
const mostFused = 6000;

function hasFreeDims(graph: Graph): boolean {
  return graph.main.inputs.some((input) => {
    const { type } = graph.value(input);
    return type.kind !== "tensor" || type.shape === undefined || !isStatic(type.shape);
  });
}

/** One pass over the samples. */
async function observeOnce(
  graph: Graph,
  source: CalibrationSamples,
  watched: Watched,
  bytesOf: (value: ValueId) => number,
  { signal, onProgress, exact = false }: CalibrateOptions,
): Promise<Sighting> {
  const observed = observedGraph(graph, watched, bytesOf);
  const session = await open(source.executor, observed.graph, { signal, exact });
  const samples = source.samples()[Symbol.asyncIterator]();
  let seen: Sighting | null = null;
  let done = 0;
  try {
    for (;;) {
      const before = done;
      const wanted = Math.max(firstSamples, before);
      const reduced = await reduceOutputs(session, next(samples, wanted), observed.reductions, {
        signal,
        onSamples(count) {
          done = before + count;
          onProgress?.(Math.min(1, done / Math.max(1, source.count)), "calibrating");
        },
      });
      const now = observed.read(reduced, done - before);
      const all: Sighting = seen === null ? now : both(seen, now);
      const isStill = !exact && seen !== null && movement(seen, all) <= stillMovement;
      seen = all;
      if (isStill || done < before + wanted) return seen;
    }
  } finally {
    await samples.return?.();
    // What was seen is there: nobody waits for the engine to tidy up, and whoever asks it next waits for that.
    void session.dispose().catch(() => {});
  }
}

/** The file is kept by nobody. */
async function open(
  executor: Executor,
  graph: Graph,
  { signal, exact = false }: CalibrateOptions,
): Promise<Session> {
  const { proto } = await encodeModel(graph);
  const isLeft = exact || hasFreeDims(graph) || graph.order().length > mostFused;
  const artifact = onnxArtifact(proto, isLeft ? asItIs : {});
  return executor.load(artifact, { signal });
}

/** The next few, or as many as are left. */
async function* next(
  samples: AsyncIterator<Tensors>,
  count: number,
): AsyncGenerator<Tensors, void, undefined> {
  for (let taken = 0; taken < count; taken += 1) {
    const { done, value } = await samples.next();
    if (done === true) return;
    yield value;
  }
}

/** +∞…−∞ is no fault: there was no element. */
function isFaulty({ min, max }: Range): boolean {
  const isEmpty = min === Infinity && max === -Infinity;
  return !isEmpty && !(Number.isFinite(min) && Number.isFinite(max));
}

/** Splits values into rounds that fit into memory together; an early round needs only the beginning of the graph. */
function shareOut(
  graph: Graph,
  values: readonly ValueId[],
  bytesOf: (value: ValueId) => number,
): readonly (readonly ValueId[])[] {
  const placeOf = placesIn(graph);
  const all = values.reduce((sum, value) => sum + bytesOf(value), 0);
  const share = Math.min(mostPerRun, Math.max(leastPerRun, all / mostRuns));
  const rounds: ValueId[][] = [];
  let bytes = Infinity;
  for (const value of values.toSorted((a, b) => placeOf(a) - placeOf(b))) {
    const own = bytesOf(value);
    // One that is larger than a share has a round of its own; what is over the last share by a little needs none.
    const isFull = bytes + own / 2 > share || bytes + own > mostPerRun;
    if (isFull) {
      rounds.push([]);
      bytes = 0;
    }
    bytes += own;
    rounds.at(-1)?.push(value);
  }
  return rounds;
}
