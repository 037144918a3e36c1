import type { Dtype } from "@pare/runtime/format";
import { type Dim, dim, tensorType, type TensorType } from "../ir/index.js";

/** What a file says of an input. */
export interface DeclaredInput {
  readonly name: string;
  readonly dtype: Dtype | undefined;
  /** -1 for sizes that are free; undefined where not even their number is known. */
  readonly shape: readonly number[] | undefined;
}

const axisNames: Readonly<Record<number, readonly string[]>> = {
  4: ["batch", "height", "width", "channels"],
  3: ["batch", "length", "features"],
};

/**
 * Types of inputs as they are declared. Samples of all inputs come in one batch; other free sizes are called by what
 * they mean, of several inputs that have some by the input's name besides.
 */
export function inputTypes(inputs: readonly DeclaredInput[]): readonly TensorType[] {
  const isAlone = inputs.filter(({ shape }) => shape?.some(isFree)).length < 2;
  return inputs.map(({ name: input, dtype, shape }) => {
    const own = isAlone ? "" : `${input}_`;
    const dims = shape?.map((size, axis): Dim => {
      if (size !== -1) return size;
      const name = axisNames[shape.length]?.[axis] ?? `d${axis}`;
      return dim.symbol(axis === 0 ? "batch" : `${own}${name}`);
    });
    return tensorType(dtype, dims);
  });
}

function isFree(size: number, axis: number): boolean {
  return size === -1 && axis > 0;
}
