import type { Tensor as Dense } from "@pare/runtime/format";
import type { Node, ValueId } from "../../../ir/index.js";
import { evaluateNode } from "../../../ops/index.js";
import { lookUpI8 } from "../../kernels/look-up-i8.js";
import { roundedByte, type Rounding } from "../../kernels/rounding-i8.js";
import { collapsed } from "../../kernels/nest.js";
import { axesOf, orderOf, type View } from "../../plan/view.js";
import type { Lowering } from "../lowering.js";
import { unaryOf } from "../unary-of.js";
import { type Encoded, encodedBy, isPlain, type Steps, stepsOf } from "./quantization.js";

/** Bytes, all of which a table must say something of. */
const byteCount = 256;

/** A value that is a function of one value of bytes, element by element. */
export interface ByteFunction {
  readonly encoded: Encoded;
  /** The nodes from there to here, in order. */
  readonly nodes: readonly Node[];
}

/** How long functions may be. */
const mostNodes = 24;

/**
 * What a value is a function of: bytes through what looks at each element alone; undefined where it is none.
 * @param left so many nodes are looked back
 * @param known what was found of values: a function may read the same ones often
 */
export function functionOfBytes(
  l: Lowering,
  id: ValueId,
  left = mostNodes,
  known = new Map<ValueId, ByteFunction>(),
): ByteFunction | undefined {
  const found = known.get(id) ?? findFunction(l, id, left, known);
  if (found !== undefined) known.set(id, found);
  return found;
}

function findFunction(
  l: Lowering,
  id: ValueId,
  left: number,
  known: Map<ValueId, ByteFunction>,
): ByteFunction | undefined {
  const encoded = encodedBy(l.graph, id);
  if (encoded !== undefined) return { encoded, nodes: [] };
  const maker = l.graph.producer(id);
  if (maker === undefined || maker.domain !== "" || left === 0) return undefined;
  const free = maker.inputs.flatMap((input) =>
    input === null || l.isConstant(input) ? [] : [input],
  );
  const [x, y = x] = free;
  if (x === undefined || y === undefined || free.length > 2) return undefined;
  const isUnary = free.length === 1 && unaryOf(maker, x, (input) => l.scalar(input)) !== undefined;
  if (!isUnary && !(free.length === 2 && joins.has(maker.op))) return undefined;
  const a = functionOfBytes(l, x, left - 1, known);
  const b = a && functionOfBytes(l, y, left - 1, known);
  if (a === undefined || b === undefined || a.encoded.bytes !== b.encoded.bytes) return undefined;
  const isSame = a.encoded.scale === b.encoded.scale && a.encoded.zeroPoint === b.encoded.zeroPoint;
  // A constant of more axes adds some to its result.
  const dims = l.dims(id).join();
  if (!isSame || l.dims(x).join() !== dims || l.dims(y).join() !== dims) return undefined;
  const nodes = [...new Set([...a.nodes, ...b.nodes, maker])];
  return nodes.length > mostNodes ? undefined : { encoded: a.encoded, nodes };
}

const joins: ReadonlySet<string> = new Set(["Add", "Sub", "Mul", "Div", "Min", "Max"]);

/** The number of every byte, by its bits. */
export function numbersOf({
  scale,
  zeroPoint,
  dtype = "uint8",
}: Omit<Steps, "dtype"> & Partial<Steps>): Float32Array {
  return Float32Array.from({ length: byteCount }, (_, bits) => {
    const integer = dtype === "int8" ? (bits << 24) >> 24 : bits;
    return (integer - zeroPoint) * scale;
  });
}

function dense(data: Float32Array): Dense {
  return { type: "float32", dims: [data.length], data };
}

/** What the function gives for every byte. */
function numbersOfFunction(
  l: Lowering,
  { encoded, nodes }: ByteFunction,
): Float32Array | undefined {
  const start = dense(numbersOf(encoded));
  const known = new Map<ValueId, Dense>();
  for (const node of nodes) {
    const inputs = node.inputs.map((id): Dense | null => {
      if (id === null) return null;
      const constant = l.floats(id);
      return known.get(id) ?? (constant === undefined ? start : dense(constant));
    });
    const [result] = evaluateNode(l.graph, node, inputs) ?? [];
    const [output] = node.outputs;
    if (!(result?.data instanceof Float32Array) || output === null || output === undefined)
      return undefined;
    known.set(output, dense(result.data));
  }
  const last = nodes.at(-1)?.outputs[0];
  const { data } = (last === null || last === undefined ? undefined : known.get(last)) ?? start;
  const isWhole = data instanceof Float32Array && data.length === byteCount;
  return isWhole && !data.some(Number.isNaN) ? data : undefined;
}

/** The byte that the function, rounded, gives for every byte; undefined where it cannot be told. */
export function byteTable(
  l: Lowering,
  from: ByteFunction,
  scale: number,
  rounding: Rounding,
): Uint8Array | undefined {
  const numbers = numbersOfFunction(l, from);
  if (numbers === undefined) return undefined;
  return Uint8Array.from(numbers, (x) =>
    roundedByte(Math.fround(x / Math.fround(scale)), rounding),
  );
}

/** Plans a look-up of every element of a view. */
export function planLookUp(l: Lowering, x: View, y: View, table: Uint8Array | Float32Array): void {
  const order = orderOf(x.lanes >= 0 ? x : y);
  const loops = collapsed(axesOf([x, y], order));
  const last = loops.at(-1) ?? { count: 1, steps: [1, 1] };
  const isRun = last.steps[0] === 1;
  const options = {
    axes: isRun ? loops.slice(0, -1) : loops,
    run: isRun ? last.count : 1,
    step: isRun ? (last.steps[1] ?? 1) : 1,
    gives: table instanceof Uint8Array ? ("bytes" as const) : ("floats" as const),
  };
  l.plan.step(lookUpI8, options, [x.place, y.place, l.plan.constant(table)]);
}

/** What tables of bytes do: the nodes of such functions, where nobody else reads their results, are done with. */
export function absorbFunctions(l: Lowering): void {
  const { graph } = l;
  for (const node of graph.order()) {
    const [input] = node.inputs;
    const isRounding = isPlain(node, "QuantizeLinear") && stepsOf(graph, node)?.dtype === "uint8";
    if (!isRounding || input === null || input === undefined) continue;
    const from = functionOfBytes(l, input);
    if (from === undefined || numbersOfFunction(l, from) === undefined) continue;
    const done = new Set<Node>([node]);
    for (const each of [...from.nodes].reverse()) {
      const isOwn = each.outputs.every(
        (id) =>
          id === null ||
          (!graph.isOutput(id) && graph.consumers(id).every((reader) => done.has(reader))),
      );
      if (!isOwn) continue;
      done.add(each);
      l.absorbed.add(each);
    }
  }
}
