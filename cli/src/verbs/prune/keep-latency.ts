import { createMeasure, type EngineHost } from "@pare/bench";
import { channelGroups, encodeModel, type Graph, prunableWork, type Step } from "@pare/compiler";
import {
  type Artifact,
  type LatencyRatio,
  onnxArtifact,
  PareError,
  type TargetName,
} from "@pare/runtime/format";
import type { Output } from "../../terminal/output.js";
import { openEngines } from "../../workbench/engines.js";
import type { OpenedModel } from "../../workbench/opened-model.js";
import { noiseOf } from "../../workbench/noise-of.js";
import { applySteps } from "../../workbench/run-steps.js";
import {
  guessedText,
  syntheticCount,
  syntheticSamples,
} from "../../workbench/synthetic-samples.js";
import { fittingSize } from "../../workbench/fitting-size.js";
import { type SharesTimed, shareByLatency, type TimedShare } from "./share-by-latency.js";

export interface LatencyWish {
  readonly model: OpenedModel;
  readonly target: TargetName;
  /** Of the latency, what is left at most. */
  readonly keep: number;
  /** What cuts to a share of the multiply-accumulates; where it is null, what makes of the model what that is compared with. */
  stepsFor(keepFlops: number | null): readonly Step[];
  readonly seed: number;
  readonly say: Output;
  readonly signal: AbortSignal;
}

/** How long each share is timed beside the whole model. */
const limits = { warmUpMs: 300, blocks: 9, maxBlocks: 24, maxMs: 4000 };

/**
 * Which share of the multiply-accumulates leaves the latency that is wished for, timed on the target's engine with what
 * weights there are: training changes none of the sizes.
 * @throws PareError RECIPE where nothing multiplies, or even the smallest is not quick enough; UNSUPPORTED_OP, UNSUPPORTED_DEVICE
 */
export async function keepByLatency(
  wish: LatencyWish,
): Promise<SharesTimed & { readonly chosen: TimedShare }> {
  const { model, target, keep, seed, say, signal } = wish;
  const cutTo = async (keepFlops: number | null): Promise<Graph> => {
    const graph = model.graph.fork();
    const steps = wish.stepsFor(keepFlops);
    // A share is tried: what there is to note is noted when it is chosen.
    await applySteps({
      model: { ...model, graph },
      steps,
      seed,
      say: { ...say, note: () => {} },
      signal,
    });
    return graph;
  };
  const usual = await fittingSize(model.graph, model.inputs);
  const guessed = guessedText(model.inputs, {}, usual);
  if (guessed !== null) say.note(guessed);
  const whole = await cutTo(null);
  const { macs, least } = prunableWork(whole, channelGroups(whole).groups);
  if (macs <= 0) throw noWork(keep);
  const before = await artifactOf(whole);
  const engines = await openEngines([target], { signal });
  try {
    demandTimed(engines.hosts.get(target));
    const all = Array.from({ length: syntheticCount }, (_, index) => index);
    const measure = createMeasure({
      hosts: engines.hosts,
      samples: syntheticSamples(model.inputs, seed, { usual, noise: noiseOf(model.graph) }),
      splits: { calibration: [], validation: all, test: all },
      scorer: null,
      seed,
    });
    const latencyAt = async (keepFlops: number): Promise<LatencyRatio> => {
      say.progress(0, `${target}: timing ${keepFlops} of the multiply-accumulates`);
      const artifacts = [before, await artifactOf(await cutTo(keepFlops))] as const;
      const { between } = await measure.latency({ artifacts, target, limits, seed, signal });
      const found = between[0]?.[1];
      if (found === undefined) throw new PareError("INTERNAL", "Nothing was timed.");
      return found;
    };
    const smallest = Math.min(1, Math.max(0.01, (1.05 * least) / macs));
    const { chosen, tried } = await shareByLatency(keep, smallest, latencyAt);
    if (chosen === null) throw tooQuick(keep, target, tried);
    return { chosen, tried };
  } finally {
    await engines.dispose();
  }
}

async function artifactOf(graph: Graph): Promise<Artifact> {
  return onnxArtifact((await encodeModel(graph)).proto);
}

/** @throws PareError UNSUPPORTED_DEVICE for a GPU that is emulated */
function demandTimed(host: EngineHost | undefined): void {
  if (host?.software !== true) return;
  throw new PareError(
    "UNSUPPORTED_DEVICE",
    `--keep-latency cannot be met: the GPU of ${host.engine} is emulated on the CPU, and its times say nothing.`,
    {
      where: host.target,
      hint: "Time on a machine with a GPU, or with --target cpu or wasm; --keep-flops needs no times.",
    },
  );
}

function noWork(keep: number): PareError {
  return new PareError(
    "RECIPE",
    `--keep-latency ${keep} cannot be met: the model has no multiply-accumulates.`,
    {
      where: "--keep-latency",
      hint: "Do without pruning; pare optimize may still make it faster.",
    },
  );
}

function tooQuick(keep: number, target: TargetName, tried: readonly TimedShare[]): PareError {
  const quickest = tried.reduce((a, b) => (b.latency.ratio < a.latency.ratio ? b : a));
  return new PareError(
    "RECIPE",
    `--keep-latency ${keep} cannot be met on ${target}: the quickest that was timed takes ${latencyText(quickest)}.`,
    {
      where: "--keep-latency",
      hint: "Ask for more. A small model spends most of a run on starting operators, which no cut makes fewer.",
    },
  );
}

/** `0.63 (0.61 to 0.66) of the latency with 0.45 of the multiply-accumulates` */
export function latencyText({ keepFlops, latency }: TimedShare): string {
  const [ratio, low, high] = [latency.ratio, ...latency.interval].map((one) => one.toFixed(2));
  return `${ratio} (${low} to ${high}) of the latency with ${keepFlops.toFixed(2)} of the multiply-accumulates`;
}
