import {
  type GoldenChoice,
  goldenMaxBytes,
  isTypedArray,
  numbersOf,
  PareError,
  type Tensor,
  type Tensors,
} from "@pare/runtime/format";

/** Of the golden check's bytes, what the inputs may take: the rest is for what the model says to them. */
const mostShare = 3 / 4;

/**
 * A real sample as the golden check's inputs, its numbers in as few digits as tell them.
 * @throws PareError ARGUMENT where it is too large for that, or holds what JSON does not
 */
export function goldenSample(feeds: Tensors): Readonly<Record<string, GoldenChoice>> {
  const choices = Object.entries(feeds).map(([name, tensor]): [string, GoldenChoice] => [
    name,
    { dims: tensor.dims, values: valuesOf(name, tensor) },
  ]);
  const most = mostShare * goldenMaxBytes;
  const bytes = JSON.stringify(choices).length;
  if (bytes > most)
    throw refused(
      `A sample takes ${Math.ceil(bytes / 1024)} kB as text, and the golden check of a bundle has ${most / 1024} kB for its inputs.`,
      "Leave it out: noise that every device makes for itself takes none.",
    );
  return Object.fromEntries(choices);
}

function valuesOf(name: string, tensor: Tensor): readonly (number | string)[] {
  const { type, data } = tensor;
  if (!isTypedArray(data)) return data;
  const numbers = type === "float16" ? (numbersOf(tensor) ?? []) : data;
  return Array.from<number | bigint, number>(numbers, (value) => {
    // Nine digits tell every float32.
    const number = type === "float32" ? Number(Number(value).toPrecision(9)) : Number(value);
    const isWhole = typeof value === "bigint";
    if (Number.isFinite(number) && (!isWhole || Number.isSafeInteger(number))) return number;
    throw refused(
      `The sample holds ${String(value)} for "${name}", which the golden check cannot hold.`,
      "Leave it out, or let the first sample of the validation split be another.",
    );
  });
}

function refused(message: string, hint: string): PareError {
  return new PareError("ARGUMENT", message, { where: "--golden-from-data", hint });
}
