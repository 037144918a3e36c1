import { type Body, type Editor, Tensor, type ValueId } from "../../ir/index.js";
import { type IntegerDtype, integerArray } from "../../quantize/format.js";
import { layoutOf } from "../../quantize/layout.js";
import { pack } from "../../quantize/pack.js";
import type { QuantizedTensor } from "../../quantize/round.js";

/** A rounded tensor's integers as an initializer, packed as its dtype is. */
export function addIntegers(
  editor: Editor,
  name: string,
  { format, dims, data }: QuantizedTensor,
  body?: Body,
): ValueId {
  const packed = pack(format.dtype, data);
  return editor.constant(`${name}_quantized`, Tensor.of(format.dtype, dims, packed), body);
}

/** Its scales, of the dims that DequantizeLinear wants. */
export function addScales(
  editor: Editor,
  name: string,
  { format, dims, scales }: QuantizedTensor,
  body?: Body,
): ValueId {
  const { scaleDims } = layoutOf(dims, format.granularity);
  return editor.constant(`${name}_scale`, Tensor.float32(scaleDims, scales), body);
}

/** Its zero points, of the integers' own dtype. */
export function addZeroPoints(
  editor: Editor,
  name: string,
  { format, dims, zeroPoints }: QuantizedTensor,
  body?: Body,
): ValueId {
  const { scaleDims } = layoutOf(dims, format.granularity);
  const tensor = Tensor.of(format.dtype, scaleDims, packedIntegers(format.dtype, zeroPoints));
  return editor.constant(`${name}_zero_point`, tensor, body);
}

function packedIntegers(dtype: IntegerDtype, zeroPoints: Int16Array) {
  const integers = integerArray(dtype, zeroPoints.length);
  integers.set(zeroPoints);
  return pack(dtype, integers);
}

/** For a journal: `31.2 dB`, or that nothing was lost. */
export const decibels = (sqnr: number): string =>
  Number.isFinite(sqnr) ? `${sqnr.toFixed(1)} dB` : "exact";
