import type { ValueInfo } from "../tensor/value-info.js";
import { PareError } from "../error.js";
import { elementCount } from "../tensor/tensor.js";
import { isFloat, splitmix32 } from "./golden-feeds.js";
import type { GoldenInput } from "./manifest.js";

/** How one input of a golden case is chosen; whatever is left out is seeded noise in the type's default range. */
export interface GoldenChoice {
  /** Concrete dims; needed where the input has free ones. */
  readonly dims?: readonly number[];
  /** Default −1…1 for floats, 0…1 for integers (which fits masks and every table) and bool. */
  readonly range?: readonly [number, number];
  /** Given numbers instead of noise: a sampling rate, token ids, a real sample; of text, its elements. */
  readonly values?: readonly (number | string)[];
  /** Of text: what its elements are put together of, such as a model's own vocabulary. Default a few English words. */
  readonly words?: readonly string[];
}

const usualWords = "a the is of this model says yes no more one word".split(" ");

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
    const choice: GoldenChoice = (Object.hasOwn(choices, info.name) && choices[info.name]) || {};
    demandElements(info);
    const dims = (choice.dims ?? info.dims).map((dim) => {
      if (typeof dim === "number") return dim;
      throw new PareError(
        "ARGUMENT",
        `The golden check needs concrete dims for input "${info.name}".`,
        { where: info.name },
      );
    });
    const { name, type } = info;
    const { range = isFloat(type) ? ([-1, 1] as const) : ([0, 1] as const), values } = choice;
    const input = { name, dims, generator: "splitmix32", seed: seed + index, range } as const;
    if (type === "string")
      return { ...input, type, values: values?.map(String) ?? texts(input, choice.words) };
    return { ...input, type, ...(values !== undefined && { values: values.map(Number) }) };
  });
}

/** Of each element one of the words, or three. */
function texts(
  { dims, seed }: Pick<GoldenInput, "dims" | "seed">,
  words: readonly string[] = usualWords,
): readonly string[] {
  const next = splitmix32(seed);
  const word = (): string => words[next() % words.length] ?? "";
  return Array.from({ length: elementCount(dims) }, () =>
    next() % 2 === 0 ? word() : [word(), word(), word()].join(" "),
  );
}

/** One number must be one element of the type's array; float16 is converted. */
function demandElements({ name, type }: ValueInfo): void {
  if (!/^(bfloat16|u?int[24]|float[48]e.*|complex.*)$/.test(type)) return;
  throw new PareError(
    "ARGUMENT",
    `No golden check can be made for input "${name}" of type ${type}.`,
    {
      where: name,
      hint: "Models with such inputs can be inspected, simplified, quantized and converted, but not bundled.",
    },
  );
}
