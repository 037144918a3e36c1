import type { Graph, Node, ValueId } from "../../ir/index.js";
import { normalAxis } from "../../ops/families/indexing.js";
import { dimsOf, NodeFacts } from "./node-facts.js";

/** Which places along an axis a value takes in what it is joined into. */
interface Part {
  readonly whole: ValueId;
  readonly axis: number;
  readonly start: number;
  readonly size: number;
  readonly isLast: boolean;
}

/** The part that a value becomes of what one Concat gives, which reads it once; undefined where it does not, or more do. */
export function partOfConcat(
  graph: Graph,
  absorbed: ReadonlySet<Node>,
  id: ValueId,
): Part | undefined {
  const [use, ...more] = graph
    .consumers(id)
    .filter(({ op, domain }) => op === "Concat" && domain === "");
  if (use === undefined || more.length > 0 || absorbed.has(use)) return undefined;
  const facts = new NodeFacts(graph, use);
  const position = use.inputs.indexOf(id);
  if (use.inputs.lastIndexOf(id) !== position) return undefined;
  const whole = facts.output();
  const axis = normalAxis(facts.attributes.int("axis", 0), dimsOf(graph, whole).length);
  const sizes = facts.inputs.map((part) => dimsOf(graph, part)[axis] ?? 1);
  const start = sizes.slice(0, position).reduce((sum, size) => sum + size, 0);
  const isLast = position === sizes.length - 1;
  return { whole, axis, start, size: sizes[position] ?? 1, isLast };
}
