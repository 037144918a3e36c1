import { onnxArtifact, PareError } from "@pare/runtime/format";
import { storedWeights } from "../analysis/stored-weights.js";
import { isWeightedOp, type WeightedNode, weightedNode } from "../analysis/weighted-node.js";
import { edit, type Graph, type ValueId } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import type { Examples } from "../pipeline/examples.js";
import { oneOf } from "../pipeline/kinds.js";
import { option } from "../pipeline/options.js";
import { definePass, type PassContext } from "../pipeline/pass.js";
import { blockView } from "../quantize/block-view.js";
import { compensated, compensation } from "../quantize/compensate.js";
import type { IntegerFormat } from "../quantize/format.js";
import { asHalves, fitsHalves } from "../quantize/half.js";
import { chooseScales } from "../quantize/range.js";
import { dequantize, quantize } from "../quantize/round.js";
import { bringToNormalForm } from "./normal-form.js";
import { type WeightToStore, StoringEditor } from "./quantization/stored/storing-editor.js";

/** int4 by blocks, the error of each weight made up for by the next ones of its block. */
export const roundWithExamples = definePass({
  name: "round-with-examples",
  summary:
    "weights of matrices stored as int4 by blocks, rounded so that products on examples stay",
  options: { blockSize: option(oneOf([16, 32, 64]), 32, "Weights that share a scale.") },
  create: ({ blockSize }) => ({
    exactness: "lossy",
    precision: "int4-weights",
    needs: "examples",
    run: (graph, context) => run(graph, context, blockSize),
  }),
});

async function run(graph: Graph, context: PassContext, blockSize: number): Promise<void> {
  if (context.examples === undefined)
    throw new PareError("DATA_MISMATCH", "round-with-examples needs examples.", {
      where: "round-with-examples",
      hint: "Add --data.",
    });
  await bringToNormalForm(graph);
  const layers = graph.order().flatMap((node) => {
    const weighted = isWeightedOp(node) ? weightedNode(graph, node) : { why: "" };
    return "why" in weighted || weighted.kind !== "matmul" || weighted.axis === undefined
      ? []
      : [weighted];
  });
  const rounded: WeightToStore[] = [];
  for (const layer of layers) {
    const one = await round(graph, layer, context.examples, blockSize);
    if (one !== null) rounded.push(one);
  }
  if (rounded.length === 0) return;
  edit(graph, "round-with-examples", (editor) => {
    const storing = new StoringEditor(graph, editor);
    for (const one of rounded) storing.store(one, "fold");
  });
}

async function round(
  graph: Graph,
  { node, axis, weight: value, weightTensor: tensor, activation }: WeightedNode,
  examples: Examples,
  blockSize: number,
): Promise<WeightToStore | null> {
  const weight = storedWeights(graph, 1024).find((one) => one.value === value);
  const view = blockView(tensor.dims, axis, blockSize);
  const { granularity } = view;
  const [first = 1, second = 1] = tensor.dims;
  const [outputs, inputs] = axis === 0 ? [first, second] : [second, first];
  if (weight === undefined || granularity.kind !== "block" || inputs % blockSize !== 0) {
    graph.leave("round-with-examples", node, "its inputs do not make whole blocks");
    return null;
  }
  const format: IntegerFormat = { dtype: "int4", symmetric: true, granularity };
  const values = (await tensor.readFloat32()).slice();
  const chosen = chooseScales(values, view.dims, format, "mse");
  const halves = fitsHalves(chosen.scales);
  const scales = { ...chosen, scales: halves ? asHalves(chosen.scales) : chosen.scales };
  const steps = dequantize({
    ...scales,
    format,
    dims: view.dims,
    data: new Int8Array(values.length).fill(1),
  });
  const rows = await readInputs(graph, activation, examples, inputs);
  for (let start = 0; start < inputs; start += blockSize) {
    const upper = compensation(momentsOf(rows, inputs, start, blockSize), blockSize);
    for (let output = 0; output < outputs; output += 1) {
      const place = (i: number): number =>
        axis === 0 ? output * inputs + start + i : (start + i) * outputs + output;
      const step = steps[place(0)] as number;
      const nearest = (weightValue: number): number =>
        step * Math.max(-8, Math.min(7, Math.round(weightValue / step)));
      const block = Float64Array.from({ length: blockSize }, (_, i) => values[place(i)] as number);
      for (const [i, moved] of compensated(block, upper, nearest).entries())
        values[place(i)] = moved;
    }
  }
  return { weight, tensor: quantize(values, view.dims, format, scales), rows: null, halves };
}

/** What a layer reads on the examples, row by row. */
async function readInputs(
  graph: Graph,
  value: ValueId,
  examples: Examples,
  width: number,
): Promise<readonly Float32Array[]> {
  const copy = graph.fork();
  edit(
    copy,
    "round-with-examples",
    (editor) => {
      editor.removeOutput(0);
      editor.rename(value, "seen");
      editor.addOutput(value);
    },
    { interface: true },
  );
  const session = await examples.executor.load(onnxArtifact((await encodeModel(copy)).proto));
  try {
    const rows: Float32Array[] = [];
    for await (const { feeds } of examples.read()) {
      const data = (await session.run(feeds))["seen"]?.data as Float32Array;
      for (let at = 0; at < data.length; at += width) rows.push(data.slice(at, at + width));
    }
    return rows;
  } finally {
    await session.dispose();
  }
}

/** XᵀX of some neighbouring inputs. */
function momentsOf(
  rows: readonly Float32Array[],
  width: number,
  start: number,
  size: number,
): Float64Array {
  const moments = new Float64Array(size * size);
  const end = Math.min(width, start + size);
  for (const row of rows) {
    for (let i = start; i < end; i += 1) {
      const x = row[i] as number;
      if (x === 0) continue;
      for (let j = start; j < end; j += 1) {
        const at = (i - start) * size + j - start;
        moments[at] = (moments[at] as number) + x * (row[j] as number);
      }
    }
  }
  return moments;
}
