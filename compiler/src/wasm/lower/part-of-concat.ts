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

/** The parts that values become of what Concats give; those of one are laid out once, since it may have thousands. */
export class PartsOfConcats {
  readonly #graph: Graph;
  readonly #absorbed: ReadonlySet<Node>;
  readonly #known = new Map<Node, ReadonlyMap<ValueId, Part>>();

  /** @param absorbed nodes that others compute */
  constructor(graph: Graph, absorbed: ReadonlySet<Node>) {
    this.#graph = graph;
    this.#absorbed = absorbed;
  }

  /** The part that a value becomes of what one Concat gives, which reads it once; undefined where it does not, or more do. */
  of(id: ValueId): Part | undefined {
    const [use, ...more] = this.#graph
      .consumers(id)
      .filter(({ op, domain }) => op === "Concat" && domain === "");
    if (use === undefined || more.length > 0 || this.#absorbed.has(use)) return undefined;
    const parts = this.#known.get(use) ?? partsOf(new NodeFacts(this.#graph, use));
    this.#known.set(use, parts);
    return parts.get(id);
  }
}

/** Where each value lies that a Concat reads once. */
function partsOf(concat: NodeFacts): ReadonlyMap<ValueId, Part> {
  const { graph, inputs } = concat;
  const whole = concat.output();
  const axis = normalAxis(concat.attributes.int("axis", 0), dimsOf(graph, whole).length);
  const parts = new Map<ValueId, Part>();
  const twice = new Set<ValueId>();
  let start = 0;
  for (const [position, id] of inputs.entries()) {
    if (parts.has(id)) twice.add(id);
    const size = dimsOf(graph, id)[axis] ?? 1;
    parts.set(id, { whole, axis, start, size, isLast: position === inputs.length - 1 });
    start += size;
  }
  for (const id of twice) parts.delete(id);
  return parts;
}
