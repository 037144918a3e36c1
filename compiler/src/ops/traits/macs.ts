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

/** It multiplies, but how much is not worked out. */
const uncounted: Macs = () => null;

/** The operators that hold a model's work. What is done once per element is not counted: it has no cell. */
export const macs: Cells<Macs> = {
  Conv: convolution(1),
  ConvInteger: convolution(1),
  QLinearConv: convolution(3),
  "com.microsoft::QLinearConv": convolution(3),
  "com.microsoft::FusedConv": convolution(1),
  // input × (output channels / group) × kernel; the weight is [in, out / group, …kernel]
  ConvTranspose: ({ input }) => times(input(0), input(1)?.slice(1)),
  MatMul: product,
  MatMulInteger: product,
  QLinearMatMul: product,
  "com.microsoft::DynamicQuantizeMatMul": product,
  "com.microsoft::FusedMatMul": product,
  "com.microsoft::MatMulNBits": ({ output, attributes }) => times(output, [attributes.int("K", 1)]),
  Gemm: gemm,
  "com.microsoft::FusedGemm": gemm,
  "com.microsoft::QGemm": gemm,
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
  Einsum: uncounted,
  Attention: uncounted,
  "com.microsoft::Attention": uncounted,
  "com.microsoft::MultiHeadAttention": uncounted,
  "com.microsoft::GroupQueryAttention": uncounted,
};
