import type { ValueInfo } from "../tensor/value-info.js";
import { PareError } from "../error.js";
import { isFloat } from "./golden-feeds.js";
import type { GoldenInput } from "./manifest.js";

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
    demandPlainNumbers(info);
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

/** One number must be one element of the type's array; float16 is converted. */
function demandPlainNumbers({ name, type }: ValueInfo): void {
  if (!/^(string|bfloat16|u?int[24]|float[48]e.*|complex.*)$/.test(type)) return;
  throw new PareError(
    "ARGUMENT",
    `No golden check can be made for input "${name}" of type ${type}.`,
    {
      where: name,
      hint: "Models with such inputs can be inspected, simplified, quantized and converted, but not bundled.",
    },
  );
}
