import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  byteSource,
  type Dtype,
  dtypeArray,
  elementCount,
  type Tensor as Dense,
  type Tensors,
  type TypedArray,
} from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { importModel } from "../import-model.js";
import type { Graph } from "../ir/index.js";
import { findPass } from "../passes/index.js";
import { evaluateGraph } from "../ops/index.js";
import { run } from "../passes/quantization/engine-case.test.support.js";
import { simplifyGraph } from "../passes/simplify.js";
import { planOf } from "./compile.js";
import { emitModule } from "./emit.js";
import type { Engine } from "./engine.js";
import { memoryOver } from "./kernels/kernel.js";
import { enginesHere } from "./kernels/kernel-case.test.support.js";
import { constantImage, type MemoryPlan as Planned, planMemory } from "./plan/memory-plan.js";
import { type PlacedValue, placesIn, type Plan, turnsOf } from "./plan/plan.js";

const fixtures = new URL("../../../fixtures/models/", import.meta.url);

/** Where a model of the fixtures lies. */
export const models = (name: string): string => fileURLToPath(new URL(`${name}.onnx`, fixtures));

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

/** Of each type: floats in −1…1, integers between two that are given, truth values. */
export function feedsFor(plan: Plan, seed = 1, [least, most] = anyIntegers): Tensors {
  return Object.fromEntries(
    plan.inputs.map(({ name, type, dims }, at): [string, Dense] => {
      const numbers = noise(elementCount(dims), seed + at);
      const integers = numbers.map((x) => least + Math.floor(((x + 1) / 2) * (most - least + 1)));
      return [name, { type, dims, data: arrayOf(type, numbers, integers) }];
    }),
  );
}

type Range = readonly [least: number, most: number];
const anyIntegers: Range = [-3, 3];

function arrayOf(type: Dtype, numbers: Float32Array, integers: Float32Array): TypedArray {
  switch (type) {
    case "float32":
      return numbers;
    case "bool":
      return Uint8Array.from(numbers, (x) => (x > 0 ? 1 : 0));
    case "int64":
      return BigInt64Array.from([...integers], (x) => BigInt(x));
    case "int32":
      return Int32Array.from(integers);
    case "int8":
      return Int8Array.from(integers);
    case "uint8":
      return Uint8Array.from(integers, Math.abs);
    default:
      throw new Error(`A module takes no ${type}.`);
  }
}

/** What a module computes; in the assertion build, from memory that was full of NaN. */
export function runModule(plan: Plan, feeds: Tensors, engine: Engine, asserted = false): Tensors {
  const memory = planMemory(plan);
  const bytes = emitModule(plan, memory, engine, "inside", { asserted });
  return runBytes(bytes, plan, memory, feeds);
}

/**
 * Runs a module.
 * @throws Error that names the step of an assertion build that trapped
 */
export function runBytes(
  bytes: Uint8Array<ArrayBuffer>,
  plan: Plan,
  memory: Planned,
  feeds: Tensors,
): Tensors {
  const module = new WebAssembly.Module(bytes);
  if (WebAssembly.Module.imports(module).length > 0)
    throw new Error("The module imports something.");
  const { exports } = new WebAssembly.Instance(module);
  const { memory: own, run: call, decode, step } = exports;
  if (!(own instanceof WebAssembly.Memory) || typeof call !== "function")
    throw new Error("It exports something else.");
  if (step instanceof WebAssembly.Global) poison(memory, own.buffer);
  if (typeof decode === "function") decode();
  write(plan, memory, own.buffer, feeds);
  try {
    call();
  } catch (cause) {
    const index = step instanceof WebAssembly.Global ? Number(step.value) : -1;
    const kernel = plan.steps[index]?.kernel ?? "unknown";
    throw new Error(`Step ${index} (${kernel}) trapped: ${String(cause)}`, { cause });
  }
  return read(plan, memory, own.buffer);
}

/** The same by the kernels' references, on memory that is planned alike. */
export function runByReference(plan: Plan, feeds: Tensors): Tensors {
  const memory = planMemory(plan);
  const buffer = new ArrayBuffer(memory.memoryBytes + 64);
  new Uint8Array(buffer).set(constantImage(plan, memory), memory.constantsAt);
  write(plan, memory, buffer, feeds);
  for (const { steps } of [...plan.decoded, ...plan.prepared])
    for (const { reference, at } of steps) reference(memoryOver(buffer), at.map(memory.addressOf));
  const integers = new Int32Array(buffer);
  for (const { count: rounds, steps } of turnsOf(plan.steps))
    for (let round = 0; round < rounds; round += 1)
      for (const step of steps)
        if (step.count === undefined || integers[memory.addressOf(step.count) / 4] !== 0)
          step.reference(memoryOver(buffer), placesIn(step, round).map(memory.addressOf));
  return read(plan, memory, buffer);
}

/** NaN in all that is no constant. */
function poison(memory: Planned, buffer: ArrayBuffer): void {
  const constantsEnd = memory.constantsAt + memory.constantBytes;
  new Uint8Array(buffer, 0, memory.constantsAt).fill(0xff);
  new Uint8Array(buffer, constantsEnd, memory.memoryBytes - constantsEnd).fill(0xff);
}

export function write(plan: Plan, memory: Planned, buffer: ArrayBuffer, feeds: Tensors): void {
  for (const input of plan.inputs) {
    const held = bytesOf(input, memory, buffer);
    const data = feeds[input.name]?.data;
    if (ArrayBuffer.isView(data))
      held.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
}

function read(plan: Plan, memory: Planned, buffer: ArrayBuffer): Tensors {
  return Object.fromEntries(
    plan.outputs.map((output): [string, Dense] => {
      const { type, name, rows } = output;
      if (type === "string") throw new Error("A module gives no text.");
      const [count = 0] = rows === undefined ? [] : new Int32Array(buffer, memory.addressOf(rows.count), 1); // prettier-ignore
      const dims = output.dims.map((size, axis) => (axis === rows?.axis ? count : size));
      const data = new dtypeArray[type](bytesOf(output, memory, buffer).slice().buffer);
      if (data.slice(elementCount(dims)).some((number) => Number(number) !== 0))
        throw new Error(`${name} has numbers behind its ${count} rows.`);
      return [name, { type, dims, data: data.slice(0, elementCount(dims)) }];
    }),
  );
}

function bytesOf({ type, dims, place }: PlacedValue, memory: Planned, buffer: ArrayBuffer) {
  const bytes = type === "string" ? 0 : dtypeArray[type].BYTES_PER_ELEMENT;
  return new Uint8Array(buffer, memory.addressOf(place), elementCount(dims) * bytes);
}

/** What is 0 but for rounding has no scale of its own. */
const leastScale = 0.01;

/** The largest difference over all outputs, each relative to its largest element. */
export function relativeError(expected: Tensors, actual: Tensors): number {
  let worst = 0;
  for (const [name, { type, data, dims }] of Object.entries(expected)) {
    const other = actual[name];
    if (other?.dims.join() !== dims.join() || other.type !== type)
      throw new Error(
        `${name} was ${type} [${dims.join()}] and is ${other?.type} [${other?.dims.join()}]`,
      );
    let [scale, difference] = [leastScale, 0];
    for (let i = 0; i < data.length; i += 1) {
      const [x, y] = [Number(data[i]), Number(other.data[i])];
      if (Object.is(x, y)) {
        if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x));
        continue;
      }
      if (!Number.isFinite(x) || !Number.isFinite(y)) return Infinity;
      scale = Math.max(scale, Math.abs(x));
      difference = Math.max(difference, Math.abs(x - y));
    }
    worst = Math.max(worst, difference / scale);
  }
  return worst;
}

/**
 * How far each engine, and the reference where asked, is from onnxruntime.
 * @param options `compiled`: the same model as it is compiled; `poisoned`: the assertion build as well; `integers`: between
 * which the integers are that the model is given
 */
export async function compare(
  graph: Graph,
  { compiled = graph, poisoned = false, reference = false, integers = anyIntegers } = {},
): Promise<number> {
  const plan = await planOf(compiled);
  const feeds = feedsFor(plan, 1, integers);
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

/**
 * What is otherwise than in onnxruntime, each number held to its own size: infinities, what is no number and the sign of zero
 * too. Undefined where nothing is.
 */
export async function differenceOfNumbers(
  graph: Graph,
  feeds: Tensors,
): Promise<string | undefined> {
  const expected = await run(graph, feeds, cpu());
  const plan = await planOf(graph);
  const made = enginesHere.map((engine) => [engine.name, runModule(plan, feeds, engine)] as const);
  for (const [name, results] of [...made, ["reference", runByReference(plan, feeds)] as const])
    for (const [output, { data }] of Object.entries(expected))
      for (const [at, value] of [...data].entries()) {
        const [x, y] = [Number(value), Number(results[output]?.data[at] ?? Number.NaN)];
        const isClose = Number.isFinite(x) && x !== 0 && Math.abs(x - y) <= 1e-5 * Math.abs(x);
        if (!Object.is(x, y) && !isClose) return `${name}: ${output}[${at}] is ${y}, not ${x}`;
      }
  return undefined;
}

/** How far modules are from what the operators' reference evaluations say, which round each result once. */
export async function differenceToEvaluation(graph: Graph, compiled: Graph): Promise<number> {
  const plan = await planOf(compiled);
  const feeds = feedsFor(plan, 1, anyIntegers);
  const expected = await evaluateGraph(graph, feeds);
  const each = enginesHere.map((engine) => relativeError(expected, runModule(plan, feeds, engine)));
  return Math.max(...each);
}
