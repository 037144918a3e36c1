import { einsumLabels, einsumSizes } from "../families/einsum.js";
import type { AttributeReader } from "../schema/attributes.js";
import type { Cells } from "../schema/schemas.js";

/** The sizes of a node's tensors; null where they are not all known numbers, or nothing is there. */
export interface NodeSizes {
  readonly input: (index: number) => readonly number[] | null;
  /** Of its first output that is read. */
  readonly output: readonly number[] | null;
  readonly attributes: AttributeReader;
}

/** Multiply-accumulates of one run of a node; null where sizes that decide are not known. */
export type Macs = (sizes: NodeSizes) => number | null;

function times(
  left: readonly number[] | null,
  right: readonly number[] | undefined,
): number | null {
  if (left === null || right === undefined) return null;
  return [...left, ...right].reduce((product, size) => product * size, 1);
}

/** output × (input channels / group) × kernel; the weight is [out, in / group, …kernel]. */
const convolution =
  (weight: number): Macs =>
  ({ input, output }) =>
    times(output, input(weight)?.slice(1));

/** output × what is summed over: the last axis of the left operand. */
const product: Macs = ({ input, output }) => times(output, input(0)?.slice(-1));

const gemm: Macs = ({ input, output, attributes }) => {
  const summed = attributes.int("transA", 0) === 1 ? 0 : 1;
  return times(output, input(0)?.slice(summed, summed + 1));
};

/**
 * steps × batch × (W + R), W being [directions, gates × hidden, input] and R [directions, gates × hidden, hidden].
 */
const recurrent: Macs = ({ input }) => {
  const [x, w, r] = [input(0), input(1), input(2)];
  const perStep = times(w, []);
  const recurring = times(r, []);
  const steps = times(x?.slice(0, 2) ?? null, []);
  if (perStep === null || recurring === null || steps === null) return null;
  return steps * (perStep + recurring);
};

/** output × what is summed over: A's last axis, or the one before it where the two are swapped. */
const turnedProduct: Macs = ({ input, output, attributes }) => {
  const axes = input(0);
  const summed = axes && axes.length > 1 && attributes.int("transA", 0) !== 0 ? -2 : -1;
  return times(output, axes?.slice(summed)?.slice(0, 1));
};

/** Every label's size: once for a pair of operands, and again for each more, as if they were multiplied in turn. */
const summation: Macs = ({ input, attributes }) => {
  const equation = attributes.string("equation", "");
  const shapes: (readonly number[])[] = [];
  for (const index of equation.split(",").keys()) {
    const shape = input(index);
    if (shape === null) return null;
    shapes.push(shape);
  }
  const labels = einsumLabels(
    equation,
    shapes.map((shape) => shape.length),
  );
  const sizes = labels && einsumSizes(labels, shapes);
  if (sizes === undefined) return null;
  const all = [...sizes.values()].filter((size) => typeof size === "number");
  return shapes.length < 2 ? 0 : times(all, [shapes.length - 1]);
};

/** Each query and each key, and each result and each key: what queries and results hold, for every key. */
function attended(
  queries: readonly number[] | null,
  output: readonly number[] | null,
  keys: number | undefined,
): number | null {
  const [asked, given] = [times(queries, []), times(output, [])];
  return asked === null || given === null || keys === undefined ? null : (asked + given) * keys;
}

/** Keys of earlier runs, from the axis of an input that may be left out. */
const behind = (now: number | undefined, past: number | undefined): number | undefined =>
  now === undefined ? undefined : now + (past ?? 0);

/** The projections, side by side, of [batch, length, width]; the past is [2, batch, heads, length, width]. */
const projectedAttention =
  (pastAt: number): Macs =>
  ({ input, output }) => {
    const [x, w, past] = [input(0), input(1), input(pastAt)];
    const projected = times(x, w?.slice(1));
    const [columns, width] = [w?.[1], output?.[2]];
    if (x === null || projected === null || columns === undefined || width === undefined)
      return null;
    const queries = [...x.slice(0, 2), (columns - width) / 2];
    const scored = attended(queries, output, behind(x[1], past?.[3]));
    return scored === null ? null : projected + scored;
  };

/** The operators that hold a model's work. What is done once per element is not counted: it has no cell. */
export const macs: Cells<Macs> = {
  Conv: convolution(1),
  ConvInteger: convolution(1),
  QLinearConv: convolution(3),
  "com.microsoft::QLinearConv": convolution(3),
  "com.microsoft::FusedConv": convolution(1),
  DeformConv: convolution(1),
  // input × (output channels / group) × kernel; the weight is [in, out / group, …kernel]
  ConvTranspose: ({ input }) => times(input(0), input(1)?.slice(1)),
  MatMul: product,
  MatMulInteger: product,
  QLinearMatMul: product,
  "com.microsoft::DynamicQuantizeMatMul": product,
  "com.microsoft::MatMulIntegerToFloat": product,
  "com.microsoft::FusedMatMul": turnedProduct,
  "com.microsoft::TransposeMatMul": turnedProduct,
  "com.microsoft::MatMulNBits": ({ output, attributes }) => times(output, [attributes.int("K", 1)]),
  Gemm: gemm,
  "com.microsoft::FusedGemm": gemm,
  "com.microsoft::QGemm": gemm,
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
  Einsum: summation,
  // Keys by head, [batch, heads, length, width], or [batch, length, heads · width].
  Attention: ({ input, output }) =>
    attended(input(0), output, behind(input(1)?.at(-2), input(4)?.[2])),
  "com.microsoft::Attention": projectedAttention(4),
  "com.microsoft::QAttention": projectedAttention(8),
  "com.microsoft::MultiHeadAttention": ({ input, output }) =>
    attended(input(0), output, behind(input(1)?.at(input(1)?.length === 4 ? 2 : 1), input(6)?.[2])),
  "com.microsoft::GroupQueryAttention": ({ input, output }) =>
    attended(output, output, behind(input(0)?.[1], input(3)?.[2])),
};
