import { readFile } from "node:fs/promises";
import { byteSource, type Tensor as Dense, type Tensors } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { importModel } from "../import-model.js";
import type { Graph } from "../ir/index.js";
import { findPass } from "../passes/index.js";
import { run } from "../passes/quantization/engine-case.test.support.js";
import { simplifyGraph } from "../passes/simplify.js";
import { planOf } from "./compile.js";
import { emitModule } from "./emit.js";
import type { Engine } from "./engine.js";
import { memoryOver } from "./kernels/kernel.js";
import { enginesHere } from "./kernels/kernel-case.test.support.js";
import { constantImage, planMemory } from "./plan/memory-plan.js";
import type { PlacedValue, Plan } from "./plan/plan.js";

/** A model from a file, simplified, with its free dims and constants bound. */
export async function openModel(
  path: string,
  bindings: Readonly<Record<string, unknown>> = {},
): Promise<Graph> {
  const main = byteSource(new Uint8Array(await readFile(path)));
  const graph = await importModel({ name: path, main, beside: new Map() });
  const bind = findPass("bind-shapes");
  await bind.create(bind.parse(bindings)).run(graph, {});
  await simplifyGraph(graph, {});
  return graph;
}

/** Floats in −1…1, the same for the same seed. */
export function noise(count: number, seed = 1): Float32Array {
  let state = (seed * 2654435761) | 0;
  return Float32Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  });
}

export function floatFeeds(plan: Plan, seed = 1): Tensors {
  return Object.fromEntries(
    plan.inputs.map(({ name, dims }, at): [string, Dense] => {
      const count = dims.reduce((product, size) => product * size, 1);
      return [name, { type: "float32", dims, data: noise(count, seed + at) }];
    }),
  );
}

/** What a module computes; `poisoned` writes NaN over whatever no later step may read, after each step. */
export function runModule(plan: Plan, feeds: Tensors, engine: Engine, poisoned = false): Tensors {
  const memory = planMemory(plan);
  const bytes = emitModule(plan, memory, engine, "inside", poisoned);
  const module = new WebAssembly.Module(bytes);
  if (WebAssembly.Module.imports(module).length > 0)
    throw new Error("The module imports something.");
  const { exports } = new WebAssembly.Instance(module);
  if (!(exports["memory"] instanceof WebAssembly.Memory)) throw new Error("It exports no memory.");
  const { buffer } = exports["memory"];
  const call = (name: string): void => {
    const found = exports[name];
    if (typeof found === "function") found();
  };
  if (poisoned) poison(plan, memory, buffer, beforeFirst);
  write(plan, memory, buffer, feeds);
  if (!poisoned) call("run");
  else
    plan.steps.forEach((_, time) => {
      call(`step${time}`);
      poison(plan, memory, buffer, time);
    });
  return read(plan, memory, buffer);
}

/** The same by the kernels' references, on memory that is planned alike. */
export function runByReference(plan: Plan, feeds: Tensors): Tensors {
  const memory = planMemory(plan);
  const buffer = new ArrayBuffer(memory.memoryBytes + 64);
  new Uint8Array(buffer).set(constantImage(plan, memory), memory.constantsAt);
  write(plan, memory, buffer, feeds);
  for (const step of plan.steps) step.reference(memoryOver(buffer), step.at.map(memory.addressOf));
  return read(plan, memory, buffer);
}

type Planned = ReturnType<typeof planMemory>;
const beforeFirst = -2;

/** NaN over every buffer that is not in use between two steps, without touching those that are. */
function poison(plan: Plan, memory: Planned, buffer: ArrayBuffer, time: number): void {
  const bytes = new Uint8Array(buffer);
  const live = plan.buffers.filter(({ first, last }) => first <= time && last > time);
  const used = new Uint8Array(memory.constantsAt);
  for (const held of live) {
    const at = memory.addressOf({ in: held, offset: 0 });
    used.fill(1, at, at + held.bytes);
  }
  for (let at = 0; at < used.length; at += 1) if (used[at] === 0) bytes[at] = 0xff;
}

function write(plan: Plan, memory: Planned, buffer: ArrayBuffer, feeds: Tensors): void {
  for (const input of plan.inputs) {
    const feed = feeds[input.name]?.data;
    if (feed instanceof Float32Array) floatsOf(input, memory, buffer).set(feed);
  }
}

function read(plan: Plan, memory: Planned, buffer: ArrayBuffer): Tensors {
  return Object.fromEntries(
    plan.outputs.map((output): [string, Dense] => [
      output.name,
      {
        type: "float32",
        dims: output.dims,
        data: floatsOf(output, memory, buffer).slice(),
      },
    ]),
  );
}

function floatsOf(value: PlacedValue, memory: Planned, buffer: ArrayBuffer): Float32Array {
  const count = value.dims.reduce((product, size) => product * size, 1);
  return new Float32Array(buffer, memory.addressOf(value.place), count);
}

/** What is 0 but for rounding has no scale of its own. */
const leastScale = 0.01;

/** The largest difference over all outputs, each relative to its largest element. */
export function relativeError(expected: Tensors, actual: Tensors): number {
  let worst = 0;
  for (const [name, { data, dims }] of Object.entries(expected)) {
    const other = actual[name];
    if (other?.dims.join() !== dims.join())
      throw new Error(`${name} was [${dims.join()}] and is [${other?.dims.join()}]`);
    let [scale, difference] = [leastScale, 0];
    for (let i = 0; i < data.length; i += 1) {
      const [x, y] = [Number(data[i]), Number(other.data[i])];
      scale = Math.max(scale, Math.abs(x));
      const own = Math.abs(x - y);
      if (Number.isNaN(own) && !Object.is(x, y)) return Infinity;
      if (own > difference) difference = own;
    }
    worst = Math.max(worst, difference / scale);
  }
  return worst;
}

/** How far each engine, and the reference where asked, is from onnxruntime. */
export async function compare(
  graph: Graph,
  { poisoned = false, reference = false } = {},
): Promise<number> {
  const plan = await planOf(graph);
  const feeds = floatFeeds(plan);
  const expected = await run(graph, feeds, cpu());
  let worst = 0;
  for (const engine of enginesHere) {
    worst = Math.max(worst, relativeError(expected, runModule(plan, feeds, engine)));
    if (poisoned)
      worst = Math.max(worst, relativeError(expected, runModule(plan, feeds, engine, true)));
  }
  if (reference) worst = Math.max(worst, relativeError(expected, runByReference(plan, feeds)));
  return worst;
}
