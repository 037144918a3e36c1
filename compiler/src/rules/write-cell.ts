import {
  attribute,
  type Attributes,
  type Editor,
  type Graph,
  type Node,
  Tensor,
  type ValueId,
} from "../ir/index.js";
import type { AffineForm } from "./affine-forms.js";
import type { Activation, Cell, Sizes } from "./recurrent-cell.js";
import type { ScanParts } from "./scan-parts.js";

const standard: Readonly<Record<Cell["op"], readonly string[]>> = {
  LSTM: ["Sigmoid", "Tanh", "Tanh"],
  GRU: ["Sigmoid", "Tanh"],
  RNN: ["Tanh"],
};

/** Of constants. */
export type Numbers = ReadonlyMap<Tensor, Float32Array>;

/** Puts a node over time in a Scan's place. */
export function writeCell(
  graph: Graph,
  editor: Editor,
  node: Node,
  parts: ScanParts,
  { op, gates, activations, hidden: hiddenAt, cell: cellAt, resetAfter }: Cell,
  { row, inputs, hidden }: Sizes,
  numbers: Numbers,
  because: string,
): void {
  const body = graph.body(node.body);
  const isRow = (id: ValueId): boolean => parts.rowInputs.includes(id);
  const constant = (name: string, dims: readonly number[], own: readonly Float32Array[]) => {
    const all = new Float32Array(dims.reduce((product, size) => product * size, 1));
    let at = 0;
    for (const part of own) {
      all.set(part, at);
      at += part.length;
    }
    return editor.constant(name, Tensor.float32(dims, all), body);
  };
  const of = (pick: (id: ValueId) => boolean, depth: number): readonly Float32Array[] =>
    gates.map(({ form, own }) => matrixOf([form, ...(own ? [own] : [])], pick, depth, numbers));
  const count = gates.length;
  const biases = gates.map(({ form }) => vectorOf(form, numbers));
  const ofStates = gates.map(({ own }) => own ? vectorOf(own, numbers) : new Float32Array(hidden)); // prettier-ignore
  const axes = (axis: number): ValueId => editor.constant("axes", Tensor.int64([axis]), body);
  const state = (at: number | undefined): ValueId | null => {
    const first = at === undefined ? undefined : parts.states[at];
    return first === undefined ? null : editor.add1("Unsqueeze", [first, axes(0)], {}, { body });
  };
  const given = [
    parts.scanned[row] ?? null,
    constant("W", [1, count * hidden, inputs], of(isRow, inputs)),
    constant(
      "R",
      [1, count * hidden, hidden],
      of((id) => !isRow(id), hidden),
    ),
    constant("B", [1, 2 * count * hidden], [...biases, ...ofStates]),
    null,
    state(hiddenAt),
    ...(cellAt === undefined ? [] : [state(cellAt)]),
  ];
  const attributes = {
    hidden_size: attribute.int(hidden),
    ...(resetAfter === true && { linear_before_reset: attribute.int(1) }),
    ...activationsAs(op, activations),
  };
  const made = editor.add(op, given, attributes, { body, outputs: op === "LSTM" ? 3 : 2 });
  const [all, last, lastCell] = made;
  const squeezed = (value: ValueId | undefined, axis: number): ValueId | undefined =>
    value && editor.add1("Squeeze", [value, axes(axis)], {}, { body });
  for (const [index, output] of node.outputs.entries()) {
    if (output === null) continue;
    const value =
      index === cellAt
        ? squeezed(lastCell, 0)
        : index === hiddenAt
          ? squeezed(last, 0)
          : squeezed(all, 1);
    if (value !== undefined) editor.replace(output, value, because);
  }
}

/** Of a gate, what sources are multiplied with, by its numbers: [hidden, depth]. */
function matrixOf(
  forms: readonly AffineForm[],
  pick: (id: ValueId) => boolean,
  depth: number,
  numbers: Numbers,
): Float32Array {
  const width = forms[0]?.width ?? 0;
  const matrix = new Float32Array(width * depth);
  for (const { products } of forms)
    for (const { source, weights, isTransposed, from } of products) {
      if (!pick(source)) continue;
      const own = numbers.get(weights) ?? new Float32Array();
      const columns = weights.dims[1] ?? 0;
      for (let unit = 0; unit < width; unit += 1)
        for (let at = 0; at < depth; at += 1) {
          const index = isTransposed ? (from + unit) * columns + at : at * columns + from + unit;
          matrix[unit * depth + at] = (matrix[unit * depth + at] ?? 0) + (own[index] ?? 0);
        }
    }
  return matrix;
}

function vectorOf({ width, biases }: AffineForm, numbers: Numbers): Float32Array {
  const vector = new Float32Array(width);
  for (const { tensor, from } of biases) {
    const own = numbers.get(tensor) ?? new Float32Array();
    for (let at = 0; at < width; at += 1) vector[at] = (vector[at] ?? 0) + (own[from + at] ?? 0);
  }
  return vector;
}

/** Nothing where they are what the operator has by itself. */
function activationsAs(op: Cell["op"], activations: readonly Activation[]): Attributes {
  const names = activations.map(({ name }) => name);
  if (names.join() === standard[op].join()) return {};
  const given = (of: "alpha" | "beta"): readonly number[] =>
    activations.flatMap((one) => one[of] ?? []);
  const [alpha, beta] = [given("alpha"), given("beta")];
  return {
    activations: { type: "strings", value: names },
    ...(alpha.length > 0 && { activation_alpha: attribute.floats(alpha) }),
    ...(beta.length > 0 && { activation_beta: attribute.floats(beta) }),
  };
}
