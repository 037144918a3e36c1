import { dtypeOfCode, tensorType } from "../../ir/index.js";
import { quantizedDtype } from "../families/quantization.js";
import type { Every } from "../schema/cells.js";
import type { quantizationSchemas } from "../schema/quantization.js";
import { tensorOf } from "./inferred.js";
import type { ShapeRule } from "./rule.js";

const quantized: ShapeRule = (context) =>
  tensorOf(quantizedDtype(context.attributes, context.dtype(2)), context.shape(0));

const dequantized: ShapeRule = (context) =>
  tensorOf(
    dtypeOfCode(context.attributes.int("output_dtype")) ?? context.dtype(1),
    context.shape(0),
  );

export const quantizationShapes: Every<typeof quantizationSchemas, ShapeRule> = {
  QuantizeLinear: quantized,
  DequantizeLinear: dequantized,
  "com.microsoft::QuantizeLinear": quantized,
  "com.microsoft::DequantizeLinear": dequantized,
  DynamicQuantizeLinear: (context) => [
    { type: tensorType("uint8", context.shape(0)) },
    { type: tensorType("float32", []) },
    { type: tensorType("uint8", []) },
  ],
};
