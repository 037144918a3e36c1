import type { Dtype } from "@pare/runtime/format";

/** The least number of a type of floats; float32's where the type is not known. */
export function leastOf(dtype: Dtype | undefined): number {
  return least[dtype ?? ""] ?? -3.4028234663852886e38;
}

const least: Readonly<Record<string, number>> = {
  float16: -65_504,
  bfloat16: -3.3895313892515355e38,
};
