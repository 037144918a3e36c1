import type { Node, ValueId } from "../../ir/index.js";
import type { Epilogue } from "../kernels/epilogue.js";
import { evaluateUnary, type Unary } from "../kernels/unary.js";
import type { Lowering } from "./lowering.js";
import { dtypeOf } from "./node-facts.js";
import { unaryOf } from "./unary-of.js";

/** What a kernel does to its result before it stores it, and which value it thereby makes. */
export interface Followers {
  readonly epilogue: readonly Epilogue[];
  /** The one other tensor that is added or multiplied. */
  readonly other: ValueId | undefined;
  readonly result: ValueId;
}

/** What they make of a number may be none, or infinite. */
const partial: ReadonlySet<Unary["kind"]> = new Set([
  "reciprocal",
  "quotient",
  "log",
  "exp",
  "sinh",
  "cosh",
  "square-root",
  "asin",
  "acos",
  "acosh",
  "atanh",
]);

/** Each is written once for every accumulator of a kernel, and engines refuse functions of megabytes. */
const mostFollowers = 12;

/**
 * The nodes that follow a value and that nobody else sees: functions of it alone, x · sigmoid(x), and one sum or product
 * with another tensor of its shape that is there already. They are absorbed.
 * @param computesPadding lanes that only pad get what all of it makes of 0, which is to be finite; else they get zeros
 */
export function absorbFollowers(l: Lowering, id: ValueId, computesPadding = true): Followers {
  const epilogue: Epilogue[] = [];
  let other: ValueId | undefined;
  let result = id;
  /** What lanes that only pad hold; of another tensor's it is not known. */
  let padding: number | undefined = computesPadding ? 0 : undefined;
  const keepsPadding = (unary: readonly Unary[]): boolean => {
    if (!computesPadding) return true;
    if (padding === undefined) return !unary.some(({ kind }) => partial.has(kind));
    padding = unary.reduce((x, each) => Math.fround(evaluateUnary(x, each)), padding);
    return Number.isFinite(padding);
  };
  if (l.element(id) !== "f32") return { epilogue, other, result };
  const absorb = (node: Node): void => {
    l.absorbed.add(node);
    result = node.outputs[0] ?? result;
  };
  while (epilogue.length < mostFollowers) {
    if (l.graph.isOutput(result)) break;
    const readers = l.graph.consumers(result);
    const gate = gateOf(l, result, readers);
    if (gate !== undefined) {
      if (!keepsPadding([gate])) break;
      epilogue.push({ kind: gate.kind });
      l.absorbed.add(gate.sigmoid);
      absorb(gate.product);
      continue;
    }
    const [reader, ...more] = readers;
    if (reader === undefined || more.length > 0) break;
    // A constant of more axes adds some to its result.
    if (!keepsDims(l, result, reader)) break;
    const unary = unaryOf(reader, result, (input) => l.scalar(input));
    if (unary !== undefined) {
      if (!keepsPadding(unary)) break;
      epilogue.push(...unary);
      absorb(reader);
      continue;
    }
    const joined = other === undefined ? joinedWith(l, result, reader) : undefined;
    if (joined === undefined) break;
    other = joined;
    padding = undefined;
    epilogue.push({ kind: reader.op === "Add" ? "add-other" : "multiply-other" });
    absorb(reader);
  }
  return { epilogue, other, result };
}

interface Gate {
  readonly kind: "silu" | "hard-swish";
  readonly sigmoid: Node;
  readonly product: Node;
}

/** x · sigmoid(x), whose x has two readers. */
function gateOf(l: Lowering, x: ValueId, readers: readonly Node[]): Gate | undefined {
  if (readers.length !== 2) return undefined;
  const sigmoid = readers.find(({ op }) => op === "Sigmoid" || op === "HardSigmoid");
  const product = readers.find(({ op }) => op === "Mul");
  const gate = sigmoid?.outputs[0];
  if (sigmoid === undefined || product === undefined || gate === null || gate === undefined)
    return undefined;
  const isProduct = product.inputs.includes(x) && product.inputs.includes(gate);
  if (!isProduct || l.graph.isOutput(gate) || l.graph.consumers(gate).length !== 1)
    return undefined;
  if (sigmoid.op === "Sigmoid") return { kind: "silu", sigmoid, product };
  const [line] = unaryOf(sigmoid, x, () => undefined) ?? [];
  const isSwish =
    line?.kind === "hard-sigmoid" && Math.abs(line.alpha - 1 / 6) < 1e-6 && line.beta === 0.5;
  return isSwish ? { kind: "hard-swish", sigmoid, product } : undefined;
}

function keepsDims(l: Lowering, x: ValueId, { outputs: [output] }: Node): boolean {
  return output !== null && output !== undefined && l.dims(output).join() === l.dims(x).join();
}

/** The other operand of a sum or product, where its channels lie along the result's and it is there. */
function joinedWith(l: Lowering, x: ValueId, reader: Node): ValueId | undefined {
  if (reader.domain !== "" || (reader.op !== "Add" && reader.op !== "Mul")) return undefined;
  const other = reader.inputs.find((input) => input !== x);
  if (other === undefined || other === null || !l.has(other)) return undefined;
  // What is computed when the module is started does not wait for a run.
  if (l.plan.isAtStart && !l.isEarly(other)) return undefined;
  if (dtypeOf(l.graph, other) !== "float32") return undefined;
  const [own, dims] = [l.dims(x), l.dims(other)];
  return dims.length === own.length && canSpread(dims, own) ? other : undefined;
}

/** Every axis is as long as the result's, or one; channels and the last axis are as long. */
function canSpread(dims: readonly number[], own: readonly number[]): boolean {
  return own.every((size, axis) => {
    const isLanes = axis === 1 || axis === own.length - 1;
    return dims[axis] === size || (!isLanes && dims[axis] === 1);
  });
}
