import { type Dim, type Graph, type Node, shapeOf, type ValueId } from "../ir/index.js";
import { attributeReader, movesExactly, operatorOf } from "../ops/index.js";

/** More is no list of what is told of a place, and no end of a model. */
const [mostRows, mostNodes] = [4096, 1024];

/** Is it told by what gives a value that it holds shares of 1, as probabilities are? */
export function areShares(graph: Graph, value: ValueId | null | undefined): boolean {
  const open = [value];
  const seen = new Set(open);
  while (open.length > 0) {
    if (seen.size > mostNodes) return false;
    const before = madeOfShares(graph.producer(open.pop()));
    if (before === null) return false;
    for (const id of before) {
      if (seen.has(id)) continue;
      seen.add(id);
      open.push(id);
    }
  }
  return true;
}

/** What must hold shares, that a node's result does; none where it always does, and null where it is not told. */
function madeOfShares(node: Node | undefined): Node["inputs"] | null {
  const traits = node && operatorOf(node)?.traits;
  if (node === undefined || traits === undefined) return null;
  const { range: [least, most] = [-Infinity, Infinity], dataMovement, quantization } = traits;
  if (least >= 0 && most <= 1) return [];
  if (dataMovement === "joins" || node.op === "Mul") return node.inputs;
  return movesExactly(dataMovement) || quantization !== undefined ? node.inputs.slice(0, 1) : null;
}

/** Along an axis of a value, which places hold shares of 1. */
export interface ShareRows {
  readonly axis: number;
  readonly rows: readonly boolean[];
}

/**
 * Outputs that hold shares beside other numbers, as detectors put boxes in pixels and scores from 0 to 1 into one tensor, by name,
 * with where each lies.
 */
export function outputsWithShares(graph: Graph): Readonly<Record<string, ShareRows>> {
  return Object.fromEntries(
    graph.main.outputs.flatMap((id) => {
      const found = shareRows(graph, id);
      const isMixed = found !== null && new Set(found.rows).size === 2;
      return isMixed ? [[graph.value(id).name, found]] : [];
    }),
  );
}

/** Null where nothing is put together, or not along one axis. */
function shareRows(graph: Graph, output: ValueId): ShareRows | null {
  const nodes = puttingTogether(graph, output);
  const found = new Map<ValueId, ShareRows | null>();
  for (const node of nodes) {
    const [value] = node.outputs;
    if (value !== undefined && value !== null) found.set(value, rowsOf(graph, node, value, found));
  }
  return found.get(output) ?? null;
}

/** Concats and what moves what they give, what comes first first. */
function puttingTogether(graph: Graph, output: ValueId): readonly Node[] {
  const found = new Set<Node>();
  const open = [output];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const node = graph.producer(id);
    if (node === undefined || found.has(node) || !passing.has(node.op)) continue;
    found.add(node);
    if (found.size > mostNodes) return [];
    for (const input of node.op === "Concat" ? node.inputs : node.inputs.slice(0, 1))
      if (input !== null) open.push(input);
  }
  return found.size === 0 ? [] : graph.order().filter((node) => found.has(node));
}

const passing = new Set(["Concat", "Identity", "Transpose", "Reshape", "Unsqueeze", "Squeeze"]);

type Found = ReadonlyMap<ValueId, ShareRows | null>;

function rowsOf(graph: Graph, node: Node, value: ValueId, found: Found): ShareRows | null {
  if (node.op === "Concat") return joinedRows(graph, node, value, found);
  const [input] = node.inputs;
  const before = input === null || input === undefined ? null : (found.get(input) ?? null);
  if (before === null) return null;
  switch (node.op) {
    case "Identity":
      return before;
    case "Transpose": {
      const rank = shapeOf(graph, value)?.length ?? 0;
      const order = attributeReader(node.attributes).ints("perm") ?? [];
      const axis = order.length === 0 ? rank - 1 - before.axis : order.indexOf(before.axis);
      return { ...before, axis };
    }
    default:
      return ofLastAxis(shapeOf(graph, input), shapeOf(graph, value), before);
  }
}

function joinedRows(graph: Graph, node: Node, value: ValueId, found: Found): ShareRows | null {
  const along = attributeReader(node.attributes).int("axis", 0);
  const axis = along < 0 ? along + (shapeOf(graph, value)?.length ?? 0) : along;
  const parts = node.inputs.map((input) => (input === null ? null : found.get(input)));
  const [first] = parts;
  // The same of each of several maps, one behind the other.
  if (first !== null && first !== undefined && first.axis !== axis) {
    const own = first.rows.join();
    const isAlike = (part: ShareRows): boolean =>
      part === first || (part.axis === first.axis && part.rows.join() === own);
    return parts.every((part) => part && isAlike(part)) ? first : null;
  }
  const rows: boolean[] = [];
  for (const [at, input] of node.inputs.entries()) {
    const size = shapeOf(graph, input)?.[axis];
    if (typeof size !== "number" || rows.length + size > mostRows) return null;
    const part = parts[at];
    if (part?.axis === axis && part.rows.length === size) rows.push(...part.rows);
    else {
      const isShare = areShares(graph, input);
      rows.push(...Array.from({ length: size }, () => isShare));
    }
  }
  return { axis, rows };
}

/** Another shape of all axes but the last. */
function ofLastAxis(
  from: readonly Dim[] | undefined,
  to: readonly Dim[] | undefined,
  before: ShareRows,
): ShareRows | null {
  const width = from?.at(-1);
  const isKept = typeof width === "number" && width === to?.at(-1);
  const isLast = isKept && before.axis === (from?.length ?? 0) - 1;
  return isLast ? { ...before, axis: (to?.length ?? 0) - 1 } : null;
}
