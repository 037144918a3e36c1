import { type Graph, isStatic, type Node, shapeOf, type ValueId } from "../ir/index.js";
import { attributeReader, movesExactly, operatorOf } from "../ops/index.js";

/** Is it told by what gives a value that it holds shares of 1, as probabilities are? */
export function areShares(graph: Graph, value: ValueId | null | undefined): boolean {
  const node = graph.producer(value);
  const traits = node && operatorOf(node)?.traits;
  if (node === undefined || traits === undefined) return false;
  const { range: [least, most] = [-Infinity, Infinity], dataMovement, quantization } = traits;
  if (least >= 0 && most <= 1) return true;
  const areAll = dataMovement === "joins" || node.op === "Mul";
  if (areAll) return node.inputs.every((input) => areShares(graph, input));
  const goesOn = movesExactly(dataMovement) || quantization !== undefined;
  return goesOn && areShares(graph, node.inputs[0]);
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

/** More is no list of what is told of a place. */
const mostRows = 4096;

/** Null where nothing is put together, or not along one axis. */
function shareRows(graph: Graph, value: ValueId): ShareRows | null {
  const node = graph.producer(value);
  const [input] = node?.inputs ?? [];
  if (node === undefined || input === null || input === undefined) return null;
  switch (node.op) {
    case "Concat":
      return joinedRows(graph, node, value);
    case "Identity":
      return shareRows(graph, input);
    case "Transpose": {
      const rank = shapeOf(graph, value)?.length ?? 0;
      const order = attributeReader(node.attributes).ints("perm") ?? [];
      const before = shareRows(graph, input);
      if (before === null) return null;
      const axis = order.length === 0 ? rank - 1 - before.axis : order.indexOf(before.axis);
      return { ...before, axis };
    }
    case "Reshape":
    case "Unsqueeze":
    case "Squeeze":
      return ofLastAxis(graph, input, value);
    default:
      return null;
  }
}

function joinedRows(graph: Graph, node: Node, value: ValueId): ShareRows | null {
  const along = attributeReader(node.attributes).int("axis", 0);
  const axis = along < 0 ? along + (shapeOf(graph, value)?.length ?? 0) : along;
  const parts = node.inputs.map((input) => (input === null ? null : shareRows(graph, input)));
  const [first] = parts;
  // The same of each of several maps, one behind the other.
  if (first !== null && first !== undefined && first.axis !== axis) {
    const areAlike = parts.every(
      (part) => part?.axis === first.axis && part.rows.join() === first.rows.join(),
    );
    return areAlike ? first : null;
  }
  const rows: boolean[] = [];
  for (const [at, input] of node.inputs.entries()) {
    const size = shapeOf(graph, input)?.[axis];
    if (typeof size !== "number" || rows.length + size > mostRows) return null;
    const part = parts[at];
    if (part?.axis === axis && part.rows.length === size) rows.push(...part.rows);
    else rows.push(...Array.from({ length: size }, () => areShares(graph, input)));
  }
  return { axis, rows };
}

/** Another shape of all axes but the last. */
function ofLastAxis(graph: Graph, input: ValueId, value: ValueId): ShareRows | null {
  const [from, to] = [shapeOf(graph, input), shapeOf(graph, value)];
  const before = shareRows(graph, input);
  if (before === null || from === undefined || to === undefined) return null;
  const isKept = isStatic([from.at(-1) ?? 0]) && from.at(-1) === to.at(-1);
  return isKept && before.axis === from.length - 1 ? { ...before, axis: to.length - 1 } : null;
}
