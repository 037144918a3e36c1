import type { Dtype } from "@pare/runtime/format";
import {
  type Dim,
  type Graph,
  isStatic,
  type Node,
  product,
  sameShape,
  type Tensor,
  type ValueId,
  shapeOf,
} from "../ir/index.js";
import { type AttributeReader, attributeReader } from "../ops/index.js";
import type { Rewrite } from "./rule.js";

export function attributesOf(node: Node): AttributeReader {
  return attributeReader(node.attributes);
}

export function inputOf(node: Node, index: number): ValueId | undefined {
  return node.inputs[index] ?? undefined;
}

/** The first output. */
export function outputOf(node: Node): ValueId | undefined {
  return node.outputs[0] ?? undefined;
}

export function dtypeOf(graph: Graph, value: ValueId | undefined): Dtype | undefined {
  if (value === undefined) return undefined;
  const { type } = graph.value(value);
  return type.kind === "tensor" ? type.dtype : undefined;
}

/** The ai.onnx node of this operator that makes a value. */
export function madeBy(
  graph: Graph,
  value: ValueId | undefined,
  ...ops: readonly string[]
): Node | undefined {
  const node = graph.producer(value);
  return node !== undefined && node.domain === "" && ops.includes(node.op) ? node : undefined;
}

/**
 * Does a single input of a node of its own body, and nothing else, read this value? Then its producer may be absorbed. From
 * another body it may not: what a body holds is not seen outside of it, and what is moved into a loop runs in every round.
 */
export function hasOneReader(graph: Graph, value: ValueId): boolean {
  const { uses, body } = graph.value(value);
  const { first } = uses;
  return uses.length === 1 && first?.kind === "node" && graph.node(first.node).body === body;
}

/** As `madeBy`, for a node whose only output has a single reader. */
export function absorbable(
  graph: Graph,
  value: ValueId | undefined,
  ...ops: readonly string[]
): Node | undefined {
  const node = madeBy(graph, value, ...ops);
  if (node === undefined || value === undefined || !hasOneReader(graph, value)) return undefined;
  return node.outputs.every((output) => output === null || output === value) ? node : undefined;
}

/** The one number in a resident constant, whatever its rank. */
export function scalarOf(graph: Graph, value: ValueId | undefined): number | undefined {
  const tensor = graph.constant(value);
  return tensor?.count === 1 ? tensor.numbers()?.[0] : undefined;
}

/** The numbers in a resident constant. */
export function numbersOf(graph: Graph, value: ValueId | undefined): readonly number[] | undefined {
  return graph.constant(value)?.numbers();
}

/** Dtypes whose elements are kept as bits, not as numbers. */
const inBits: ReadonlySet<Dtype> = new Set([
  "float16",
  "bfloat16",
  "int4",
  "uint4",
  "int2",
  "uint2",
]);

/** Is every element of a resident constant this number? */
export function isFilledWith(tensor: Tensor | undefined, number: number): boolean {
  if (tensor?.data === undefined || tensor.count === 0 || inBits.has(tensor.dtype)) return false;
  for (const element of tensor.data)
    if (typeof element === "string" || Number(element) !== number) return false;
  return true;
}

/** The constant operand of a two-operand node, and the other. */
export function constantOperand(
  graph: Graph,
  node: Node,
):
  | { readonly constant: Tensor; readonly id: ValueId; readonly other: ValueId; readonly at: 0 | 1 }
  | undefined {
  const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
  if (a === undefined || b === undefined) return undefined;
  const right = graph.constant(b);
  if (right !== undefined) return { constant: right, id: b, other: a, at: 1 };
  const left = graph.constant(a);
  return left === undefined ? undefined : { constant: left, id: a, other: b, at: 0 };
}

/** Are two shapes known and equal? */
export function shapesAgree(graph: Graph, a: ValueId | undefined, b: ValueId | undefined): boolean {
  const shape = shapeOf(graph, a);
  return shape !== undefined && sameShape(shape, shapeOf(graph, b));
}

/** The number of elements when shape is known in numbers that can be sizes. */
export function staticCount(shape: readonly Dim[] | undefined): number | undefined {
  if (shape === undefined || !isStatic(shape) || shape.some((size) => !(size >= 0)))
    return undefined;
  const count = product(shape);
  return typeof count === "number" ? count : undefined;
}

/** Close enough that a float32 constant was meant to be this number. */
export function isAbout(value: number | undefined, expected: number, tolerance = 1e-4): boolean {
  return value !== undefined && Math.abs(value - expected) <= tolerance * Math.abs(expected);
}

/**
 * Lets the readers of a node's output read `by` instead. Undefined where that would only put an Identity in the
 * place of one: a body's output must be made by a node of that body, under its own name.
 */
export function bypass(
  graph: Graph,
  node: Node,
  by: ValueId | undefined,
  because: string,
): Rewrite | undefined {
  const output = outputOf(node);
  if (output === undefined || by === undefined) return undefined;
  if (
    node.outputs.some(
      (other, index) => index > 0 && other !== null && graph.value(other).uses.length > 0,
    )
  )
    return undefined;
  if (node.op === "Identity" && graph.isOutput(output)) {
    const source = graph.value(by);
    if (source.producer === null || source.body !== node.body || graph.isOutput(by))
      return undefined;
  }
  return {
    because,
    rewrite(editor) {
      node.outputs.forEach((other, index) => {
        if (index > 0 && other !== null) editor.dropOutput(node.id, index);
      });
      editor.replace(output, by, because);
    },
  };
}
