import type { Cells } from "../schema/schemas.js";

/** An operator that goes between floats and integers in steps of a scale. */
export interface Quantization {
  readonly gives: "integers" | "floats";
}

const quantizes: Quantization = { gives: "integers" };
const dequantizes: Quantization = { gives: "floats" };

export const quantization: Cells<Quantization> = {
  QuantizeLinear: quantizes,
  DequantizeLinear: dequantizes,
  "com.microsoft::QuantizeLinear": quantizes,
  "com.microsoft::DequantizeLinear": dequantizes,
  DynamicQuantizeLinear: quantizes,
};
