import {
  type Artifact,
  distanceOf,
  type Executor,
  type Tensors,
  throwIfAborted,
} from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import type { Examples } from "../pipeline/examples.js";
import { findTarget } from "../targets/index.js";
import type { State } from "./candidate.js";
import { change, type MakeServices } from "./make.js";
import type { StepGroup } from "../pipeline/step.js";
import type { TargetDevice } from "./request.js";

/** A node by the name that `keepFloat.nodes` takes. */
export interface Layer {
  readonly layer: string;
  readonly op: string;
}

/** How much a model's outputs move when one layer alone is quantized. */
export interface LayerSensitivity extends Layer {
  /** ‖quantized − float‖² / ‖float‖² over all outputs and samples. */
  readonly error: number;
}

export const sensitivitySamples = 8;

/**
 * Quantizes one layer at a time and runs the whole model; most sensitive first. Observed activations are shared, so
 * that a layer costs one load and a few runs.
 * @param keeping a group that leaves the named layers float
 */
export async function layerSensitivity(
  from: State,
  keeping: (layers: readonly string[]) => StepGroup,
  layers: readonly Layer[],
  { target, executor }: Pick<TargetDevice, "target" | "executor">,
  examples: Examples,
  services: MakeServices,
  onLayer: (done: number) => void,
): Promise<readonly LayerSensitivity[]> {
  const feeds: Tensors[] = [];
  for await (const example of examples.read()) {
    feeds.push(example.feeds);
    if (feeds.length === sensitivitySamples) break;
  }
  const asked = (graph: Graph): ReturnType<typeof answers> =>
    answers(executor, findTarget(target).emit(graph, {}), feeds);
  const float = await asked(from.graph);
  const measured: LayerSensitivity[] = [];
  for (const [index, { layer, op }] of layers.entries()) {
    throwIfAborted(services.signal);
    const others = layers.map((other) => other.layer).filter((other) => other !== layer);
    const { state } = await change(from, keeping(others), "mixed", services);
    const error = relativeError(float, await asked(state.graph));
    measured.push({ layer, op, error });
    onLayer(index + 1);
  }
  return measured.sort((a, b) => b.error - a.error);
}

async function answers(
  executor: Executor,
  artifact: Promise<Artifact>,
  feeds: readonly Tensors[],
): Promise<readonly Tensors[]> {
  const session = await executor.load(await artifact);
  try {
    const outputs: Tensors[] = [];
    for (const feed of feeds) outputs.push(await session.run(feed));
    return outputs;
  } finally {
    await session.dispose();
  }
}

/**
 * Each output counts the same, whatever its scale: boxes in pixels must not drown scores. One that is missing or not
 * finite is as wrong as can be.
 */
function relativeError(float: readonly Tensors[], quantized: readonly Tensors[]): number {
  const sums = new Map<string, { noise: number; signal: number }>();
  for (const [index, outputs] of float.entries()) {
    for (const [name, expected] of Object.entries(outputs)) {
      const actual = quantized[index]?.[name];
      if (actual === undefined) return Infinity;
      const { noise, signal } = distanceOf(expected, actual);
      const sum = sums.get(name) ?? { noise: 0, signal: 0 };
      sums.set(name, { noise: sum.noise + noise, signal: sum.signal + signal });
    }
  }
  let total = 0;
  for (const { noise, signal } of sums.values()) total += signal > 0 ? noise / signal : noise;
  return Number.isNaN(total) ? Infinity : total;
}
