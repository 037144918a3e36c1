import { type Graph, type Node, shapeOf, type ValueId } from "../../ir/index.js";
import { keyOf } from "../../ops/index.js";
import { normalAxis } from "../../ops/families/indexing.js";
import { lowerings } from "./lowerings.js";
import type { NodeFacts } from "./node-facts.js";
import { rowsInOrder } from "./row-rules.js";
import type { rowsIn } from "./row-sources.js";
import type { Rows, RowsOf } from "./rows.js";

/** A result, and the rows that its shape speaks of. */
interface Made {
  readonly id: ValueId;
  readonly rows: ReturnType<typeof rowsIn>;
}

/**
 * Do the rows of one source, and no others, pass through a node? One that finds some among them has its own, and what makes
 * a size of its own of them has none.
 * @param finders nodes that find rows
 */
export function passesRows(
  node: NodeFacts,
  finders: ReadonlySet<Node["id"]>,
  rows: RowsOf,
  made: readonly Made[],
): boolean {
  const read = node.node.inputs.map((id, at) =>
    id === null || isLookedUp(node, at, rows) ? undefined : rows.get(id),
  );
  const [first, ...others] = read.filter((own) => own !== undefined);
  const row = lowerings.get(keyOf(node.node));
  const [output] = made;
  if (first === undefined || row === undefined || output === undefined) return false;
  if (!others.every(({ source }) => source === first.source)) return false;
  if (output.rows === "none")
    return made.length === 1 && others.length === 0 && row.endsRows?.(node, first) === true;
  const isFinder = finders.has(node.node.id);
  const source = isFinder ? node.node.id : first.source;
  const isOfOne = made.every(({ rows: own }) => own instanceof Object && own.source === source);
  // Rows may be said in as many elements each, or as another shape says that.
  const isByRow = isFinder ? first.each === 1 : row.rows === rowsInOrder || hasAsMany(first, made);
  const inputs = read.map((own) => own?.axis);
  return (
    isOfOne &&
    isByRow &&
    output.rows !== "mixed" &&
    row.rows?.({ node, inputs, output: output.rows.axis }) === true
  );
}

function hasAsMany({ each }: Rows, made: readonly Made[]): boolean {
  return made.every(({ rows: own }) => own instanceof Object && own.each === each);
}

/**
 * Is it a table of rows of which some are looked up, by their numbers among them, as suppression found them? Then it is those
 * that the results have.
 */
function isLookedUp(node: NodeFacts, at: number, rows: RowsOf): boolean {
  if (node.node.op !== "Gather" || at !== 0) return false;
  const [id, numbers] = [node.required(0), node.required(1)];
  const [table, others] = [rows.get(id), rows.get(numbers)];
  const rank = shapeOf(node.graph, id)?.length ?? 0;
  if (table?.axis !== normalAxis(node.attributes.int("axis", 0), rank) || table.each !== 1)
    return false;
  const [boxes = null] = suppressionOf(node.graph, numbers)?.inputs ?? [];
  return others !== undefined && boxes !== null && rows.get(boxes)?.source === table.source;
}

const movesNumbers: ReadonlySet<string> = new Set([
  "Cast",
  "Flatten",
  "Gather",
  "Identity",
  "Reshape",
  "Slice",
  "Squeeze",
  "Transpose",
  "Unsqueeze",
]);
const mostFollowed = 32;

/** The suppression whose numbers these are. */
function suppressionOf(graph: Graph, id: ValueId): Node | undefined {
  let maker = graph.producer(id);
  for (let step = 0; step < mostFollowed && maker && movesNumbers.has(maker.op); step += 1)
    maker = graph.producer(maker.inputs[0] ?? id);
  return maker?.op === "NonMaxSuppression" ? maker : undefined;
}
