import { type Dtype, elementCount, type Tensor as Dense } from "@pare/runtime/format";
import { dtypeOfCode, tensorType } from "../../ir/index.js";
import { unpackNumbers } from "../elements/arrays.js";
import { convert } from "../elements/convert.js";
import { denseOf } from "../elements/dense.js";
import { isFloat8 } from "../elements/float8.js";
import { normalAxis } from "../families/indexing.js";
import { tensorOf } from "../shape/inferred.js";
import { clampTo, integerRange, scaleIndices } from "./quantized.js";
import type { AttributeReader, InferContext, OperatorRow } from "../shape/rule.js";
import { parameters } from "../schema/operator.js";
import { roundHalfEven } from "./unary.js";

function quantizedDtype(attributes: AttributeReader, zeroPoint: Dtype | undefined): Dtype {
  return zeroPoint ?? dtypeOfCode(attributes.int("output_dtype")) ?? "uint8";
}

/** For each element its scale and zero point. */
function positions(x: Dense, scale: Dense, attributes: AttributeReader): Int32Array {
  const axis = normalAxis(attributes.int("axis", 1), x.dims.length);
  return scaleIndices(x.dims, scale.dims, axis, attributes.int("block_size", 0));
}

/** y = saturate(round(x / scale) + zero point), ties to even. */
function quantizeRow(domain: string): OperatorRow {
  return {
    name: "QuantizeLinear",
    domain,
    inputs: parameters("x", "y_scale", "y_zero_point?"),
    outputs: parameters("y"),
    attributes: ["axis", "block_size", "output_dtype", "precision", "saturate"],
    infer: (context) =>
      tensorOf(quantizedDtype(context.attributes, zeroPointDtype(context)), context.shape(0)),
    evaluate({ input, inputs, attributes }) {
      const [x, scale] = [input(0), input(1)];
      const zeroPoint = inputs[2] ?? undefined;
      const type = quantizedDtype(attributes, zeroPoint?.type);
      const [from, scales] = [unpackNumbers(x), unpackNumbers(scale)];
      const at = positions(x, scale, attributes);
      const ratios = Float32Array.from(from, (value, i) => value / (scales[at[i] ?? 0] ?? 1));
      if (type.startsWith("float")) {
        const floats: Dense = { type: "float32", dims: x.dims, data: ratios };
        return [convert(floats, type, !isFloat8(type) || attributes.int("saturate", 1) !== 0)];
      }
      const zeros = zeroPoint && unpackNumbers(zeroPoint);
      const range = integerRange(type);
      const values = Float64Array.from(ratios, (ratio, i) =>
        clampTo(roundHalfEven(ratio) + (zeros?.[at[i] ?? 0] ?? 0), range),
      );
      return [denseOf(type, x.dims, values)];
    },
  };
}

function zeroPointDtype(context: InferContext): Dtype | undefined {
  return context.dtype(2);
}

/** y = (x − zero point) · scale. */
function dequantizeRow(domain: string): OperatorRow {
  return {
    name: "DequantizeLinear",
    domain,
    inputs: parameters("x", "x_scale", "x_zero_point?"),
    outputs: parameters("y"),
    attributes: ["axis", "block_size", "output_dtype"],
    infer: (context) =>
      tensorOf(
        dtypeOfCode(context.attributes.int("output_dtype")) ?? context.dtype(1),
        context.shape(0),
      ),
    evaluate({ input, inputs, attributes }) {
      const [x, scale] = [input(0), input(1)];
      const zeroPoint = inputs[2] ?? undefined;
      const [from, scales] = [unpackNumbers(x), unpackNumbers(scale)];
      const zeros = zeroPoint && unpackNumbers(zeroPoint);
      const at = positions(x, scale, attributes);
      const values = Float64Array.from(
        from,
        (value, i) => (value - (zeros?.[at[i] ?? 0] ?? 0)) * (scales[at[i] ?? 0] ?? 1),
      );
      return [denseOf(dtypeOfCode(attributes.int("output_dtype")) ?? scale.type, x.dims, values)];
    },
  };
}

/** uint8 over the range of x, which is widened to hold 0. */
const dynamicQuantizeRow: OperatorRow = {
  name: "DynamicQuantizeLinear",
  domain: "",
  inputs: parameters("x"),
  outputs: parameters("y", "y_scale", "y_zero_point"),
  attributes: [],
  infer: (context) => [
    { type: tensorType("uint8", context.shape(0)) },
    { type: tensorType("float32", []) },
    { type: tensorType("uint8", []) },
  ],
  evaluate({ input }) {
    const x = input(0);
    const from = unpackNumbers(x);
    let [low, high] = [0, 0];
    for (let i = 0; i < elementCount(x.dims); i += 1) {
      low = Math.min(low, from[i] ?? 0);
      high = Math.max(high, from[i] ?? 0);
    }
    const scale = Math.fround(Math.fround(high - low) / 255);
    const zero = scale === 0 ? 0 : roundHalfEven(clampTo(Math.fround(-low / scale), [0, 255]));
    const values = Float64Array.from(from, (value) =>
      scale === 0 ? 0 : clampTo(roundHalfEven(Math.fround(value / scale)) + zero, [0, 255]),
    );
    return [
      denseOf("uint8", x.dims, values),
      denseOf("float32", [], [scale]),
      denseOf("uint8", [], [zero]),
    ];
  },
};

export const quantizationRows: readonly OperatorRow[] = [
  quantizeRow(""),
  dequantizeRow(""),
  quantizeRow("com.microsoft"),
  dequantizeRow("com.microsoft"),
  dynamicQuantizeRow,
];
