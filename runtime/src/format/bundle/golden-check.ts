import { messageOf } from "../error.js";
import { halfToFloat } from "../tensor/float16.js";
import { goldenFeeds } from "./golden-feeds.js";
import type { Golden, GoldenOutput, Tolerance } from "./manifest.js";
import { dimsFit, type Tensor, type Tensors } from "../tensor/tensor.js";

export type RunTensors = (feeds: Tensors) => Promise<Tensors>;

export type GoldenVerdict = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** Runs a variant on the golden inputs and compares: see `Tolerance`. */
export async function checkGolden(
  golden: Golden,
  variant: string,
  tolerance: Tolerance,
  run: RunTensors,
): Promise<GoldenVerdict> {
  let compared = 0;
  for (const { inputs, outputs } of golden.cases) {
    const expected = outputs.filter((output) => (output.values[variant]?.length ?? 0) > 0);
    if (expected.length === 0) continue;
    let got: Tensors;
    try {
      got = await run(goldenFeeds(inputs));
    } catch (error) {
      return { ok: false, why: `it failed on the golden input: ${messageOf(error)}` };
    }
    for (const output of expected) {
      const why = difference(output, output.values[variant] ?? [], got[output.name], tolerance);
      if (why !== null) return { ok: false, why: `output "${output.name}" ${why}` };
      compared += 1;
    }
  }
  return compared > 0
    ? { ok: true }
    : { ok: false, why: `the golden check has no values for ${variant}` };
}

/** What is wrong with an output; null where it is within the tolerance. */
function difference(
  { name, type, dims, indices }: GoldenOutput,
  values: readonly number[],
  got: Tensor | undefined,
  { absolute: ofOthers, relative, outputs = {} }: Tolerance,
): string | null {
  if (got === undefined) return "is missing";
  if (got.type !== type || !dimsFit(dims, got.dims))
    return `is ${got.type} [${got.dims.join(", ")}], not ${type} [${dims.join(", ")}]`;
  const absolute = Object.hasOwn(outputs, name) ? outputs[name] : undefined;
  for (const [probe, index] of indices.entries()) {
    const expected = values[probe] ?? NaN;
    const actual = numberAt(got, index);
    if (!(Math.abs(actual - expected) <= (absolute ?? ofOthers) + relative * Math.abs(expected)))
      return `at ${index} is ${actual}, recorded was ${expected}`;
  }
  return null;
}

/** One element as a number; NaN where there is none. */
export function numberAt(tensor: Tensor, index: number): number {
  const value = tensor.data[index];
  if (value === undefined || typeof value === "string") return NaN;
  return tensor.type === "float16" ? halfToFloat(Number(value)) : Number(value);
}
