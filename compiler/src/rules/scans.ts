import {
  bodiesOf,
  type Body,
  type Dim,
  type Editor,
  type Graph,
  type Node,
  Tensor,
  type ValueId,
  shapeOf,
} from "../ir/index.js";
import { reducedAxes } from "../ops/families/reduction.js";
import { operatorOf } from "../ops/index.js";
import { BodyCopy } from "./body-copy.js";
import { attributesOf, inputOf, numbersOf } from "./pattern.js";
import type { Rule } from "./rule.js";
import { behindIdentity, type ScanParts, scanParts } from "./scan-parts.js";

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
    const scan = scanParts(graph, node);
    if (scan?.isForward !== true || !statesStay(graph, scan) || !isForRows(graph, scan))
      return undefined;
    const because = `its states stay: ${String(scan.rows)} rows are done at once`;
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

function statesStay(graph: Graph, { stateInputs, nextStates }: ScanParts): boolean {
  return stateInputs.every((id, at) => behindIdentity(graph, nextStates[at]) === id);
}

/** Can all nodes of the body be done for all rows at once, in so little memory? */
function isForRows(graph: Graph, { body, rows, rowInputs, results }: ScanParts): boolean {
  if (typeof rows !== "number") return false;
  const varying = new Set(rowInputs);
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

function isReduction(node: Node): boolean {
  return operatorOf(node)?.traits.reduces === true;
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
  readonly #scan: ScanParts;
  readonly #into: Body;
  readonly #varying = new Map<ValueId, ValueId>();
  /** Of what is the same for all rows. */
  readonly #same: BodyCopy;

  constructor(graph: Graph, editor: Editor, node: Node, scan: ScanParts) {
    this.#graph = graph;
    this.#editor = editor;
    this.#scan = scan;
    this.#into = graph.body(node.body);
    const { body, states, scanned } = scan;
    this.#same = new BodyCopy(graph, editor, body, this.#into);
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
      if (isSame) this.#same.copy(node);
      else this.#varying.set(output, this.#forRows(node));
    }
    return results.map((id) => this.#varying.get(id) ?? id);
  }

  #add(node: Node, inputs: readonly (ValueId | null)[]): ValueId {
    return this.#editor.add1(node.op, inputs, Object.fromEntries(node.attributes), {
      body: this.#into,
      domain: node.domain,
    });
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
      if (id === null) return null;
      const rows = this.#varying.get(id);
      return rows === undefined ? this.#same.of(id) : this.#widened(rows, most - (ranks[at] ?? 0));
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
