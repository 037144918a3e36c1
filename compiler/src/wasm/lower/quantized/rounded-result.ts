import { type Graph, type Node, type ValueId } from "../../../ir/index.js";
import { roundHalfEven } from "../../../ops/reference/round-half-even.js";
import type { Curve } from "../../kernels/curve-i8.js";
import type { Rounding } from "../../kernels/rounding-i8.js";
import type { Lowering } from "../lowering.js";
import { unaryOf } from "../unary-of.js";
import {
  byteBounds,
  type Encoded,
  encodedBy,
  isPlain,
  type Steps,
  stepsOf,
} from "./quantization.js";

/** How what a kernel computes becomes bytes: what it is followed by, and nobody else sees. */
export interface RoundedResult {
  readonly scale: number;
  readonly rounding: Omit<Rounding, "wide">;
  /** The value that holds the bytes. */
  readonly bytes: ValueId;
  /** Another value of bytes that is added before. */
  readonly other: Encoded | undefined;
  /** A function that is computed before. */
  readonly curve: Curve | undefined;
  /** The nodes that are done with. */
  readonly nodes: readonly Node[];
}

/** What a kernel computes with its result before it is rounded, beside rectifiers: a sum with other bytes, or a function. */
interface Follows {
  readonly sum?: boolean;
  readonly curve?: boolean;
}

/**
 * The rounding that a value goes to, by a rectifier or bounds and, where the kernel has it, a sum with bytes that are there
 * already or a function: rounding is monotonic, so that bounds become bounds of bytes. Undefined where it goes elsewhere.
 */
export function roundedResult(
  l: Lowering,
  id: ValueId,
  follows: Follows = {},
): RoundedResult | undefined {
  const { graph } = l;
  const nodes: Node[] = [];
  const bounds: (readonly [low: number, high: number])[] = [];
  let [value, other]: [ValueId, Encoded | undefined] = [id, undefined];
  let isCurved = false;
  for (;;) {
    const reader = onlyReader(graph, value);
    if (reader === undefined) return undefined;
    if (isPlain(reader, "QuantizeLinear")) {
      const steps = reader.inputs[0] === value ? stepsOf(graph, reader) : undefined;
      if (steps?.dtype !== "uint8") return undefined;
      return {
        ...roundingBy(graph, reader, steps, bounds),
        other,
        curve: isCurved ? { kind: "hard-swish", slope: Math.fround(steps.scale / 6) } : undefined,
        nodes: withClip(graph, nodes, reader),
      };
    }
    const [output] = reader.outputs;
    if (output === null || output === undefined || nodes.length > mostFollowers) return undefined;
    const bound = boundsOf(l, reader, value);
    const isFirst: boolean = bounds.length === 0 && other === undefined && !isCurved;
    if (bound !== undefined) bounds.push(bound);
    else if (isFirst && follows.curve === true && isPlain(reader, "HardSwish")) isCurved = true;
    else {
      const canJoin: boolean = isFirst && follows.sum === true;
      const beside: Encoded | undefined = canJoin ? besideOf(l, reader, value) : undefined;
      if (beside === undefined) return undefined;
      other = beside;
    }
    nodes.push(reader);
    value = output;
  }
}

const mostFollowers = 8;

/** The node that alone reads a value, which the model does not give. */
export function onlyReader(graph: Graph, id: ValueId): Node | undefined {
  const [reader, ...more] = graph.consumers(id);
  return more.length > 0 || graph.isOutput(id) ? undefined : reader;
}

function boundsOf(l: Lowering, node: Node, x: ValueId): readonly [number, number] | undefined {
  const [unary, ...more] = unaryOf(node, x, (id) => l.scalar(id)) ?? [];
  if (unary === undefined || more.length > 0) return undefined;
  if (unary.kind === "relu") return [0, Infinity];
  return unary.kind === "clip" && unary.low <= unary.high ? [unary.low, unary.high] : undefined;
}

function besideOf(l: Lowering, node: Node, x: ValueId): Encoded | undefined {
  if (!isPlain(node, "Add")) return undefined;
  const id = node.inputs.find((input) => input !== x);
  const encoded = encodedBy(l.graph, id ?? undefined);
  if (id === null || id === undefined || encoded === undefined || !l.has(encoded.bytes))
    return undefined;
  return l.dims(id).join() === l.dims(x).join() ? encoded : undefined;
}

/** How a QuantizeLinear rounds, with bounds of what it reads, and the Clip of bytes behind it. */
export function roundingBy(
  graph: Graph,
  node: Node,
  { scale, zeroPoint }: Steps,
  bounds: readonly (readonly [low: number, high: number])[] = [],
): Pick<RoundedResult, "scale" | "rounding" | "bytes"> {
  const byteOf = (x: number): number =>
    within(roundHalfEven(Math.fround(x / scale)) + zeroPoint, 0, 255);
  let [low, high] = [0, 255];
  const narrow = (from: number, to: number): void => {
    [low, high] = [within(low, from, to), within(high, from, to)];
  };
  for (const [from, to] of bounds)
    narrow(from === -Infinity ? 0 : byteOf(from), to === Infinity ? 255 : byteOf(to));
  const [output] = node.outputs;
  const clip = clipOf(graph, node);
  const bytes = (clip ?? node).outputs[0] ?? output;
  if (bytes === null || bytes === undefined) throw new RangeError("QuantizeLinear has no output.");
  const own = clip === undefined ? undefined : byteBounds(graph, clip);
  if (own !== undefined) narrow(within(own[0], 0, 255), within(own[1], 0, 255));
  return { scale, rounding: { zeroPoint, low, high }, bytes };
}

function within(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high);
}

/** The Clip that alone reads what a QuantizeLinear gives. */
export function clipOf(graph: Graph, node: Node): Node | undefined {
  const [output] = node.outputs;
  const reader = output === null || output === undefined ? undefined : onlyReader(graph, output);
  if (reader === undefined || !isPlain(reader, "Clip") || reader.inputs[0] !== output)
    return undefined;
  return byteBounds(graph, reader) === undefined ? undefined : reader;
}

function withClip(graph: Graph, nodes: readonly Node[], node: Node): readonly Node[] {
  const clip = clipOf(graph, node);
  return clip === undefined ? [...nodes, node] : [...nodes, node, clip];
}
