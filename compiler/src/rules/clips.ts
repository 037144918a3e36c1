import { type Editor, type Graph, type Node, Tensor, type ValueId } from "../ir/index.js";
import {
  absorbable,
  constantOperand,
  dtypeOf,
  inputOf,
  outputOf,
  scalarOf,
  shapesAgree,
} from "./pattern.js";
import { replacing, type Rule } from "./rule.js";

interface Bounds {
  readonly low: number;
  readonly high: number;
}

/**
 * clip(clip(x, a, b), c, d) = clip(x, min(max(a, c), d), max(min(b, d), c)); Relu is clip(x, 0, ∞). Stays a Relu
 * where that is what comes out.
 */
const mergeClips: Rule = {
  name: "merge-clips",
  exactness: "bitwise",
  ops: ["Clip", "Relu"],
  match(graph, node) {
    const before = absorbable(graph, inputOf(node, 0), "Clip", "Relu");
    const output = outputOf(node);
    if (before === undefined || output === undefined || dtypeOf(graph, output) !== "float32")
      return undefined;
    const [inner, outer] = [boundsOf(graph, before), boundsOf(graph, node)];
    const source = inputOf(before, 0);
    if (inner === undefined || outer === undefined || source === undefined) return undefined;
    const within = (value: number) => Math.min(Math.max(value, outer.low), outer.high);
    const bounds = { low: within(inner.low), high: within(inner.high) };
    return replacing(output, `merged with the ${before.op} before it`, (editor) =>
      clip(editor, graph, node, source, bounds),
    );
  },
};

/** clip(x, 0, ∞) = Relu(x) */
const clipToRelu: Rule = {
  name: "clip-to-relu",
  exactness: "bitwise",
  ops: ["Clip"],
  match(graph, node) {
    const bounds = boundsOf(graph, node);
    const [source, output] = [inputOf(node, 0), outputOf(node)];
    if (
      bounds === undefined ||
      bounds.low !== 0 ||
      !(bounds.high >= largest) ||
      source === undefined ||
      output === undefined
    )
      return undefined;
    if (dtypeOf(graph, output) !== "float32") return undefined;
    return replacing(output, "a Clip from 0 up is a Relu", (editor) =>
      clip(editor, graph, node, source, bounds),
    );
  },
};

/** min(x, b) = clip(x, −∞, b) and max(x, a) = clip(x, a, ∞), for single numbers a and b. */
const boundToClip: Rule = {
  name: "bound-to-clip",
  exactness: "bitwise",
  ops: ["Min", "Max"],
  match(graph, node) {
    const output = outputOf(node);
    const operand = node.inputs.length === 2 ? constantOperand(graph, node) : undefined;
    const value = scalarOf(graph, operand?.id);
    if (
      output === undefined ||
      operand === undefined ||
      value === undefined ||
      Number.isNaN(value) ||
      dtypeOf(graph, output) !== "float32"
    )
      return undefined;
    if (!shapesAgree(graph, operand.other, output)) return undefined;
    const bounds =
      node.op === "Min" ? { low: -Infinity, high: value } : { low: value, high: Infinity };
    return replacing(output, `${node.op} of a number is a Clip`, (editor) =>
      clip(editor, graph, node, operand.other, bounds),
    );
  },
};

function clip(
  editor: Editor,
  graph: Graph,
  node: Node,
  source: ValueId,
  { low, high }: Bounds,
): ValueId {
  const body = graph.body(node.body);
  const bound = (name: string, value: number) =>
    editor.constant(name, Tensor.float32([], [value]), body);
  const max = high >= largest ? null : bound("max", high);
  if (low === 0 && max === null) return editor.add1("Relu", [source], {}, { body });
  // A lower bound at either end is one: masks hold −∞, and exporters lift it to the least number, so that no row is −∞ alone.
  const min = low === -Infinity ? null : bound("min", low);
  return editor.add1("Clip", [source, min, max], {}, { body });
}

/** The largest float32, which older files write for "no bound". */
const largest = 3.4028234663852886e38;

export function boundsOf(graph: Graph, node: Node): Bounds | undefined {
  if (node.op === "Relu") return { low: 0, high: Infinity };
  const [min, max] = [inputOf(node, 1), inputOf(node, 2)];
  const low = min === undefined ? -Infinity : scalarOf(graph, min);
  const high = max === undefined ? Infinity : scalarOf(graph, max);
  // NaN is no bound that anything is known of.
  return low !== undefined && high !== undefined && low <= high ? { low, high } : undefined;
}

export const clips: readonly Rule[] = [mergeClips, clipToRelu, boundToClip];
