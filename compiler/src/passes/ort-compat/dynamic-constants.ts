import { PareError } from "@pare/runtime/format";
import { type Graph, type Node, Tensor, type ValueId } from "../../ir/index.js";
import { along, type IntegerFormat, uint8Activations } from "../../quantize/format.js";
import { layoutOf } from "../../quantize/layout.js";
import { chooseScales } from "../../quantize/range.js";
import { quantize } from "../../quantize/round.js";
import { transposedMatrix } from "../../quantize/transposed-matrix.js";
import { demandFinite } from "./demand-finite.js";
import { dynamicHandling, isProduct, isTransposed } from "./dynamic-operators.js";

export interface DynamicScope {
  readonly granularity: "tensor" | "channel";
  readonly reduceRange: boolean;
}

/** A constant as integers. */
export interface RoundedConstant {
  readonly integers: Tensor;
  readonly scales: Tensor;
  readonly zeroPoints: Tensor;
  /** Where there is a scale for each index of an axis: the axis, as the tool writes it. */
  readonly axis: number | null;
  /** The integers lie otherwise than the numbers did: no DequantizeLinear gives those back. */
  readonly isTurned: boolean;
}

/** What is read of a graph's constants before it is edited. */
export interface DynamicConstants {
  /** Those that become integers; where several nodes read one, in the way of the first of the file. */
  readonly rounded: ReadonlyMap<ValueId, RoundedConstant>;
  /** Matrices of products that stay float, columns for rows. */
  readonly turned: ReadonlyMap<ValueId, Tensor>;
}

type Round = (values: Float32Array, dims: readonly number[]) => RoundedConstant;

/**
 * Reads and rounds what `quantize_dynamic` rounds.
 * @throws PareError UNSUPPORTED_OP where numbers are not finite, or a matrix is read both as it is and turned
 */
export async function readDynamicConstants(
  graph: Graph,
  scope: DynamicScope,
): Promise<DynamicConstants> {
  const rounded = new Map<ValueId, RoundedConstant>();
  for (const id of graph.main.nodes) {
    const node = graph.node(id);
    for (const { value, round, isTurned } of roundings(graph, node, scope)) {
      const tensor = graph.constant(value);
      if (tensor?.dtype !== "float32") continue;
      const known = rounded.get(value);
      if (known === undefined) {
        const values = await tensor.readFloat32();
        demandFinite(graph, value, values);
        rounded.set(value, round(values, tensor.dims));
      } else if (known.isTurned !== isTurned) throw readBothWays(graph, node, value);
    }
  }
  return { rounded, turned: await readTurned(graph) };
}

async function readTurned(graph: Graph): Promise<ReadonlyMap<ValueId, Tensor>> {
  const turned = new Map<ValueId, Tensor>();
  for (const node of graph.allNodes()) {
    if (node.body === graph.main.id || !isProduct(node) || !isTransposed(node)) continue;
    const [, weight] = node.inputs;
    const tensor = graph.constant(weight);
    if (weight === null || weight === undefined || tensor?.dtype !== "float32") continue;
    const [rows = 0, columns = 0] = tensor.dims;
    const values = await tensor.readFloat32();
    const numbers = transposedMatrix(values, rows, columns, new Float32Array(values.length));
    turned.set(weight, Tensor.float32([columns, rows], numbers));
  }
  return turned;
}

function readBothWays(graph: Graph, node: Node, value: ValueId): PareError {
  return new PareError(
    "UNSUPPORTED_OP",
    `${JSON.stringify(graph.value(value).name)} has numbers that another node reads with rows for columns: onnxruntime's quantizer makes nothing of them that works.`,
    {
      where: graph.nodeLabel(node),
      hint: "Quantize without --ort-compat: such nodes stay as they are.",
    },
  );
}

interface Rounding {
  readonly value: ValueId;
  readonly round: Round;
  readonly isTurned: boolean;
}

/** Which inputs of a node are rounded, and how, where they are constant; in the order in which the tool comes to them. */
function roundings(
  graph: Graph,
  node: Node,
  { granularity, reduceRange }: DynamicScope,
): readonly Rounding[] {
  const handling = dynamicHandling(graph, node);
  const isPerChannel = granularity === "channel";
  const weights = { dtype: "int8", symmetric: true, reduceRange } as const;
  switch (handling.kind) {
    case "matmul": {
      const round: Round = (values, dims) => {
        const last = isPerChannel ? Math.max(dims.length - 1, 0) : undefined;
        const rounded = inFormat(values, dims, { ...weights, granularity: along(last) });
        return { ...rounded, axis: isPerChannel ? -1 : null };
      };
      const turned: Round = (values, [rows = 0, columns = 0]) => {
        const numbers = transposedMatrix(values, rows, columns, new Float32Array(values.length));
        return { ...round(numbers, [columns, rows]), isTurned: true };
      };
      const isTurned = isTransposed(node);
      return [
        { value: handling.activation, round: activation, isTurned: false },
        { value: handling.weight, round: isTurned ? turned : round, isTurned },
      ];
    }
    case "conv": {
      const round: Round = (values, dims) =>
        inFormat(values, dims, { ...weights, granularity: along(undefined) });
      return [
        { value: handling.activation, round: activation, isTurned: false },
        { value: handling.weight, round, isTurned: false },
      ];
    }
    case "gather":
      return [{ value: handling.table, round: activation, isTurned: false }];
    case "lstm": {
      const format: IntegerFormat = { ...weights, granularity: along(0) };
      const round: Round = (values, dims) => ofLstm(values, dims, format, isPerChannel);
      return handling.weights.map((value) => ({ value, round, isTurned: true }));
    }
    case "transpose":
    case "float":
      return [];
    default:
      return handling satisfies never;
  }
}

const activation: Round = (values, dims) => inFormat(values, dims, uint8Activations);

function inFormat(
  values: Float32Array,
  dims: readonly number[],
  format: IntegerFormat,
): RoundedConstant {
  const { dtype } = format;
  const { data, scales, zeroPoints } = quantize(
    values,
    dims,
    format,
    chooseScales(values, dims, format, "minmax"),
  );
  const { scaleDims } = layoutOf(dims, format.granularity);
  const points = dtype === "int8" ? Int8Array.from(zeroPoints) : Uint8Array.from(zeroPoints);
  return {
    integers: Tensor.of(dtype, dims, data),
    scales: Tensor.float32(scaleDims, scales),
    zeroPoints: Tensor.of(dtype, scaleDims, points),
    axis: null,
    isTurned: false,
  };
}

/**
 * [directions, 4 × hidden, inputs] as DynamicQuantizeLSTM wants it, [directions, inputs, 4 × hidden] (operators/lstm.py).
 * Without scales for channels there is one for each direction.
 */
function ofLstm(
  values: Float32Array,
  [directions = 0, gates = 0, inputs = 0]: readonly number[],
  format: IntegerFormat,
  isPerChannel: boolean,
): RoundedConstant {
  const dims = isPerChannel ? [directions * gates, inputs] : [directions, gates, inputs];
  const scales = chooseScales(values, dims, format, "minmax");
  const { data } = quantize(values, dims, format, scales);
  const rows = Int8Array.from(data);
  const size = gates * inputs;
  const integers = new Int8Array(rows.length);
  for (let at = 0; at < rows.length; at += size)
    transposedMatrix(rows.subarray(at, at + size), gates, inputs, integers.subarray(at, at + size));
  const scaleDims = isPerChannel ? [directions, gates] : [directions];
  return {
    integers: Tensor.of("int8", [directions, inputs, gates], integers),
    scales: Tensor.float32(scaleDims, scales.scales),
    zeroPoints: Tensor.of("int8", scaleDims, Int8Array.from(scales.zeroPoints)),
    axis: null,
    isTurned: true,
  };
}
