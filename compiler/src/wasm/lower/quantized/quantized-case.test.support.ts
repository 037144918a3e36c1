import { elementCount } from "@pare/runtime/format";
import * as fc from "fast-check";
import { expect } from "vitest";
import { attribute, type Graph, Tensor, type ValueId } from "../../../ir/index.js";
import { run } from "../../../passes/quantization/engine-case.test.support.js";
import { simplifyGraph } from "../../../passes/simplify.js";
import type { Builder } from "../../../rules/rule-case.test.support.js";
import { exactEngine } from "../../../targets/exact-engine.test.support.js";
import { planOf } from "../../compile.js";
import { enginesHere } from "../../kernels/kernel-case.test.support.js";
import { feedsFor, noise, runByReference, runModule } from "../../run-model.test.support.js";
import { differenceToReferences, isExact } from "./exactness.test.support.js";

export const size = (min: number, max: number) => fc.integer({ min, max });
export const list = (length: number, min: number, max: number) =>
  fc.array(size(min, max), { minLength: length, maxLength: length });

/** How an activation is rounded: as exporters do, or with seven bits as this compiler does. */
export interface How {
  readonly type: "uint8" | "int8";
  readonly scale: number;
  readonly zeroPoint: number;
  readonly bits: 8 | 7;
}

export const how: fc.Arbitrary<How> = fc
  .record({
    type: fc.constantFrom("uint8" as const, "int8" as const),
    scale: size(1, 40).map((n) => Math.fround(n / 1000)),
    zeroPoint: size(0, 127),
    bits: fc.constantFrom(8 as const, 7 as const),
  })
  .map((each) => (each.type === "int8" ? { ...each, bits: 8 } : each));

export function integers(
  b: Builder,
  type: "uint8" | "int8",
  values: readonly number[],
  dims: readonly number[] = [],
): ValueId {
  const data = type === "uint8" ? Uint8Array.from(values) : Int8Array.from(values);
  return b.editor.constant("q", Tensor.of(type, dims, data));
}

/** The integers of a value, and what they stand for. */
export function rounded(b: Builder, x: ValueId, { type, scale, zeroPoint, bits }: How): ValueId {
  const steps = [b.floats([scale]), integers(b, type, [zeroPoint - (type === "int8" ? 64 : 0)])];
  let q = b.add("QuantizeLinear", [x, ...steps]);
  if (bits === 7) q = b.add("Clip", [q, null, integers(b, type, [127])]);
  return b.add("DequantizeLinear", [q, ...steps]);
}

interface WeightsHow {
  readonly type: "uint8" | "int8";
  readonly perChannel: boolean;
}

/** Integers with a scale for each index of an axis, or for all; few enough bits that no engine's products saturate. */
export function weights(
  b: Builder,
  dims: readonly number[],
  axis: number,
  { type, perChannel }: WeightsHow,
): ValueId {
  const zero = type === "uint8" ? 128 : 0;
  const values = [...noise(elementCount(dims), dims.length + elementCount(dims))].map((x) =>
    Math.round(x * 63 + zero),
  );
  const scales = Array.from({ length: perChannel ? (dims[axis] ?? 1) : 1 }, (_, at) =>
    Math.fround(0.004 + at / 1000),
  );
  const shape = perChannel ? [scales.length] : [];
  return b.add(
    "DequantizeLinear",
    [
      integers(b, type, values, dims),
      b.floats(scales, shape),
      integers(
        b,
        type,
        scales.map(() => zero),
        shape,
      ),
    ],
    perChannel ? { axis: attribute.int(axis) } : {},
  );
}

export const weightsHow: fc.Arbitrary<WeightsHow> = fc.record({
  type: fc.constantFrom("int8" as const, "uint8" as const),
  perChannel: fc.boolean(),
});

/** A bias as exporters store it: in steps of input × weights. */
export function bias(
  b: Builder,
  channels: number,
  { perChannel }: WeightsHow,
  input: How,
): ValueId {
  const values = Int32Array.from(noise(channels, 5), (x) => Math.round(x * 500));
  const scales = Array.from({ length: perChannel ? channels : 1 }, (_, at) =>
    Math.fround(input.scale * Math.fround(0.004 + at / 1000)),
  );
  return b.add(
    "DequantizeLinear",
    [
      b.editor.constant("b", Tensor.of("int32", [channels], values)),
      b.floats(scales, perChannel ? [channels] : []),
    ],
    perChannel ? { axis: attribute.int(0) } : {},
  );
}

/**
 * Both modules compute integers to the bit as references do, and give what onnxruntime gives: a step aside where its
 * kernels round differently.
 * @param step of the outputs
 * @returns the kernels of the plan
 */
export async function expectAgreement(graph: Graph, step: number): Promise<readonly string[]> {
  await simplifyGraph(graph, {});
  const plan = await planOf(graph);
  const feeds = feedsFor(plan, 3, [0, 120]);
  for (const engine of enginesHere)
    expect(differenceToReferences(plan, feeds, engine)).toBeUndefined();
  const result = runByReference(plan, feeds);
  const areExact = plan.steps.every(({ kernel }) => isExact(kernel));
  for (const engine of enginesHere) {
    const own = runModule(plan, feeds, engine, true);
    if (areExact) expect(own).toEqual(result);
  }
  const expected = await run(graph, feeds, await exactEngine());
  for (const [name, { data, dims }] of Object.entries(expected)) {
    const other = result[name];
    expect(other?.dims).toEqual(dims);
    let apart = 0;
    for (let i = 0; i < data.length; i += 1)
      apart = Math.max(apart, Math.abs(Number(data[i]) - Number(other?.data[i])));
    expect(apart).toBeLessThanOrEqual(step * 1.001);
  }
  return plan.steps.map(({ kernel }) => kernel);
}
