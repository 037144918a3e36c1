import { PareError } from "@pare/runtime/format";
import { edit, type Graph } from "../ir/index.js";
import { type StoredWeight, storedWeights } from "../analysis/stored-weights.js";
import { isDecoded } from "../analysis/decoded.js";
import { multipliesIntegers } from "../analysis/weighted-node.js";
import { operatorOf } from "../ops/index.js";
import { boolean, integer, oneOf } from "../pipeline/kinds.js";
import { option, type OptionsOf } from "../pipeline/options.js";
import { definePass } from "../pipeline/pass.js";
import { along, type IntegerFormat } from "../quantize/format.js";
import { type BlockView, blockView } from "../quantize/block-view.js";
import { asHalves, fitsHalves } from "../quantize/half.js";
import { chooseScales } from "../quantize/range.js";
import { quantize } from "../quantize/round.js";
import { allFinite } from "./quantization/finite.js";
import { isKept } from "./quantization/keep-float.js";
import { bringToFloat32 } from "./normal-form.js";
import { rowReaders } from "./quantization/stored/row-readers.js";
import { type WeightToStore, StoringEditor } from "./quantization/stored/storing-editor.js";
import { keepFloat, weightRanges } from "./quantization/weight-options.js";

const described = {
  decode: option(
    oneOf(["fold", "dequantize"]),
    "fold",
    "Operators that onnxruntime computes once when it loads, or DequantizeLinear, which it computes at every run; of a MatMul on a CPU with activations rounded to 8 bits, too.",
  ),
  bits: option(oneOf([8, 4, 2]), 8, "Of a weight; two for `decode: fold` alone."),
  granularity: option(
    oneOf(["channel", "block", "tensor"]),
    "channel",
    "What shares a scale: an output channel of the weights, `blockSize` weights of a channel, or all of them.",
  ),
  // As engines' kernels for blocks want them.
  blockSize: option(
    oneOf([16, 32, 64, 128, 256, 512, 1024]),
    32,
    'Weights of a block, where `granularity` is "block".',
  ),
  symmetric: option(
    boolean,
    true,
    "Integers around zero; otherwise a zero point goes with each scale.",
  ),
  weightRanges: weightRanges("mse"),
  minBytes: option(
    integer(),
    1024,
    "Smaller tensors stay as they are; in bytes of their float32 form.",
  ),
  keepFloat,
};

type WeightsOptions = OptionsOf<typeof described>;

export const quantizeWeights = definePass({
  name: "quantize-weights",
  summary:
    "weights stored as int8, int4 or int2 and decoded to float when the model is loaded: small, no faster",
  options: described,
  create(options) {
    // The type of two bits is of opset 25, which no engine that Pare writes for reads.
    if (options.bits === 2 && options.decode === "dequantize")
      throw new PareError(
        "RECIPE",
        "quantize-weights.decode dequantize goes with 8 or 4 bits: DequantizeLinear has no type of 2 bits.",
        { where: "quantize-weights.decode", hint: "Use `fold`, or 4 bits." },
      );
    return {
      exactness: "lossy",
      precision: `int${options.bits}-weights`,
      decodedOnceBy: options.decode === "fold" ? "all" : "modules",
      run: (graph) => run(graph, options),
    };
  },
});

async function run(graph: Graph, options: WeightsOptions): Promise<void> {
  await bringToFloat32(graph);
  const rounded: WeightToStore[] = [];
  for (const weight of storedWeights(graph, options.minBytes)) {
    const { reader, tensor, value } = weight;
    // One file holds weights once: they stay for all that read them.
    const kept = graph.consumers(value).find((one) => isKept(graph, one, options.keepFloat));
    if (kept !== undefined) {
      graph.leave("quantize-weights", kept, "its weights were asked to stay float");
      continue;
    }
    const values = await tensor.readFloat32();
    if (!allFinite(values)) {
      graph.leave("quantize-weights", reader, "its weights are not all finite");
      continue;
    }
    const one = roundWeight(graph, weight, values, options);
    if (one !== null) rounded.push(one);
    else graph.leave("quantize-weights", reader, "its scales would take what its integers save");
  }
  if (rounded.length === 0) return leaveAll(graph, options.minBytes);
  edit(graph, "quantize-weights", (editor) => {
    const storing = new StoringEditor(graph, editor);
    for (const one of rounded) storing.store(one, options.decode);
  });
}

/** Where nothing was stored smaller, each node with weights says why: otherwise none would seem to have any. */
function leaveAll(graph: Graph, minBytes: number): void {
  const small = `its weights take less than ${minBytes} bytes`;
  const smaller = new Set(storedWeights(graph, 0).map(({ value }) => value));
  for (const { value } of storedWeights(graph, minBytes)) smaller.delete(value);
  for (const body of graph.allBodies()) {
    for (const node of graph.order(body)) {
      if (multipliesIntegers(node))
        graph.leave("quantize-weights", node, "it is quantized already");
      for (const { input } of operatorOf(node)?.traits.weights ?? []) {
        const value = node.inputs[input];
        if (value === null || value === undefined) continue;
        if (smaller.has(value)) graph.leave("quantize-weights", node, small);
        else if (isDecoded(graph, value))
          graph.leave("quantize-weights", node, "its weights are quantized already");
      }
    }
  }
}

/** How a weight's elements share scales. */
function viewOf(
  { tensor: { dims }, axis, summed }: StoredWeight,
  { granularity, blockSize }: WeightsOptions,
): BlockView {
  const own = summed === undefined ? undefined : dims[summed];
  if (granularity === "tensor") return { dims, granularity: along(undefined) };
  if (summed !== undefined && own !== undefined) {
    const size = granularity === "block" ? Math.min(blockSize, own) : own;
    return { dims, granularity: { kind: "block", axis: summed, size } };
  }
  return granularity === "block"
    ? blockView(dims, axis, blockSize)
    : { dims, granularity: along(axis) };
}

/** Null where nothing would be saved. */
function roundWeight(
  graph: Graph,
  weight: StoredWeight,
  values: Float32Array,
  options: WeightsOptions,
): WeightToStore | null {
  const { decode, bits, symmetric, weightRanges } = options;
  const { tensor } = weight;
  const view = viewOf(weight, options);
  const format: IntegerFormat = {
    dtype: symmetric ? `int${bits}` : `uint${bits}`,
    symmetric,
    granularity: view.granularity,
  };
  const rows = decode === "fold" ? rowReaders(graph, weight, view, bits) : null;
  const chosen = chooseScales(values, view.dims, format, weightRanges);
  // Scales that are many are rounded to float16 first, so that they can be stored so without loss; with zero points of
  // 8 bits that would move what is far from zero.
  const many = rows !== null || view.granularity.kind === "block" || bits < 8;
  const halves = many && (symmetric || bits < 8) && fitsHalves(chosen.scales);
  const scales = halves ? asHalves(chosen.scales) : chosen.scales;
  const scaleBytes = scales.length * (halves ? 2 : 4) + (symmetric ? 0 : scales.length);
  if ((tensor.count * bits) / 8 + scaleBytes >= tensor.byteLength) return null;
  const quantized = quantize(values, view.dims, format, { ...chosen, scales });
  return { weight, tensor: quantized, rows, halves };
}
