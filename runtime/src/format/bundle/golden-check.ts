import { messageOf } from "../error.js";
import { halfToFloat } from "../tensor/float16.js";
import { goldenFeeds } from "./golden-feeds.js";
import type { Golden, GoldenOutput, Tolerance } from "./manifest.js";
import type { Tensor, Tensors } from "../tensor/tensor.js";

export type RunTensors = (feeds: Tensors) => Promise<Tensors>;

export type GoldenVerdict =
  | { readonly ok: true; readonly maxError: number }
  | { readonly ok: false; readonly why: string };

/** Runs a variant on the golden inputs and compares: see `Tolerance`. */
export async function checkGolden(
  golden: Golden,
  variant: string,
  tolerance: Tolerance,
  run: RunTensors,
): Promise<GoldenVerdict> {
  let maxError = 0;
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
      const verdict = compare(output, output.values[variant] ?? [], got[output.name], tolerance);
      if (!verdict.ok) return verdict;
      maxError = Math.max(maxError, verdict.maxError);
      compared += output.indices.length;
    }
  }
  return compared > 0
    ? { ok: true, maxError }
    : { ok: false, why: `the golden check has no values for ${variant}` };
}

function compare(
  output: GoldenOutput,
  values: readonly number[],
  got: Tensor | undefined,
  { absolute: ofOthers, relative, outputs = {} }: Tolerance,
): GoldenVerdict {
  const name = `output "${output.name}"`;
  if (got === undefined) return { ok: false, why: `${name} is missing` };
  if (got.type !== output.type || got.dims.join() !== output.dims.join()) {
    return {
      ok: false,
      why: `${name} is ${got.type} [${got.dims.join(", ")}], not ${output.type} [${output.dims.join(", ")}]`,
    };
  }
  if (values.length !== output.indices.length)
    return { ok: false, why: `${name} has a damaged golden check` };
  const absolute = Object.hasOwn(outputs, output.name) ? outputs[output.name] : undefined;
  let maxError = 0;
  for (const [probe, index] of output.indices.entries()) {
    const expected = values[probe] ?? NaN;
    const actual = numberAt(got, index);
    const error = Math.abs(actual - expected);
    if (!(error <= (absolute ?? ofOthers) + relative * Math.abs(expected))) {
      return { ok: false, why: `${name} at ${index} is ${actual}, recorded was ${expected}` };
    }
    maxError = Math.max(maxError, error);
  }
  return { ok: true, maxError };
}

/** One element as a number; NaN where there is none. */
export function numberAt(tensor: Tensor, index: number): number {
  const value = tensor.data[index];
  if (value === undefined || typeof value === "string") return NaN;
  return tensor.type === "float16" ? halfToFloat(Number(value)) : Number(value);
}
