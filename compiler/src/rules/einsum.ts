import {
  attribute,
  type Body,
  type Dim,
  type Editor,
  type Graph,
  type Node,
  Tensor,
  type ValueId,
  shapeOf,
} from "../ir/index.js";
import { einsumLabels } from "../ops/index.js";
import { sumOfProducts } from "./einsum-route.js";
import type { Said, Term } from "./einsum-term.js";
import { attributesOf, dtypeOf, outputOf } from "./pattern.js";
import { type Miss, replacing, type Rule } from "./rule.js";

/** A file may have equations of any length, and there are many orders of long ones. */
const most = { operands: 8, axes: 12 };

const types: readonly string[] = ["float32", "float16", "float64"];

/**
 * Einsum in ReduceSum, Transpose, Reshape and MatMul, or Mul where nothing is summed. An engine's own kernel does that and
 * no other rule, pass or target knows it.
 */
export const sayEinsum: Rule = {
  name: "say-einsum",
  exactness: "rounding",
  ops: ["Einsum"],
  match(graph, node) {
    const output = outputOf(node);
    const dtype = dtypeOf(graph, output);
    const values = node.inputs.flatMap((id) => id ?? []);
    if (output === undefined || dtype === undefined || !types.includes(dtype)) return undefined;
    if (!values.every((id) => dtypeOf(graph, id) === dtype)) return undefined;
    const read = termsOf(graph, node, values);
    if (read === undefined || "miss" in read) return read;
    const made = sumOfProducts(read.terms, { result: read.result, isCoarse: dtype === "float16" });
    if (made === undefined) return { miss: "it takes sizes that are known only when it runs" };
    return replacing(output, "said in products, sums and transpositions", (editor) => {
      const emit = emitter(editor, values, graph.body(node.body));
      return emit(made.said);
    });
  },
};

/** Undefined for a node that an engine refuses. */
function termsOf(
  graph: Graph,
  node: Node,
  values: readonly ValueId[],
): { readonly terms: readonly Term[]; readonly result: readonly string[] } | Miss | undefined {
  const shapes = values.map((id) => shapeOf(graph, id));
  const known = shapes.filter((shape) => shape !== undefined);
  if (known.length < shapes.length) return { miss: "how many axes it reads is not known" };
  const ranks = known.map(({ length }) => length);
  const labels = einsumLabels(attributesOf(node).string("equation", ""), ranks);
  if (labels === undefined || values.length < node.inputs.length) return undefined;
  const { operands, result } = labels;
  if (operands.length > most.operands || new Set(operands.flat()).size > most.axes)
    return { miss: `more than ${most.operands} operands, or ${most.axes} axes, are not said` };
  if (operands.some((own) => new Set(own).size < own.length))
    return { miss: "it takes a diagonal" };
  const terms = operands.map((own, index): Term => {
    const [id, sizes = []] = [values[index], known[index]];
    const isConstant = graph.constant(id) !== undefined;
    return { labels: own, sizes, said: { op: "operand", index }, isConstant, cost: 0 };
  });
  return fit(terms) ? { terms, result } : { miss: "its sizes are not known to be equal" };
}

/** Is each label of one size that is not 0, or 1 and spread? */
function fit(terms: readonly Term[]): boolean {
  const found = new Map<string, Dim>();
  return terms.every(({ labels, sizes }) =>
    sizes.every((size, axis) => {
      const label = labels[axis] ?? "";
      if (size === 1) return true;
      const before = found.get(label) ?? size;
      found.set(label, size);
      return before === size && size !== 0;
    }),
  );
}

function emitter(editor: Editor, values: readonly ValueId[], body: Body): (said: Said) => ValueId {
  const emit = (said: Said): ValueId => {
    if (said.op === "operand") {
      const id = values[said.index];
      if (id === undefined) throw new RangeError(`There is no operand ${said.index}.`);
      return id;
    }
    if ("inputs" in said) return editor.add1(said.op, said.inputs.map(emit), {}, { body });
    const { op, ints } = said;
    const x = emit(said.x);
    if (op === "Transpose") return editor.add1(op, [x], { perm: attribute.ints(ints) }, { body });
    const told = editor.constant(op === "Reshape" ? "target" : "axes", Tensor.int64(ints), body);
    const attributes = op === "ReduceSum" ? { keepdims: attribute.int(0) } : {};
    return editor.add1(op, [x, told], attributes, { body });
  };
  return emit;
}
