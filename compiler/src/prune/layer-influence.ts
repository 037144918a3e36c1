import { onnxArtifact, PareError, throwIfAborted } from "@pare/runtime/format";
import {
  attribute,
  codeOfDtype,
  edit,
  type Editor,
  type Graph,
  Tensor,
  type ValueId,
} from "../ir/index.js";
import type { RepeatedLayer } from "../analysis/repeated-layers.js";
import { encodeModel } from "../onnx/index.js";
import type { Examples } from "../pipeline/examples.js";

/** What layers do shows on few samples: each has many places. */
const mostSamples = 64;

/**
 * How much each layer changes what goes through it: 1 minus the cosine between what enters and what leaves it, a mean over
 * places and samples (block influence: Men et al. 2024, "ShortGPT", eq. 1). Places that a sample fills up count too. A
 * vector lies along the last axis, in pictures along the second.
 * @param graph in normal form; it stays as it is
 */
export async function layerInfluences(
  graph: Graph,
  layers: readonly RepeatedLayer[],
  examples: Examples,
  signal?: AbortSignal,
): Promise<readonly number[]> {
  const { proto } = await encodeModel(watched(graph, layers));
  const session = await examples.executor.load(onnxArtifact(proto), { signal });
  const sums = layers.map(() => 0);
  let samples = 0;
  try {
    for await (const { feeds } of examples.read()) {
      throwIfAborted(signal);
      const outputs = await session.run(feeds, signal);
      for (const index of sums.keys())
        sums[index] = (sums[index] ?? 0) + Number(outputs[influenceName(index)]?.data[0]);
      samples += 1;
      if (samples === mostSamples) break;
    }
  } finally {
    await session.dispose();
  }
  if (samples > 0) return sums.map((sum) => sum / samples);
  throw new PareError("DATA_NOT_FOUND", "There is no sample to measure layers on.", {
    where: "drop-layers",
    hint: "Give the data at least one sample.",
  });
}

const influenceName = (index: number): string => `influence_${index}`;

/** The graph with the influence of each layer as its outputs. */
function watched(graph: Graph, layers: readonly RepeatedLayer[]): Graph {
  const copy = graph.fork();
  edit(
    copy,
    "drop-layers",
    (editor) => {
      for (let index = copy.main.outputs.length - 1; index >= 0; index -= 1)
        editor.removeOutput(index);
      for (const [index, { input, output }] of layers.entries()) {
        const influence = emitInfluence(editor, input, output, axisOf(graph, input));
        editor.rename(influence, influenceName(index));
        editor.addOutput(influence);
      }
    },
    { interface: true },
  );
  return copy;
}

function axisOf(graph: Graph, value: ValueId): number {
  const { type } = graph.value(value);
  return type.kind === "tensor" && (type.shape?.length ?? 0) > 3 ? 1 : -1;
}

function emitInfluence(editor: Editor, input: ValueId, output: ValueId, axis: number): ValueId {
  const dropped = { keepdims: attribute.int(0) };
  const number = (value: number): ValueId =>
    editor.constant("influence_number", Tensor.float32([], [value]));
  const dot = (a: ValueId, b: ValueId): ValueId => {
    const axes = editor.constant("influence_axis", Tensor.int64([axis]));
    return editor.add1("ReduceSum", [editor.add1("Mul", [a, b]), axes], dropped);
  };
  // Layers may be of other floats: sums of squares of float16 soon exceed it.
  const floats = (value: ValueId): ValueId =>
    editor.add1("Cast", [value], { to: attribute.int(codeOfDtype("float32")) });
  const [before, after] = [floats(input), floats(output)];
  const squares = editor.add1("Mul", [dot(before, before), dot(after, after)]);
  const lengths = editor.add1("Sqrt", [editor.add1("Add", [squares, number(1e-12)])]);
  const cosine = editor.add1("Div", [dot(before, after), lengths]);
  return editor.add1("Sub", [number(1), editor.add1("ReduceMean", [cosine], dropped)]);
}
