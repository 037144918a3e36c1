import {
  type Dtype,
  dtypeArray,
  elementCount,
  onnxArtifact,
  type Tensor as Dense,
  type Tensors,
} from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import {
  attribute,
  type Attributes,
  bodiesOf,
  type Body,
  type Dim,
  dim,
  edit,
  type Editor,
  Graph,
  type Infer,
  newHeader,
  Tensor,
  tensorType,
  type ValueId,
  verifyGraph,
} from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import { evaluateGraph, inferNode } from "../ops/index.js";
import type { Rule } from "./rule.js";
import { runRules } from "./run-rules.js";

export type Declared = readonly [Dtype, ...(number | string)[]];

export interface Builder {
  readonly editor: Editor;
  add(op: string, inputs: readonly (ValueId | null)[], attributes?: Attributes): ValueId;
  /** A node with several outputs. */
  many(
    op: string,
    outputs: number,
    inputs: readonly (ValueId | null)[],
    attributes?: Attributes,
  ): readonly ValueId[];
  floats(values: readonly number[], dims?: readonly number[]): ValueId;
  ints(values: readonly number[], dims?: readonly number[]): ValueId;
  /** Small made-up weights: the same for the same dims. */
  weights(...dims: readonly number[]): ValueId;
}

/** A graph from typed inputs (text is a free dim) and what is built on them; outputs by name. */
export function graphOf(
  inputs: Readonly<Record<string, Declared>>,
  build: (input: (name: string) => ValueId, builder: Builder) => Readonly<Record<string, ValueId>>,
  opset = 21,
  infer: Infer = inferNode,
): Graph {
  const graph = new Graph(newHeader(opset), infer);
  edit(
    graph,
    "build",
    (editor) => {
      const ids = new Map<string, ValueId>();
      for (const [name, [dtype, ...dims]] of Object.entries(inputs)) {
        const shape = dims.map((size): Dim => (typeof size === "string" ? dim.symbol(size) : size));
        ids.set(name, editor.addInput(name, tensorType(dtype, shape)));
      }
      const input = (name: string): ValueId => {
        const id = ids.get(name);
        if (id === undefined) throw new Error(`no input ${name}`);
        return id;
      };
      const outputs = build(input, builderOn(editor));
      for (const [name, id] of Object.entries(outputs)) {
        editor.rename(id, name);
        editor.addOutput(id);
      }
    },
    { interface: true },
  );
  return graph;
}

function builderOn(editor: Editor, body?: Body): Builder {
  const inBody = body === undefined ? {} : { body };
  return {
    editor,
    add: (op, inputs, attributes = {}) => editor.add1(op, inputs, attributes, inBody),
    many: (op, outputs, inputs, attributes = {}) =>
      editor.add(op, inputs, attributes, { outputs, ...inBody }),
    floats: (values, dims = values.length === 1 ? [] : [values.length]) =>
      editor.constant("c", Tensor.float32(dims, values), body),
    ints: (values, dims = [values.length]) =>
      editor.constant("i", Tensor.int64(values, dims), body),
    weights: (...dims) =>
      editor.constant("w", Tensor.float32(dims, noise(elementCount(dims), 0.5)), body),
  };
}

/** An If whose branches give what is built in them. */
export function either(
  builder: Builder,
  condition: ValueId,
  ...branches: readonly [then: (b: Builder) => ValueId, otherwise: (b: Builder) => ValueId]
): ValueId {
  const { editor } = builder;
  const [then, otherwise] = branches.map((build) => {
    const body = editor.addBody("branch");
    editor.addOutput(build(builderOn(editor, body)), body);
    return attribute.graph(body);
  });
  if (then === undefined || otherwise === undefined) throw new Error("no branches");
  return builder.add("If", [condition], { then_branch: then, else_branch: otherwise });
}

/** What the engine makes of a graph. */
export async function onEngine(graph: Graph, feeds: Tensors): Promise<Tensors> {
  const session = await cpu().load(onnxArtifact((await encodeModel(graph)).proto));
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

/** What is left after a rule: operators in order of execution, and why it did not apply. */
export interface Outcome {
  readonly ops: readonly string[];
  readonly misses: readonly string[];
}

/**
 * Applies rules to a graph, and checks that they did what they declare: the same numbers, bit by bit or within
 * rounding, and the same interface.
 * @param sizes of free dims, for the inputs that are made up; 2 where not given
 */
export async function apply(
  rules: Rule | readonly Rule[],
  graph: Graph,
  sizes: Readonly<Record<string, number>> = {},
): Promise<Outcome> {
  const list = "match" in rules ? [rules] : rules;
  const feeds = madeUp(graph, sizes);
  const before = await evaluateGraph(graph, feeds);
  await runRules(graph, list, {});
  verifyGraph(graph);
  const after = await evaluateGraph(graph, feeds);
  const bitwise = list.every((rule) => rule.exactness === "bitwise");
  for (const [name, expected] of Object.entries(before))
    compare(name, expected, after[name], bitwise ? 0 : 1e-5);
  return {
    ops: opsOf(graph),
    misses: graph.journal.filter((entry) => entry.what === "left").map((entry) => entry.reason),
  };
}

export function opsOf(graph: Graph): readonly string[] {
  const ops: string[] = [];
  const visit = (body: Body): void => {
    for (const node of graph.order(body)) {
      bodiesOf(node).forEach(visit);
      ops.push(node.op);
    }
  };
  visit(graph.main);
  return ops;
}

export function madeUp(graph: Graph, sizes: Readonly<Record<string, number>>): Tensors {
  const bindings = (value: Dim): number => {
    const bound = dim.substitute(
      value,
      new Map([...dim.symbolsOf(value)].map((name) => [name, sizes[name] ?? 2])),
    );
    return typeof bound === "number" ? bound : 2;
  };
  return Object.fromEntries(
    graph.main.inputs.map((id): [string, Dense] => {
      const { name, type } = graph.value(id);
      if (type.kind !== "tensor" || type.dtype === undefined || type.dtype === "string")
        throw new Error(`cannot make up ${name}`);
      const dims = (type.shape ?? []).map(bindings);
      const values = noise(elementCount(dims), 3);
      const Array = dtypeArray[type.dtype];
      const data =
        Array === BigInt64Array
          ? BigInt64Array.from(values, (value) => BigInt(Math.round(value)))
          : (Array as Float32ArrayConstructor).from(values);
      return [name, { type: type.dtype, dims, data }];
    }),
  );
}

/** Fixed numbers that look random, within ±amplitude. */
function noise(count: number, amplitude: number): number[] {
  let state = 12345 + count;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.fround(((state >>> 8) / 2 ** 23 - 1) * amplitude);
  });
}

export function compare(
  name: string,
  expected: Dense,
  actual: Dense | undefined,
  tolerance: number,
): void {
  if (
    actual === undefined ||
    actual.dims.join() !== expected.dims.join() ||
    actual.type !== expected.type
  ) {
    throw new Error(
      `${name} was ${expected.type}[${expected.dims.join()}] and is ${actual?.type}[${actual?.dims.join()}]`,
    );
  }
  let scale = 0;
  for (const value of expected.data) {
    const size = Math.abs(Number(value));
    if (Number.isFinite(size)) scale = Math.max(scale, size);
  }
  for (let i = 0; i < expected.data.length; i += 1) {
    const [a, b] = [expected.data[i], actual.data[i]];
    if (Object.is(a, b)) continue;
    if (!(tolerance > 0 && Math.abs(Number(a) - Number(b)) <= tolerance * scale))
      throw new Error(`${name}[${i}] was ${String(a)} and is ${String(b)}`);
  }
}
