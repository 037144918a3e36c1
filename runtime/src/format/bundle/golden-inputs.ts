import type { ValueInfo } from "../tensor/value-info.js";
import { dtypeArray } from "../tensor/dtype.js";
import { PareError } from "../error.js";
import { floatsToHalves } from "../tensor/float16.js";
import type { GoldenInput } from "./manifest.js";
import { elementCount, type Tensor, type Tensors } from "../tensor/tensor.js";

/** How one input of a golden case is chosen; whatever is left out is seeded noise in the type's default range. */
export interface GoldenChoice {
  /** Concrete dims; needed where the input has free ones. */
  readonly dims?: readonly number[];
  /** Default −1…1 for floats, 0…1 for integers (which fits masks and every table) and bool. */
  readonly range?: readonly [number, number];
  /** Given numbers instead of noise: a sampling rate, token ids, a real sample. */
  readonly values?: readonly number[];
}

/**
 * Inputs that every device can make for itself.
 * @throws PareError ARGUMENT where a free dim is not given or the type cannot be generated
 */
export function goldenInputs(
  infos: readonly ValueInfo[],
  seed: number,
  choices: Readonly<Record<string, GoldenChoice>> = {},
): GoldenInput[] {
  return infos.map((info, index) => {
    const choice = choices[info.name] ?? {};
    const dims = (choice.dims ?? info.dims).map((dim) => {
      if (typeof dim === "number") return dim;
      throw new PareError(
        "ARGUMENT",
        `The golden check needs concrete dims for input "${info.name}".`,
        { where: info.name },
      );
    });
    const range = choice.range ?? (isFloat(info.type) ? ([-1, 1] as const) : ([0, 1] as const));
    const input: GoldenInput = {
      name: info.name,
      type: info.type,
      dims,
      generator: "splitmix32",
      seed: seed + index,
      range,
    };
    return choice.values === undefined ? input : { ...input, values: choice.values };
  });
}

/** Elements of all inputs together: more than a colour image of 4,096 × 4,096 has. */
const mostElements = 2 ** 26;

/**
 * The tensors that golden inputs describe, the same on every device.
 * @throws PareError BUNDLE_INVALID where they are larger than any model's, or given values do not fit
 */
export function goldenFeeds(inputs: readonly GoldenInput[]): Tensors {
  const elements = inputs.reduce((sum, { dims }) => sum + elementCount(dims), 0);
  if (!(elements <= mostElements))
    throw new PareError("BUNDLE_INVALID", `The golden check's inputs have ${elements} elements.`, {
      where: "golden.json",
      hint: "Write the bundle again.",
    });
  return Object.fromEntries(inputs.map((input) => [input.name, goldenTensor(input)]));
}

function goldenTensor({ name, type, dims, seed, range: [low, high], values }: GoldenInput): Tensor {
  const count = elementCount(dims);
  if (type === "string" || !hasPlainNumbers(type)) {
    throw new PareError(
      "ARGUMENT",
      `No golden check can be made for input "${name}" of type ${type}.`,
      {
        where: name,
        hint: "Models with such inputs can be inspected, simplified, quantized and converted, but not bundled.",
      },
    );
  }
  if (values !== undefined && values.length !== count) {
    throw new PareError(
      "BUNDLE_INVALID",
      `Golden input "${name}" has ${values.length} values for dims [${dims.join(", ")}].`,
      { where: name },
    );
  }
  const next = splitmix32(seed);
  const noise = isFloat(type)
    ? () => low + ((high - low) * next()) / 2 ** 32
    : () => low + Math.floor((next() / 2 ** 32) * (high - low + 1));
  const numbers = values === undefined ? new Float64Array(count).map(noise) : values;
  if (type === "float16") return { type, dims, data: floatsToHalves(numbers) };
  if (type === "int64") return { type, dims, data: BigInt64Array.from(numbers, BigInt) };
  if (type === "uint64") return { type, dims, data: BigUint64Array.from(numbers, BigInt) };
  const Numbers = dtypeArray[type] as Float32ArrayConstructor;
  return { type, dims, data: Numbers.from(numbers) };
}

/** Sebastiano Vigna's SplitMix, in 32 bits: each call gives the next unsigned 32-bit integer. */
export function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
}

function isFloat(type: string): boolean {
  return type.startsWith("float") || type === "bfloat16";
}

/** Whether one number is one element of the type's array; float16 is converted. */
function hasPlainNumbers(type: string): boolean {
  return !/^(bfloat16|u?int[24]|float[48]e.*|complex.*)$/.test(type);
}
