import {
  bodiesOf,
  type Body,
  type Dim,
  type Graph,
  type Node,
  type ValueId,
  shapeOf,
} from "../ir/index.js";
import { normalAxis } from "../ops/families/indexing.js";
import { operatorOf } from "../ops/index.js";
import { AsScan, isName, type Carried, type CountedLoop, type Row } from "./loop-as-scan.js";
import { type Counter, linearOf, type LoopScalars, roundsOf } from "./loop-rounds.js";
import { attributesOf, dtypeOf, inputOf, madeBy, scalarOf, staticCount } from "./pattern.js";
import type { Rule } from "./rule.js";
import { behindIdentity } from "./scan-parts.js";

/**
 * A Loop that makes as many rounds whatever it is given, and takes a row of something in each, is a Scan: what stays over the
 * rounds is seen from outside, counters are their numbers, and sizes of its results are known. So tf2onnx writes what Keras
 * loops over time.
 */
export const loopToScan: Rule = {
  name: "loop-to-scan",
  exactness: "bitwise",
  ops: ["Loop"],
  match(graph, node) {
    const loop = countedLoop(graph, node);
    if (loop === undefined) return undefined;
    const because = `it always makes ${String(loop.rounds)} rounds`;
    return {
      because,
      work: workOfWritten * loop.written,
      rewrite: (editor) => new AsScan(graph, editor, node, loop).write(because),
    };
  },
};

/** Of each round, and of each row that is not taken in order. */
const mostWritten = 1000;
/** A file of a stranger may have thousands of loops in it: what is written for each is a part of what may be computed of it. */
const workOfWritten = 1024;

/** Undefined for one that ends by what it computes, or whose states may change their shapes. */
function countedLoop(graph: Graph, node: Node): CountedLoop | undefined {
  const [body] = bodiesOf(node);
  if (body === undefined || body.inputs.length < 2) return undefined;
  if (body.inputs.length !== node.inputs.length || body.outputs.length !== node.outputs.length + 1)
    return undefined;
  const inits = node.inputs.slice(2);
  if (inits.some((id) => id === null)) return undefined;
  const carried = inits.map((_, at) => carriedAt(graph, node, body, at));
  const scalars = scalarsOf(node, body, carried);
  const rounds = roundsOf(graph, node, body, scalars);
  if (rounds === undefined) return undefined;
  const wanted = body.outputs
    .slice(1)
    .filter((_, at) => (carried[at]?.kind ?? "state") === "state");
  const rows = new Map<Node, Row>();
  const needed: Node[] = [];
  const open = new Set(wanted);
  for (const one of graph.order(body).toReversed()) {
    if (!one.outputs.some((id) => id !== null && open.has(id))) continue;
    if (bodiesOf(one).length > 0 || operatorOf(one)?.schema.deterministic !== true)
      return undefined;
    needed.push(one);
    const row = rowOf(graph, body, scalars, one, rounds);
    if (row === undefined) for (const id of one.inputs) if (id !== null) open.add(id);
    if (row !== undefined) rows.set(one, row);
  }
  const counts =
    [...wanted].some((id) => scalars.counters.has(id)) ||
    readsNumbers(graph, node, scalars, carried, needed, rows);
  const lists = [...rows.values()].filter(({ indices }) => indices !== undefined).length;
  // Numbers of rounds, of which nobody knows how many there are, cannot be written down.
  const isWritten = !counts || (typeof rounds === "number" && rounds <= mostWritten);
  const written = typeof rounds === "number" ? rounds * (lists + (counts ? 2 : 0)) : 0;
  const keepShapes = carried.every(
    ({ kind }, at) => kind !== "state" || keepsShape(graph, node, body, at),
  );
  const isSteady = needed.every((one) => rows.has(one) || isSizedByInputs(graph, one));
  return isWritten && keepShapes && isSteady
    ? { body, rounds, carried, needed: needed.toReversed(), rows, written }
    : undefined;
}

/** Is anything made of the number of a round, or of how many there were? */
function readsNumbers(
  graph: Graph,
  node: Node,
  { counters }: LoopScalars,
  carried: readonly Carried[],
  needed: readonly Node[],
  rows: ReadonlyMap<Node, Row>,
): boolean {
  const isRead = carried.some(({ kind }, at) => {
    const output = node.outputs[at];
    const has = output !== null && output !== undefined && graph.value(output).uses.length > 0;
    return kind === "counter" && has;
  });
  return (
    isRead ||
    rows.size === 0 ||
    needed.some((one) => !rows.has(one) && one.inputs.some((id) => id !== null && counters.has(id)))
  );
}

function scalarsOf(node: Node, body: Body, carried: readonly Carried[]): LoopScalars {
  const [round] = body.inputs;
  const counters = new Map<ValueId, Counter>();
  const kept = new Map<ValueId, ValueId>();
  if (round !== undefined) counters.set(round, { first: 0, step: 1 });
  for (const [at, one] of carried.entries()) {
    const [own, init] = [body.inputs[at + 2], inputOf(node, at + 2)];
    if (own === undefined || init === undefined) continue;
    if (one.kind === "counter") counters.set(own, one);
    if (one.kind === "kept") kept.set(own, init);
  }
  return { counters, kept };
}

function carriedAt(graph: Graph, node: Node, body: Body, at: number): Carried {
  const own = body.inputs[at + 2];
  const next = behindIdentity(graph, body.outputs[at + 1]);
  if (next === own) return { kind: "kept" };
  const first = scalarOf(graph, inputOf(node, at + 2));
  const sum = madeBy(graph, next, "Add");
  const isInteger = /^int(32|64)$/.test(dtypeOf(graph, own) ?? "");
  const isScalar = [own, inputOf(node, at + 2)].every((id) => shapeOf(graph, id)?.length === 0);
  if (first === undefined || sum === undefined || !isInteger || !isScalar) return { kind: "state" };
  for (const [x, y] of [sum.inputs, sum.inputs.toReversed()]) {
    const step = scalarOf(graph, y ?? undefined);
    if (behindIdentity(graph, x ?? undefined) === own && step !== undefined)
      return { kind: "counter", first, step };
  }
  return { kind: "state" };
}

/** What a node is, that takes a row of what is outside of the loop, or stays in it. */
function rowOf(
  graph: Graph,
  body: Body,
  scalars: LoopScalars,
  one: Node,
  rounds: Dim,
): Row | undefined {
  if (one.op !== "Gather" || one.domain !== "") return undefined;
  const [data, index] = [inputOf(one, 0), inputOf(one, 1)];
  if (data === undefined || shapeOf(graph, index)?.length !== 0) return undefined;
  const of = scalars.kept.get(data) ?? data;
  if (of === data && graph.value(data).body === body.id) return undefined;
  const shape = shapeOf(graph, of);
  const axis = normalAxis(attributesOf(one).int("axis", 0), shape?.length ?? 0);
  const size = shape?.[axis];
  if (typeof rounds !== "number") {
    const counter = index === undefined ? undefined : scalars.counters.get(index);
    return size === rounds && counter?.first === 0 && counter.step === 1 ? { of, axis } : undefined;
  }
  const place = linearOf(graph, scalars, index);
  if (typeof size !== "number" || place === undefined) return undefined;
  if (rounds === size && place.round === 1 && place.constant === 0) return { of, axis };
  if (rounds > mostWritten) return undefined;
  const indices = Array.from({ length: rounds }, (_, round) => place.round * round + place.constant); // prettier-ignore
  return indices.some((at) => at < -size || at >= size) ? undefined : { of, axis, indices };
}

/**
 * Is a state's shape what it was before, as far as that can be seen of results that only inputs give their sizes? Sizes that are
 * not known have names of their own wherever they are said; one that grows has none, but is a sum.
 */
function keepsShape(graph: Graph, node: Node, body: Body, at: number): boolean {
  const shapes = [inputOf(node, at + 2), body.inputs[at + 2], body.outputs[at + 1]].map((id) => shapeOf(graph, id)); // prettier-ignore
  const [first, before, after] = shapes;
  if (first === undefined || before === undefined || after === undefined) return false;
  const isKept = (size: Dim, axis: number): boolean => {
    const [atFirst, was] = [first[axis], before[axis]];
    if (isName(size)) return true;
    return size === atFirst && (size === was || (was !== undefined && isName(was)));
  };
  return first.length === before.length && before.length === after.length && after.every(isKept);
}

/**
 * Do its results have sizes of their inputs, or sums of those? Then a state that grows can be seen to. Of other operators a
 * result's size has a name of its own, as that of a batch has.
 */
function isSizedByInputs(graph: Graph, node: Node): boolean {
  const isStatic = node.outputs.every((id) => id === null || staticCount(shapeOf(graph, id)) !== undefined); // prettier-ignore
  if (isStatic) return true;
  if (node.domain !== "") return false;
  // Where only a run knows how much is cut off, what is left has a name of its own too.
  const isCut = node.op === "Slice" || node.op === "Split";
  const others = node.inputs.slice(1).flatMap((id) => id ?? []);
  if (isCut && others.some((id) => graph.constant(id) === undefined)) return false;
  const traits = operatorOf(node)?.traits;
  return traits?.elementwise !== undefined || traits?.sizedByInputs === true;
}
