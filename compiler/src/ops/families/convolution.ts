import { type Dim, dim } from "../../ir/index.js";
import type { AttributeReader } from "../schema/attributes.js";

/** Geometry of a transposed convolution on one axis. */
export interface Transposed {
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly output: Dim;
}

export function transposedAxes(
  sizes: readonly Dim[],
  kernel: readonly Dim[],
  given: AttributeReader,
): readonly Transposed[] | undefined {
  if (!kernel.every((size) => typeof size === "number")) return undefined;
  const rank = sizes.length;
  const outputShape = given.ints("output_shape");
  const autoPad = given.string("auto_pad", "NOTSET");
  const same = autoPad === "SAME_UPPER" || autoPad === "SAME_LOWER";
  return sizes.map((size, axis) => {
    const stride = given.ints("strides")?.[axis] ?? 1;
    const dilation = given.ints("dilations")?.[axis] ?? 1;
    const extra = given.ints("output_padding")?.[axis] ?? 0;
    const span = ((kernel[axis] ?? 1) - 1) * dilation + 1;
    // What there is without pads.
    const full = dim.add(dim.multiply(stride, dim.subtract(size, 1)), extra + span);
    const wanted = outputShape?.at(axis - rank) ?? (same ? dim.multiply(size, stride) : undefined);
    if (wanted === undefined) {
      const pads = autoPad === "VALID" ? undefined : given.ints("pads");
      const before = pads?.[axis] ?? 0;
      return {
        stride,
        dilation,
        before,
        output: dim.subtract(full, before + (pads?.[axis + rank] ?? 0)),
      };
    }
    const total = dim.subtract(full, wanted);
    // Padding is never negative: what is not there cannot be kept.
    if (outputShape === undefined && typeof total === "number" && total < 0)
      return { stride, dilation, before: 0, output: full };
    const cut = typeof total === "number" ? Math.max(0, total) : 0;
    const before = autoPad === "SAME_UPPER" ? Math.floor(cut / 2) : cut - Math.floor(cut / 2);
    return { stride, dilation, before, output: wanted };
  });
}
