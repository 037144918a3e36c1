import {
  bodiesOf,
  type Body,
  type Dim,
  type Editor,
  type Graph,
  type Node,
  Tensor,
  type ValueId,
} from "../ir/index.js";
import { reducedAxes } from "../ops/families/reduction.js";
import { operatorOf } from "../ops/index.js";
import { attributesOf, inputOf, madeBy, numbersOf, shapeOf } from "./pattern.js";
import type { Rule } from "./rule.js";

/** Elements that a step of the body has for all rows at once, where sizes that are not known are 1. */
const mostElements = 2 ** 20;

/**
 * A Scan whose states stay does with every row what it does with the others: all at once, with an axis for the rows in front,
 * it is no loop. So scikit-learn's distances to thousands of neighbours are exported, each of which the engine would run as a
 * graph of its own.
 */
export const scanAtOnce: Rule = {
  name: "scan-at-once",
  exactness: "rounding",
  ops: ["Scan"],
  match(graph, node) {
    const scan = scanOf(graph, node);
    if (scan === undefined || !isForRows(graph, scan)) return undefined;
    const because = `its states stay: ${scan.rows} rows are done at once`;
    return {
      because,
      rewrite(editor) {
        const made = new AtOnce(graph, editor, node, scan).results();
        for (const [index, output] of node.outputs.entries()) {
          const state = index < scan.states.length ? scan.states[index] : made[index - scan.states.length]; // prettier-ignore
          if (output !== null && state !== undefined) editor.replace(output, state, because);
        }
      },
    };
  },
};

interface Scan {
  readonly body: Body;
  readonly rows: number;
  /** What the node is given: states, which stay, and what it goes through. */
  readonly states: readonly ValueId[];
  readonly scanned: readonly ValueId[];
  /** Of the body: what it gives for each row. */
  readonly results: readonly ValueId[];
}

/** A Scan from the first row on, whose states stay; undefined for any other. */
function scanOf(graph: Graph, node: Node): Scan | undefined {
  const attributes = attributesOf(node);
  const [body] = bodiesOf(node);
  const count = attributes.int("num_scan_inputs", 0);
  const inputs = node.inputs.flatMap((id) => id ?? []);
  const isPlain = [...node.attributes.keys()]
    .filter((name) => name.startsWith("scan_"))
    .every((name) => attributes.ints(name)?.every((one) => one === 0) === true);
  if (body === undefined || !isPlain || count < 1 || count > inputs.length) return undefined;
  if (inputs.length !== node.inputs.length || body.inputs.length !== inputs.length)
    return undefined;
  const states = inputs.slice(0, inputs.length - count);
  const scanned = inputs.slice(states.length);
  const lengths = new Set(scanned.map((id) => shapeOf(graph, id)?.[0]));
  const [rows] = lengths;
  if (lengths.size !== 1 || typeof rows !== "number" || rows < 1) return undefined;
  if (body.outputs.length !== node.outputs.length || states.length > body.outputs.length)
    return undefined;
  const stay = states.every((_, at) => source(graph, body.outputs[at]) === body.inputs[at]);
  const results = body.outputs.slice(states.length);
  return stay ? { body, rows, states, scanned, results } : undefined;
}

/** What it is, behind Identity. */
function source(graph: Graph, value: ValueId | undefined): ValueId | undefined {
  let id = value;
  for (;;) {
    const producer = madeBy(graph, id, "Identity");
    if (producer === undefined) return id;
    id = inputOf(producer, 0);
  }
}

/** Can all nodes of the body be done for all rows at once, in so little memory? */
function isForRows(graph: Graph, { body, rows, scanned, results }: Scan): boolean {
  const varying = new Set(body.inputs.slice(body.inputs.length - scanned.length));
  for (const node of graph.order(body)) {
    const given = node.inputs.flatMap((id) => id ?? []);
    if (bodiesOf(node).length > 0 || node.outputs.length !== 1) return false;
    if (operatorOf(node)?.schema.deterministic === false) return false;
    if (!given.some((id) => varying.has(id))) continue;
    const [output] = node.outputs;
    const shape = output === null || output === undefined ? undefined : shapeOf(graph, output);
    const elements = shape?.reduce<number>((product, size) => product * sizeOf(size), rows);
    if (elements === undefined || elements > mostElements) return false;
    if (given.some((id) => shapeOf(graph, id) === undefined)) return false;
    const isOfFirst = given.every((id, at) => varying.has(id) === (at === 0));
    const isKnown =
      (operatorOf(node)?.traits.elementwise !== undefined &&
        (isOfFirst || !byFirst.has(node.op))) ||
      node.op === "Identity" ||
      (isReduction(node) &&
        given[0] !== undefined &&
        varying.has(given[0]) &&
        axesOf(graph, node) !== undefined);
    if (node.domain !== "" || !isKnown) return false;
    if (output !== null && output !== undefined) varying.add(output);
  }
  return results.every((id) => varying.has(id));
}

/** Elementwise operators whose other inputs fit the first, and not the first them. */
const byFirst: ReadonlySet<string> = new Set(["Clip", "PRelu"]);

const sizeOf = (size: Dim): number => (typeof size === "number" ? size : 1);

function isReduction({ op, domain }: Node): boolean {
  return domain === "" && /^Reduce[A-Z]/.test(op);
}

/** Of a reduction in the body, from the start; undefined where they are not known, or there are none: to say none is to say all. */
function axesOf(graph: Graph, node: Node): readonly number[] | undefined {
  const rank = shapeOf(graph, inputOf(node, 0))?.length;
  const given = inputOf(node, 1) === undefined ? [] : numbersOf(graph, inputOf(node, 1));
  if (rank === undefined || given === undefined) return undefined;
  const axes = reducedAxes(attributesOf(node), given, rank);
  return axes.length === 0 ? undefined : axes;
}

/** Writes a body's nodes for all rows at once: what varies has an axis for them in front. */
class AtOnce {
  readonly #graph: Graph;
  readonly #editor: Editor;
  readonly #scan: Scan;
  readonly #into: Body;
  readonly #varying = new Map<ValueId, ValueId>();
  readonly #same = new Map<ValueId, ValueId>();

  constructor(graph: Graph, editor: Editor, node: Node, scan: Scan) {
    this.#graph = graph;
    this.#editor = editor;
    this.#scan = scan;
    this.#into = graph.body(node.body);
    const { body, states, scanned } = scan;
    for (const [at, id] of body.inputs.entries()) {
      const [state, row] = [states[at], scanned[at - states.length]];
      if (state !== undefined) this.#same.set(id, state);
      else if (row !== undefined) this.#varying.set(id, row);
    }
  }

  /** Of the body, for all rows. */
  results(): readonly ValueId[] {
    const { body, results } = this.#scan;
    for (const node of this.#graph.order(body)) {
      const [output] = node.outputs;
      if (output === null || output === undefined) continue;
      const isSame = !node.inputs.some((id) => id !== null && this.#varying.has(id));
      const made = isSame ? this.#repeat(node) : this.#forRows(node);
      (isSame ? this.#same : this.#varying).set(output, made);
    }
    return results.map((id) => this.#varying.get(id) ?? id);
  }

  #add(node: Node, inputs: readonly (ValueId | null)[]): ValueId {
    return this.#editor.add1(node.op, inputs, Object.fromEntries(node.attributes), {
      body: this.#into,
      domain: node.domain,
    });
  }

  /** What is the same for all rows, once. */
  #repeat(node: Node): ValueId {
    return this.#add(node, node.inputs.map((id) => this.#outside(id))); // prettier-ignore
  }

  /** As the node's surroundings know it: a constant of the body is one of theirs. */
  #outside(id: ValueId | null): ValueId | null {
    if (id === null) return null;
    const { constant, name, body } = this.#graph.value(id);
    const isOwn = constant !== undefined && body === this.#scan.body.id;
    return this.#same.get(id) ?? (isOwn ? this.#editor.constant(name, constant, this.#into) : id);
  }

  #forRows(node: Node): ValueId {
    if (isReduction(node)) {
      const [data] = node.inputs;
      const axes = Tensor.int64((axesOf(this.#graph, node) ?? []).map((axis) => axis + 1));
      const rows = data === null || data === undefined ? null : (this.#varying.get(data) ?? data);
      return this.#add(node, [rows, this.#editor.constant("axes", axes, this.#into)]);
    }
    const ranks = node.inputs.map((id) => this.#rank(id));
    const most = Math.max(...ranks);
    const inputs = node.inputs.map((id, at) => {
      const rows = id === null ? undefined : this.#varying.get(id);
      return rows === undefined ? this.#outside(id) : this.#widened(rows, most - (ranks[at] ?? 0));
    });
    return this.#add(node, inputs);
  }

  #rank(id: ValueId | null): number {
    return id === null ? 0 : (shapeOf(this.#graph, id)?.length ?? 0);
  }

  /** With axes of 1 behind that of the rows, so that what a row has stands below what the others have. */
  #widened(rows: ValueId, axes: number): ValueId {
    if (axes === 0) return rows;
    const places = Tensor.int64(Array.from({ length: axes }, (_, at) => at + 1));
    const inputs = [rows, this.#editor.constant("axes", places, this.#into)];
    return this.#editor.add1("Unsqueeze", inputs, {}, { body: this.#into });
  }
}
