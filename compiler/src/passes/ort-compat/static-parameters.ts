import { type Graph, Tensor, type ValueId } from "../../ir/index.js";
import { along, type IntegerFormat } from "../../quantize/format.js";
import { roundHalfEven } from "../../quantize/half-even.js";
import { layoutOf } from "../../quantize/layout.js";
import { chooseScales } from "../../quantize/range.js";
import { quantize } from "../../quantize/round.js";
import { type Range, type Scales, scaleOf } from "../../quantize/scale.js";
import { demandFinite } from "./demand-finite.js";
import type { Mark, MarkedBias, StaticMarks } from "./static-marks.js";

export interface StaticFormats {
  /** Of activations, and of constants among them. */
  readonly activations: "int8" | "uint8";
  /** Of constants alone. */
  readonly reduceRange: boolean;
}

/** What QuantizeLinear and DequantizeLinear of a value read. */
export interface StaticParameters {
  readonly scale: Tensor;
  readonly zeroPoint: Tensor;
  readonly axis: number | null;
  /** Of a constant. */
  readonly integers: Tensor | null;
}

/** real = scale × integers */
export interface RoundedBias extends MarkedBias {
  readonly integers: Tensor;
  /** [1] or [output channels] */
  readonly scales: Float32Array;
}

export interface StaticConstants {
  /** Of every marked value that has parameters of its own. */
  readonly parameters: ReadonlyMap<ValueId, StaticParameters>;
  readonly biases: readonly RoundedBias[];
}

interface Chosen {
  readonly format: IntegerFormat;
  scales: Scales;
}

/**
 * Scales, zero points and the integers of constants, as onnxruntime's `QDQQuantizer` chooses them (quantization/
 * qdq_quantizer.py and base_quantizer.py, 1.31.1).
 * @param ranges of the marked activations
 * @throws PareError UNSUPPORTED_OP where numbers of a constant are not finite
 */
export async function staticConstants(
  graph: Graph,
  marks: StaticMarks,
  ranges: ReadonlyMap<ValueId, Range>,
  formats: StaticFormats,
): Promise<StaticConstants> {
  const chosen = new Map<ValueId, Chosen>();
  for (const [value, mark] of marks.values)
    if (mark.kind !== "shared")
      chosen.set(value, await choose(graph, value, mark, ranges, formats));
  /** A bias that is rounded as an activation is none: the first mark counts. */
  const biases = marks.biases.filter(({ bias }) => !marks.values.has(bias));
  for (const bias of biases) await widenForBias(graph, marks, chosen, bias);
  const parameters = new Map<ValueId, StaticParameters>();
  for (const [value, one] of chosen) parameters.set(value, await parametersOf(graph, value, one));
  const rounded = await Promise.all(biases.map((bias) => roundBias(graph, marks, chosen, bias)));
  return { parameters, biases: rounded.filter((bias) => bias !== null) };
}

async function choose(
  graph: Graph,
  value: ValueId,
  mark: Exclude<Mark, { readonly kind: "shared" }>,
  ranges: ReadonlyMap<ValueId, Range>,
  { activations, reduceRange }: StaticFormats,
): Promise<Chosen> {
  const tensor = graph.constant(value);
  const ofActivations: IntegerFormat = {
    dtype: activations,
    symmetric: false,
    granularity: along(undefined),
  };
  if (tensor === undefined) {
    const { scale, zeroPoint } = scaleOf(ranges.get(value) ?? { min: 0, max: 0 }, ofActivations);
    const scales = { scales: Float32Array.of(scale), zeroPoints: Int16Array.of(zeroPoint) };
    return { format: ofActivations, scales };
  }
  const format: IntegerFormat =
    mark.kind === "weight"
      ? { dtype: "int8", symmetric: true, reduceRange, granularity: along(mark.axis ?? undefined) }
      : { ...ofActivations, reduceRange };
  const values = await tensor.readFloat32();
  demandFinite(graph, value, values);
  return { format, scales: chooseScales(values, tensor.dims, format, "minmax") };
}

async function parametersOf(
  graph: Graph,
  value: ValueId,
  { format, scales }: Chosen,
): Promise<StaticParameters> {
  const { dtype, granularity } = format;
  const tensor = graph.constant(value);
  const { scaleDims } = layoutOf(tensor?.dims ?? [], granularity);
  const integersOf = async (constant: Tensor): Promise<Tensor> => {
    const { data } = quantize(await constant.readFloat32(), constant.dims, format, scales);
    return Tensor.of(dtype, constant.dims, data);
  };
  const points = dtype === "int8" ? Int8Array : Uint8Array;
  return {
    scale: Tensor.float32(scaleDims, scales.scales),
    zeroPoint: Tensor.of(dtype, scaleDims, points.from(scales.zeroPoints)),
    axis: granularity.kind === "channel" ? granularity.axis : null,
    integers: tensor === undefined ? null : await integersOf(tensor),
  };
}

function chosenOf(
  marks: StaticMarks,
  chosen: ReadonlyMap<ValueId, Chosen>,
  value: ValueId,
): Chosen | undefined {
  const mark = marks.values.get(value);
  return mark?.kind === "shared" ? chosenOf(marks, chosen, mark.from) : chosen.get(value);
}

/** Twice 2³¹ − 1: what int32 counts on both sides of zero. */
const counts = 2 ** 32 - 2;

/** Widens weights' scales so that a bias in steps of activation × weight fits int32 (`_adjust_weight_scale_for_int32_bias`). */
async function widenForBias(
  graph: Graph,
  marks: StaticMarks,
  chosen: ReadonlyMap<ValueId, Chosen>,
  { bias, activation, weight }: MarkedBias,
): Promise<void> {
  const input = chosenOf(marks, chosen, activation);
  const weights = chosen.get(weight);
  const tensor = graph.constant(bias);
  if (input === undefined || weights === undefined || tensor === undefined) return;
  const { format, scales } = weights;
  if (graph.constant(weight) === undefined || format.dtype !== "int8") return;
  if (scales.zeroPoints.some((point) => point !== 0)) return;
  const values = await tensor.readFloat32();
  const step = input.scales.scales[0] ?? 1;
  const isPerChannel = format.granularity.kind === "channel";
  const largest = (group: number): number =>
    isPerChannel
      ? Math.abs(values[group] ?? 0)
      : values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  weights.scales = {
    ...scales,
    scales: scales.scales.map((scale, group) => {
      const twice = 2 * largest(group);
      const least =
        (isPerChannel ? Math.fround(Math.fround(1.0001) * twice) : 1.0001 * twice) / counts;
      const candidate = step * scale;
      return candidate > 0 && candidate < least ? scale * (least / candidate) : scale;
    }),
  };
}

async function roundBias(
  graph: Graph,
  marks: StaticMarks,
  chosen: ReadonlyMap<ValueId, Chosen>,
  marked: MarkedBias,
): Promise<RoundedBias | null> {
  const input = chosenOf(marks, chosen, marked.activation);
  const weights = chosenOf(marks, chosen, marked.weight);
  const tensor = graph.constant(marked.bias);
  if (input === undefined || weights === undefined || tensor === undefined) return null;
  const step = input.scales.scales[0] ?? 1;
  const scales = weights.scales.scales.map((scale) => step * scale);
  const values = await tensor.readFloat32();
  // DequantizeLinear has a scale for each index of an axis, and a bias of more axes has its channels in the last.
  if (scales.length > 1 && (tensor.dims.length !== 1 || values.length !== scales.length))
    return null;
  // The tool forgets to multiply by it.
  const beta = graph.node(marked.node).attributes.get("beta");
  const factor = beta?.type === "float" ? beta.value : 1;
  const integers = new Int32Array(values.length);
  for (let index = 0; index < values.length; index += 1) {
    const scale = scales[scales.length === 1 ? 0 : index] as number;
    const steps = roundHalfEven(((values[index] as number) * factor) / scale);
    integers[index] = Math.min(Math.max(steps, -(2 ** 31)), 2 ** 31 - 1);
  }
  return { ...marked, integers: Tensor.of("int32", tensor.dims, integers), scales };
}
