import fc from "fast-check";
import type { Granularity, IntegerDtype, IntegerFormat } from "./format.js";

// The formulas of onnxruntime's Python quantizer, element by element and as slowly as they read.

const tables: Readonly<
  Record<IntegerDtype, { full: number[]; symmetric?: number[]; reduced: number[] }>
> = {
  int8: { full: [-128, 127], symmetric: [-127, 127], reduced: [-64, 64] },
  uint8: { full: [0, 255], reduced: [0, 127] },
  int4: { full: [-8, 7], reduced: [-4, 3] },
  uint4: { full: [0, 15], reduced: [0, 7] },
  int2: { full: [-2, 1], reduced: [-1, 0] },
  uint2: { full: [0, 3], reduced: [0, 1] },
};

function slowRange(format: IntegerFormat): readonly [number, number] {
  const { full, symmetric, reduced } = tables[format.dtype];
  const [min = 0, max = 0] =
    format.reduceRange === true ? reduced : format.symmetric ? (symmetric ?? full) : full;
  return [min, max];
}

export function slowHalfEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/** compute_scale_zp */
export function slowScale(
  values: readonly number[],
  format: IntegerFormat,
): readonly [number, number] {
  const [qmin, qmax] = slowRange(format);
  let rmin = Math.min(0, ...values);
  let rmax = Math.max(0, ...values);
  if (format.symmetric) {
    const largest = Math.max(Math.abs(rmin), Math.abs(rmax));
    [rmin, rmax] = [-largest, largest];
  }
  const scale = (rmax - rmin) / (qmax - qmin);
  if (scale < 1.1754943508222875e-38) return [1, 0];
  const zeroPoint = format.symmetric
    ? slowHalfEven((qmin + qmax) / 2)
    : slowHalfEven(qmin - rmin / scale);
  return [Math.fround(scale), zeroPoint + 0];
}

/** quantize_nparray, clipped to the format's range */
export function slowQuantize(
  x: number,
  scale: number,
  zeroPoint: number,
  format: IntegerFormat,
): number {
  const [qmin, qmax] = slowRange(format);
  const q = slowHalfEven(Math.fround(x / scale)) + zeroPoint;
  return Math.min(qmax, Math.max(qmin, q)) + 0;
}

/** Which group an element is in, from its index in every dim. */
export function slowGroup(
  element: number,
  dims: readonly number[],
  granularity: Granularity,
): string {
  if (granularity.kind === "tensor") return "all";
  const index = dims.map(() => 0);
  let rest = element;
  for (let at = dims.length - 1; at >= 0; at -= 1) {
    const size = dims[at] ?? 1;
    index[at] = rest % size;
    rest = Math.floor(rest / size);
  }
  const { axis } = granularity;
  if (granularity.kind === "channel") return String(index[axis]);
  index[axis] = Math.floor((index[axis] ?? 0) / granularity.size);
  return index.join();
}

const numbers = fc.oneof(
  fc.float({ noNaN: true, min: -10, max: 10 }),
  fc.constant(0),
  fc.integer({ min: -20, max: 20 }).map((n) => n / 2),
);

/** A tensor of one to four dims with odd sizes, and a format for it. */
export const cases = fc
  .tuple(
    fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
    fc.constantFrom<IntegerDtype>("int8", "uint8", "int4", "uint4", "int2", "uint2"),
    fc.boolean(),
    fc.boolean(),
  )
  .chain(([dims, dtype, symmetric, reduceRange]) => {
    const count = dims.reduce((product, size) => product * size, 1);
    const axis = fc.integer({ min: 0, max: dims.length - 1 });
    const granularity = fc.oneof<fc.Arbitrary<Granularity>[]>(
      fc.constant({ kind: "tensor" }),
      axis.map((at): Granularity => ({ kind: "channel", axis: at })),
      fc
        .tuple(axis, fc.integer({ min: 1, max: 8 }))
        .map(([at, size]): Granularity => ({ kind: "block", axis: at, size })),
    );
    return fc.record({
      dims: fc.constant(dims),
      values: fc
        .array(numbers, { minLength: count, maxLength: count })
        .map((list) => Float32Array.from(list)),
      format: granularity.map((one): IntegerFormat => ({
        dtype,
        symmetric,
        granularity: one,
        ...(reduceRange && dtype.endsWith("8") && { reduceRange }),
      })),
    });
  });
