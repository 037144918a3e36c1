import { halfToFloat } from "../tensor/float16.js";
import { goldenFeeds } from "./golden-feeds.js";
import type { Golden, GoldenCase, GoldenOutput, Tolerance } from "./manifest.js";
import { dimsFit, type Tensor, type Tensors } from "../tensor/tensor.js";

export type RunTensors = (feeds: Tensors) => Promise<Tensors>;

export type GoldenVerdict = { readonly ok: true } | { readonly ok: false; readonly why: string };

/**
 * Runs a variant on the golden inputs and compares: see `Tolerance`.
 * @throws what `run` does, and BUNDLE_INVALID as `goldenFeeds`: what gave no answers gave no wrong ones
 */
export async function checkGolden(
  golden: Golden,
  variant: string,
  tolerance: Tolerance,
  run: RunTensors,
): Promise<GoldenVerdict> {
  let checked = false;
  for (const each of golden.cases) {
    if (!isChecked(each, variant)) continue;
    const { inputs, outputs } = each;
    const got = await run(goldenFeeds(inputs));
    for (const output of outputs) {
      const values = output.values[variant];
      const why = values ? difference(output, values, got[output.name], tolerance) : null;
      if (why !== null) return { ok: false, why: `output "${output.name}" ${why}` };
    }
    checked = true;
  }
  return checked
    ? { ok: true }
    : { ok: false, why: `the golden check has no values for ${variant}` };
}

/** Whether a case says anything of a variant; of one that is only run it says nothing, since its answers are drawn at random. */
export function isChecked({ outputs }: GoldenCase, variant: string): boolean {
  return outputs.length === 0 || outputs.some(({ values }) => values[variant]);
}

/** What is wrong with an output; null where it is within the tolerance. */
function difference(
  { name, type, dims, indices }: GoldenOutput,
  values: readonly (number | string)[],
  got: Tensor | undefined,
  { absolute: ofOthers, relative, outputs = {} }: Tolerance,
): string | null {
  if (got === undefined) return "is missing";
  if (got.type !== type || !dimsFit(dims, got.dims))
    return `is ${got.type} [${got.dims.join(", ")}], not ${type} [${dims.join(", ")}]`;
  const absolute = (Object.hasOwn(outputs, name) ? outputs[name] : undefined) ?? ofOthers;
  for (const [probe, index] of indices.entries()) {
    const actual = valueAt(got, index);
    const expected = values[probe];
    const isAlike =
      typeof expected === "number"
        ? Math.abs(Number(actual) - expected) <= absolute + relative * Math.abs(expected)
        : actual === expected;
    // A file may have anything there, and not all of that is text.
    const recorded = typeof expected === "object" ? null : expected;
    if (!isAlike) return `at ${index} is ${actual}, recorded was ${recorded}`;
  }
  return null;
}

/** One element as a number or text; NaN where there is none. */
export function valueAt(tensor: Tensor, index: number): number | string {
  const value = tensor.data[index];
  if (typeof value === "string") return value;
  return tensor.type === "float16" ? halfToFloat(Number(value)) : Number(value);
}
