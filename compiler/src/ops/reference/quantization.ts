import { elementCount, type Tensor as Dense } from "@pare/runtime/format";
import { dtypeOfCode } from "../../ir/index.js";
import { unpackNumbers } from "../elements/arrays.js";
import { convert } from "../elements/convert.js";
import { denseOf } from "../elements/dense.js";
import { isFloat8 } from "../elements/float8.js";
import { normalAxis } from "../families/indexing.js";
import { quantizedDtype } from "../families/quantization.js";
import type { AttributeReader } from "../schema/attributes.js";
import type { Some } from "../schema/cells.js";
import type { quantizationSchemas } from "../schema/quantization.js";
import type { Evaluation } from "./evaluation.js";
import { clampTo, integerRange, scaleIndices } from "./quantized.js";
import { roundHalfEven } from "./round-half-even.js";

/** For each element its scale and zero point. */
function positions(x: Dense, scale: Dense, attributes: AttributeReader): Int32Array {
  const axis = normalAxis(attributes.int("axis", 1), x.dims.length);
  return scaleIndices(x.dims, scale.dims, axis, attributes.int("block_size", 0));
}

/** y = saturate(round(x / scale) + zero point), ties to even. */
const quantize: Evaluation = ({ input, inputs, attributes }) => {
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
};

/** y = (x − zero point) · scale. */
const dequantize: Evaluation = ({ input, inputs, attributes }) => {
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
};

export const quantizationReferences: Some<typeof quantizationSchemas, Evaluation> = {
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
  "com.microsoft::QuantizeLinear": quantize,
  "com.microsoft::DequantizeLinear": dequantize,
  /** uint8 over the range of x, which is widened to hold 0. Of zeros alone the scale is 1, as onnxruntime has it. */
  DynamicQuantizeLinear({ input }) {
    const x = input(0);
    const from = unpackNumbers(x);
    let [low, high] = [0, 0];
    for (let i = 0; i < elementCount(x.dims); i += 1) {
      low = Math.min(low, from[i] ?? 0);
      high = Math.max(high, from[i] ?? 0);
    }
    const scale = Math.fround(Math.fround(high - low) / 255) || 1;
    const zero = roundHalfEven(clampTo(Math.fround(-low / scale), [0, 255]));
    const values = Float64Array.from(from, (value) =>
      clampTo(roundHalfEven(Math.fround(value / scale)) + zero, [0, 255]),
    );
    return [
      denseOf("uint8", x.dims, values),
      denseOf("float32", [], [scale]),
      denseOf("uint8", [], [zero]),
    ];
  },
};
