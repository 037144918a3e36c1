import type { Cells } from "../schema/schemas.js";

/** An operator that goes between floats and integers in steps of a scale. */
export interface Quantization {
  readonly gives: "integers" | "floats";
  /** The inputs that hold scales and zero points. */
  readonly parameters: readonly number[];
}

const quantizes: Quantization = { gives: "integers", parameters: [1, 2] };
const dequantizes: Quantization = { gives: "floats", parameters: [1, 2] };

export const quantization: Cells<Quantization> = {
  QuantizeLinear: quantizes,
  DequantizeLinear: dequantizes,
  "com.microsoft::QuantizeLinear": quantizes,
  "com.microsoft::DequantizeLinear": dequantizes,
  DynamicQuantizeLinear: { gives: "integers", parameters: [] },
};
