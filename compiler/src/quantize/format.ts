import { type Dtype, dtypeBits } from "@pare/runtime/format";

/** The integers that weights and activations become; those below 8 bits are packed in files. */
export type IntegerDtype = Extract<Dtype, "int8" | "uint8" | "int4" | "uint4" | "int2" | "uint2">;

/** Which elements share a scale: all, those of one index of an axis, or `size` neighbours along an axis. */
export type Granularity =
  | { readonly kind: "tensor" }
  | { readonly kind: "channel"; readonly axis: number }
  | { readonly kind: "block"; readonly axis: number; readonly size: number };

/** How real numbers are held as integers: real = scale × (q − zero point). */
export interface IntegerFormat {
  readonly dtype: IntegerDtype;
  /** The range is −a…a, so that the zero point is the same everywhere: 0 where the dtype is signed. */
  readonly symmetric: boolean;
  readonly granularity: Granularity;
  /**
   * One bit less, for engines whose products of 8 bits saturate. x86 without VNNI adds two products of uint8 × int8 in
   * 16 bits, which end at 32767: 2 × 255 × 64 = 32640 fits, 2 × 255 × 127 does not.
   */
  readonly reduceRange?: boolean;
}

/** Both ends included. */
export interface IntegerRange {
  readonly min: number;
  readonly max: number;
}

/** Elements one each, before they are packed: signed dtypes in an Int8Array. */
export type IntegerArray = Int8Array | Uint8Array;

/** What activations are rounded to: bytes, of which seven bits may be used. */
export function activationFormat(bits: 8 | 7): IntegerFormat {
  return bits === 8 ? uint8Activations : { ...uint8Activations, reduceRange: true };
}

export const uint8Activations: IntegerFormat = {
  dtype: "uint8",
  symmetric: false,
  granularity: { kind: "tensor" },
};

export const isSigned = (dtype: IntegerDtype): boolean => !dtype.startsWith("u");

/** A scale for each index of an axis, or one for all where there is none. */
export function along(axis: number | undefined): Granularity {
  return axis === undefined ? { kind: "tensor" } : { kind: "channel", axis };
}

/**
 * The integers that a format uses: onnxruntime's tables (1.31.1). Symmetric int8 leaves −128 out, so that zero is in
 * the middle; 4 and 2 bits cannot spare a value. Half of the range is −64…64 for int8, and exactly half elsewhere.
 */
export function integerRange({
  dtype,
  symmetric,
  reduceRange = false,
}: Pick<IntegerFormat, "dtype" | "symmetric" | "reduceRange">): IntegerRange {
  const count = 2 ** (dtypeBits[dtype] - (reduceRange ? 1 : 0));
  if (!isSigned(dtype)) return { min: 0, max: count - 1 };
  if (dtype === "int8" && reduceRange) return { min: -64, max: 64 };
  return { min: symmetric && dtype === "int8" ? -127 : -count / 2, max: count / 2 - 1 };
}

export function integerArray(dtype: IntegerDtype, count: number): IntegerArray {
  return isSigned(dtype) ? new Int8Array(count) : new Uint8Array(count);
}
