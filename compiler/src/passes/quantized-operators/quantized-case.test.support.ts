import { elementCount, type Tensors } from "@pare/runtime/format";
import { aot as modules } from "@pare/runtime/aot";
import { cpu } from "@pare/runtime/ort-node";
import { type Attributes, type Graph, Tensor, type ValueId } from "../../ir/index.js";
import type { Builder } from "../../rules/rule-case.test.support.js";
import { aot } from "../../targets/aot.js";
import { planOf } from "../../wasm/compile.js";
import { feedsFor, noise } from "../../wasm/run-model.test.support.js";
import { run } from "../quantization/engine-case.test.support.js";
import { simplifyGraph } from "../simplify.js";
import { sayQuantized } from "./say-quantized.js";

export type Bytes = "uint8" | "int8";

/** How numbers are rounded to bytes. */
export interface How {
  readonly type: Bytes;
  readonly scale: number;
  readonly zeroPoint: number;
}

export function bytes(
  b: Builder,
  type: Bytes,
  values: readonly number[],
  dims: readonly number[] = [],
): ValueId {
  const data = type === "uint8" ? Uint8Array.from(values) : Int8Array.from(values);
  return b.editor.constant("q", Tensor.of(type, dims, data));
}

/** The scale and zero point of a value. */
export function steps(b: Builder, { type, scale, zeroPoint }: How): readonly [ValueId, ValueId] {
  return [b.floats([scale]), bytes(b, type, [zeroPoint])];
}

/** A value's bytes, and their scale and zero point. */
export function rounded(
  b: Builder,
  x: ValueId,
  how: How,
): readonly [bytes: ValueId, scale: ValueId, zeroPoint: ValueId] {
  const own = steps(b, how);
  return [b.add("QuantizeLinear", [x, ...own]), ...own];
}

export function decoded(b: Builder, x: ValueId, how: How): ValueId {
  return b.add("DequantizeLinear", [x, ...steps(b, how)]);
}

/** An operator of onnxruntime's own. */
export function own(
  b: Builder,
  op: string,
  inputs: readonly (ValueId | null)[],
  attributes: Attributes = {},
): ValueId {
  b.editor.setOpset("com.microsoft", 1);
  return b.editor.add1(op, inputs, attributes, { domain: "com.microsoft" });
}

/** Made-up bytes around a zero point, few enough bits that no engine's products saturate. */
export function noiseBytes(count: number, zeroPoint: number, most = 63): readonly number[] {
  return [...noise(count, count)].map((x) => Math.round(x * most) + zeroPoint);
}

export interface Compared {
  /** The largest difference to onnxruntime, in steps of the outputs. */
  readonly apart: number;
  readonly kernels: readonly string[];
  /** The module's. */
  readonly outputs: Tensors;
}

/**
 * A module beside onnxruntime.
 * @param step of the outputs
 * @param engine one whose sums of integers are exact, where they are summed
 */
export async function compared(graph: Graph, step: number, engine = cpu()): Promise<Compared> {
  const said = graph.fork();
  sayQuantized(said);
  await simplifyGraph(said, {});
  const plan = await planOf(said);
  const feeds = feedsFor(plan, 3);
  const expected = await run(graph, feeds, engine);
  const session = await modules().load(await aot.emit(graph, {}));
  const found = await session.run(feeds);
  await session.dispose();
  return {
    apart: largest(expected, found) / step,
    kernels: plan.steps.map(({ kernel }) => kernel),
    outputs: found,
  };
}

function largest(expected: Tensors, found: Tensors): number {
  let apart = 0;
  for (const [name, { data, dims, type }] of Object.entries(expected)) {
    const other = found[name];
    if (other?.type !== type || other.dims.join() !== dims.join()) return Infinity;
    for (let i = 0; i < elementCount(dims); i += 1) {
      const own = Math.abs(Number(data[i]) - Number(other.data[i]));
      apart = Math.max(apart, Number.isNaN(own) ? Infinity : own);
    }
  }
  return apart;
}
