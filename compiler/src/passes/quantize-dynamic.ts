import { edit, attribute, type Editor, type Graph, type ValueId } from "../ir/index.js";
import {
  isWeightedOp,
  multipliesIntegers,
  type WeightedNode,
  weightedNode,
} from "../analysis/weighted-node.js";
import type { OptionsOf } from "../pipeline/options.js";
import { definePass } from "../pipeline/pass.js";
import { along, type IntegerFormat } from "../quantize/format.js";
import { chooseScales } from "../quantize/range.js";
import { quantize, type QuantizedTensor } from "../quantize/round.js";
import { transposedMatrix } from "../quantize/transposed-matrix.js";
import { allFinite } from "./quantization/finite.js";
import { isKept } from "./quantization/keep-float.js";
import { roundAtRun, type RoundedAtRun } from "./quantization/round-at-run.js";
import { bringToFloat32 } from "./normal-form.js";
import {
  addIntegers,
  addScales,
  addZeroPoints,
  decibels,
} from "./quantization/quantized-constants.js";
import {
  formerWeightBits,
  granularity,
  keepFloat,
  reduceRange,
  weightRanges,
} from "./quantization/weight-options.js";

const described = { granularity, weightRanges: weightRanges("minmax"), reduceRange, keepFloat };

type DynamicOptions = OptionsOf<typeof described>;

export const quantizeDynamic = definePass({
  name: "quantize-dynamic",
  summary: "int8 weights of MatMul and Gemm, activations rounded as they come (no data needed)",
  options: described,
  former: formerWeightBits,
  create: (options) => ({
    exactness: "lossy",
    precision: "int8-dynamic",
    run: (graph) => run(graph, options),
  }),
});

interface Prepared {
  readonly weighted: WeightedNode;
  /** K × N: a Gemm's transposed weights are turned around. */
  readonly weights: QuantizedTensor;
}

async function run(graph: Graph, options: DynamicOptions): Promise<void> {
  await bringToFloat32(graph);
  const prepared: Prepared[] = [];
  const known = new Map<string, QuantizedTensor | null>();
  for (const node of graph.order()) {
    if (!isWeightedOp(node) && !multipliesIntegers(node)) continue;
    const weighted = weightedNode(graph, node);
    const why = "why" in weighted ? weighted.why : excluded(graph, weighted, options);
    if (why !== null || "why" in weighted) {
      graph.leave("quantize-dynamic", node, why ?? "");
      continue;
    }
    const key = `${weighted.weight} ${weighted.axis}`;
    const weights = known.get(key) ?? (await roundWeights(weighted, options));
    known.set(key, weights);
    if (weights === null) graph.leave("quantize-dynamic", node, "its weights are not all finite");
    else prepared.push({ weighted, weights });
  }
  if (prepared.length > 0)
    edit(graph, "quantize-dynamic", (editor) => insert(graph, editor, prepared));
}

function excluded(
  graph: Graph,
  { node, kind, axis, weightTensor }: WeightedNode,
  options: DynamicOptions,
): string | null {
  if (isKept(graph, node, options.keepFloat)) return "it was asked to stay float";
  if (kind !== "matmul")
    return "integer convolutions with dynamic ranges are slower than float ones";
  if (axis === undefined) return "its weights are not a matrix";
  return weightTensor.dims[1 - axis] === 1 ? "its scales would take what its integers save" : null;
}

/** Null where one of them is not finite: no scale stands for it. */
async function roundWeights(
  { weightTensor, axis }: WeightedNode,
  options: DynamicOptions,
): Promise<QuantizedTensor | null> {
  const [rows = 0, columns = 0] = weightTensor.dims;
  const stored = await weightTensor.readFloat32();
  if (!allFinite(stored)) return null;
  const values =
    axis === 1 ? stored : transposedMatrix(stored, rows, columns, new Float32Array(stored.length));
  const dims = axis === 1 ? [rows, columns] : [columns, rows];
  const format: IntegerFormat = {
    dtype: "int8",
    symmetric: true,
    granularity: along(options.granularity === "channel" ? 1 : undefined),
    reduceRange: options.reduceRange,
  };
  return quantize(values, dims, format, chooseScales(values, dims, format, options.weightRanges));
}

interface Weight {
  readonly data: ValueId;
  readonly scale: ValueId;
  readonly zeroPoint: ValueId;
}

function insert(graph: Graph, editor: Editor, prepared: readonly Prepared[]): void {
  const activations = new Map<ValueId, RoundedAtRun>();
  /** Of products that were replaced, what they are now: the next may multiply just that. */
  const results = new Map<ValueId, ValueId>();
  const weights = new Map<QuantizedTensor, Weight>();

  const activationOf = (value: ValueId): RoundedAtRun => {
    const known = activations.get(value);
    if (known !== undefined) return known;
    const made = roundAtRun(graph, editor, value);
    activations.set(value, made);
    return made;
  };

  const weightOf = ({ weighted, weights: rounded }: Prepared): Weight => {
    const known = weights.get(rounded);
    if (known !== undefined) return known;
    const { name } = graph.value(weighted.weight);
    const made = {
      data: addIntegers(editor, name, rounded),
      scale: addScales(editor, name, rounded),
      zeroPoint: addZeroPoints(editor, name, rounded),
    };
    weights.set(rounded, made);
    return made;
  };

  for (const one of prepared) {
    const { node, activation, bias } = one.weighted;
    const [output] = node.outputs;
    if (output === null || output === undefined) continue;
    const { name } = graph.value(output);
    const x = activationOf(results.get(activation) ?? activation);
    const w = weightOf(one);
    const product = editor.add1(
      "MatMulInteger",
      [x.quantized, w.data, x.zeroPoint, w.zeroPoint],
      {},
      { name: node.name, outputs: [`${name}_output_quantized`] },
    );
    const cast = editor.add1(
      "Cast",
      [product],
      { to: attribute.int(1) },
      { outputs: [`${name}_output_cast`] },
    );
    const scale = editor.add1("Mul", [x.scale, w.scale], {}, { outputs: [`${name}_output_scale`] });
    let result = editor.add1(
      "Mul",
      [cast, scale],
      {},
      {
        outputs: [bias === null ? name : `${name}_MatMul`],
      },
    );
    if (bias !== null) result = editor.add1("Add", [result, bias.value], {}, { outputs: [name] });
    results.set(output, result);
    editor.replace(
      output,
      result,
      `int8 weights (${one.weights.scales.length} scales, ${decibels(one.weights.sqnr)}), input rounded to uint8 at each run`,
    );
  }
}
