import { floatsToHalves, halvesToFloats } from "@pare/runtime/format";
import {
  edit,
  attribute,
  type Editor,
  type Graph,
  type Node,
  Tensor,
  type ValueId,
} from "../ir/index.js";
import { largestHalf } from "../quantize/half.js";
import {
  quantizeWeights as roundWeights,
  type QuantizedWeights,
  weightScales,
} from "../quantize/weights.js";
import { integer, oneOf } from "../pipeline/kinds.js";
import { option, type OptionsOf } from "../pipeline/options.js";
import { definePass } from "../pipeline/pass.js";
import { allFinite } from "./quantization/finite.js";
import { bringToNormalForm } from "./quantization/normal-form.js";
import { keepFloat, weightRanges } from "./quantization/weight-options.js";
import { type StoredWeight, storedWeights } from "../analysis/stored-weights.js";

const described = {
  decode: option(
    oneOf(["fold", "dequantize"]),
    "fold",
    "Cast and Mul, which onnxruntime computes once when it loads, or DequantizeLinear, which it computes at every run.",
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
  summary: "weights stored as int8 and decoded to float when the model is loaded: small, no faster",
  options: described,
  create: (options) => ({ exactness: "lossy", run: (graph) => run(graph, options) }),
});

interface Rounded {
  readonly weight: StoredWeight;
  readonly weights: QuantizedWeights;
  /** Read by rows alone, each with its own scale: only the rows that are asked for are decoded. */
  readonly byRow: boolean;
}

async function run(graph: Graph, options: WeightsOptions): Promise<void> {
  bringToNormalForm(graph);
  const rounded: Rounded[] = [];
  for (const weight of storedWeights(graph, options.minBytes)) {
    const { reader, tensor, axis, value } = weight;
    if (
      options.keepFloat.includes(reader.op) ||
      options.keepFloat.includes(graph.nodeLabel(reader))
    ) {
      graph.leave("quantize-weights", reader, "its weights were asked to stay float");
      continue;
    }
    const values = await tensor.readFloat32();
    if (!allFinite(values)) {
      graph.leave("quantize-weights", reader, "its weights are not all finite");
      continue;
    }
    const byRow =
      options.decode === "fold" &&
      axis === 0 &&
      graph.consumers(value).every((node) => isRowGather(node, value));
    const exact = weightScales(values, tensor.dims, axis, 8, options.weightRanges);
    const scales = byRow ? asHalves(exact) : exact;
    rounded.push({ weight, byRow, weights: roundWeights(values, tensor.dims, axis, 8, scales) });
  }
  if (rounded.length === 0) return;
  edit(graph, "quantize-weights", (editor) => {
    for (const one of rounded) store(graph, editor, one, options.decode);
  });
}

/** A table has as many scales as rows: rounded to float16 first, they can be stored so without loss. */
function asHalves(scales: Float32Array): Float32Array {
  return fitsHalves(scales) ? halvesToFloats(floatsToHalves(scales)) : scales;
}

function fitsHalves(scales: Float32Array): boolean {
  return scales.every((scale) => scale >= 2 ** -14 && scale <= largestHalf);
}

function store(
  graph: Graph,
  editor: Editor,
  { weight, weights, byRow }: Rounded,
  decode: "fold" | "dequantize",
): void {
  const { value, tensor, axis, reader } = weight;
  const { name, body: bodyId } = graph.value(value);
  const body = graph.body(bodyId);
  const quantized = editor.constant(
    `${name}_quantized`,
    Tensor.of("int8", tensor.dims, weights.data),
    body,
  );
  const reason = `weights stored as int8: ${weights.scales.length} scales, ${Number.isFinite(weights.sqnr) ? `${weights.sqnr.toFixed(1)} dB` : "exact"}`;
  if (byRow) {
    const scales = fitsHalves(weights.scales)
      ? Tensor.of("float16", [weights.scales.length, 1], floatsToHalves(weights.scales))
      : Tensor.float32([weights.scales.length, 1], weights.scales);
    const scale = editor.constant(`${name}_scale`, scales, body);
    for (const gather of graph.consumers(value))
      gatherThenDecode(graph, editor, gather, quantized, scale, reason);
    return;
  }
  const perAxis = tensor.dims.map((size, at) => (at === axis ? size : 1));
  const scaleDims =
    axis === undefined ? [] : decode === "dequantize" ? [weights.scales.length] : perAxis;
  const scale = editor.constant(`${name}_scale`, Tensor.float32(scaleDims, weights.scales), body);
  const decoded =
    decode === "dequantize"
      ? editor.add1(
          "DequantizeLinear",
          [quantized, scale],
          axis === undefined ? {} : { axis: attribute.int(axis) },
          { body, outputs: [name] },
        )
      : editor.add1(
          "Mul",
          [editor.add1("Cast", [quantized], toFloat, { body, outputs: [`${name}_cast`] }), scale],
          {},
          { body, outputs: [name] },
        );
  editor.replace(value, decoded, reason);
  editor.note(reader, reason);
}

const toFloat = { to: attribute.int(1) };

function gatherThenDecode(
  graph: Graph,
  editor: Editor,
  gather: Node,
  table: ValueId,
  scales: ValueId,
  reason: string,
): void {
  const [output] = gather.outputs;
  const rows = gather.inputs[1];
  if (output === null || output === undefined || rows === null || rows === undefined) return;
  const { name } = graph.value(output);
  const body = graph.body(gather.body);
  const picked = editor.add1(
    "Gather",
    [table, rows],
    {},
    { body, name: gather.name, outputs: [`${name}_quantized`] },
  );
  const cast = editor.add1("Cast", [picked], toFloat, { body, outputs: [`${name}_cast`] });
  const stored = editor.add1("Gather", [scales, rows], {}, { body, outputs: [`${name}_scale`] });
  const half = graph.constant(scales)?.dtype === "float16";
  const scale = half
    ? editor.add1("Cast", [stored], toFloat, { body, outputs: [`${name}_scale_cast`] })
    : stored;
  editor.replace(output, editor.add1("Mul", [cast, scale], {}, { body, outputs: [name] }), reason);
}

function isRowGather(node: Node, table: ValueId): boolean {
  const axis = node.attributes.get("axis");
  return (
    node.op === "Gather" &&
    node.domain === "" &&
    node.inputs[0] === table &&
    node.inputs[1] !== table &&
    (axis === undefined || (axis.type === "int" && axis.value === 0n))
  );
}
