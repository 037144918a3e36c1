import { onnxArtifact, reduceOutputs, type Tensors, throwIfAborted } from "@pare/runtime/format";
import { edit, type Graph, type Node } from "../../ir/index.js";
import { encodeModel } from "../../onnx/index.js";
import type { Examples } from "../../pipeline/examples.js";
import type { PassContext } from "../../pipeline/pass.js";
import type { Consumer } from "../../prune/consumers.js";
import { ridgeRegression, squaredError } from "../../prune/ridge-regression.js";
import { bindBatch } from "../../train/bind-batch.js";
import { type FittedLayer, fittedLayer, putRows, rowsOf, unknownsOf } from "./fitted-layer.js";
import { mustStay } from "./must-stay.js";
import { fittingGraph, type Fitting, fittingOf, fittingSums } from "./fitting-graph.js";

/** Of a layer's inputs, on average: what samples do not tell stays as it was. */
const ridge = 1e-3;
/** Each has many places; more samples change little. */
export const mostSamples = 128;

const pass = "prune";

/**
 * Fits the weights of layers that lost inputs, so that they give what they gave in the whole model as nearly as samples tell:
 * no labels, no gradients (He et al. 2017, "Channel Pruning for Accelerating Very Deep Neural Networks", 3.1). One layer
 * after the other, in order of execution: each sees what is left of those before it, which were fitted already.
 * @param whole the model before the cut, with the same nodes
 * @throws PareError ENGINE, ABORTED
 */
export async function reconstruct(
  whole: Graph,
  cut: Graph,
  consumers: readonly Consumer[],
  examples: Examples,
  { signal, onProgress }: Pick<PassContext, "signal" | "onProgress">,
): Promise<void> {
  const samples = await firstOf(examples, mostSamples);
  const [first] = samples;
  if (first === undefined) return;
  const sized = cut.fork();
  const dims = Object.entries(first).map(([name, tensor]) => [name, tensor.dims] as const);
  bindBatch(sized, Object.fromEntries(dims), dims[0]?.[1][0] ?? 1);
  for (const [index, { node, kept }] of consumers.entries()) {
    throwIfAborted(signal);
    onProgress?.(index / consumers.length, `fitting layer ${index + 1} of ${consumers.length}`);
    const here = cut.node(node.id);
    const layer = fittedLayer(cut, here);
    const graph = "why" in layer ? layer : fittingGraph(whole, cut, sized, layer, kept);
    if ("why" in layer) leave(cut, here, layer.why);
    else if ("why" in graph) leave(cut, here, graph.why);
    else await fit(cut, layer, await summed(graph, layer, samples, examples, signal));
  }
}

async function firstOf(examples: Examples, most: number): Promise<readonly Tensors[]> {
  const found: Tensors[] = [];
  for await (const { feeds } of examples.read()) {
    found.push(feeds);
    if (found.length === Math.min(most, examples.count)) break;
  }
  return found;
}

async function summed(
  graph: Graph,
  layer: FittedLayer,
  samples: readonly Tensors[],
  { executor }: Examples,
  signal: AbortSignal | undefined,
): Promise<Fitting | undefined> {
  const { proto } = await encodeModel(graph);
  const session = await executor.load(onnxArtifact(proto, { spinning: false }), { signal });
  try {
    return fittingOf(layer, await reduceOutputs(session, each(samples), fittingSums, { signal }));
  } finally {
    await session.dispose();
  }
}

async function* each(samples: readonly Tensors[]): AsyncGenerator<Tensors> {
  yield* samples;
}

async function fit(cut: Graph, layer: FittedLayer, fitting: Fitting | undefined): Promise<void> {
  const { node } = layer.weighted;
  const before = await rowsOf(layer);
  const width = unknownsOf(layer);
  const after = before.slice();
  let [wasOff, isOff] = [0, 0];
  for (const [index, { equations, squares }] of (fitting?.groups ?? []).entries()) {
    const start = index * equations.cross.length;
    const own = before.subarray(start, start + equations.cross.length);
    const fitted = ridgeRegression(equations, own, ridge, width > layer.inputs);
    if (fitted === null) {
      leave(cut, node, "the samples do not tell others");
      return;
    }
    after.set(fitted, start);
    wasOff += squaredError(equations, squares, own);
    isOff += squaredError(equations, squares, fitted);
  }
  edit(cut, pass, (editor) => {
    putRows(editor, layer, after);
    const [was, is] = [wasOff, isOff].map((error) => shareText(error, fitting?.variance ?? 0));
    editor.note(node, `weights fitted to what it gave: ${was} of the variance was off, ${is} is`);
  });
}

function shareText(part: number, whole: number): string {
  return `${(whole > 0 ? (100 * part) / whole : 0).toFixed(1)} %`;
}

function leave(graph: Graph, node: Node, why: string): void {
  graph.leave(pass, node, `its weights ${mustStay} as they were: ${why}`);
}
