import type { AttributeReader } from "../schema/attributes.js";
import type { Cells } from "../schema/schemas.js";

/** An input in which an operator carries trained weights when it is constant. */
export interface WeightInput {
  readonly input: number;
  /**
   * The axis of a tensor of that rank along which the output channels lie, each made of its own slice; undefined
   * where they do not lie along one axis.
   */
  readonly channelAxis: (rank: number, attributes: AttributeReader) => number | undefined;
}

const along =
  (axis: number) =>
  (rank: number): number | undefined =>
    rank > axis ? axis : undefined;

/** [directions, gates × hidden, …]: every gate's unit has its own row. */
const recurrent: readonly WeightInput[] = [
  { input: 1, channelAxis: along(1) },
  { input: 2, channelAxis: along(1) },
];

function einsumAxis(equation: string, operand: number, rank: number): number | undefined {
  const [operands = "", result = ""] = equation.replaceAll(" ", "").split("->");
  const letters = operands.split(",")[operand] ?? "";
  if (letters.length !== rank || letters.includes(".")) return undefined;
  const last = result.split("").findLast((letter) => letters.includes(letter));
  const axis = last === undefined ? -1 : letters.indexOf(last);
  return axis >= 0 ? axis : undefined;
}

/** What other constants an operator reads are shapes, masks, anchors. */
export const weights: Cells<readonly WeightInput[]> = {
  // [outputs, inputs / group, …kernel]
  Conv: [{ input: 1, channelAxis: along(0) }],
  DeformConv: [{ input: 1, channelAxis: along(0) }],
  // [inputs, outputs / group, …kernel]: an output of several groups has as many slices.
  ConvTranspose: [
    {
      input: 1,
      channelAxis: (rank, attributes) =>
        attributes.int("group", 1) === 1 ? along(1)(rank) : undefined,
    },
  ],
  // Rows of the left operand, columns of the right one.
  MatMul: [
    { input: 0, channelAxis: (rank) => (rank === 1 ? undefined : rank - 2) },
    { input: 1, channelAxis: (rank) => (rank === 1 ? undefined : rank - 1) },
  ],
  Gemm: [
    { input: 0, channelAxis: () => undefined },
    {
      input: 1,
      channelAxis: (_, attributes) => (attributes.int("transB", 0) === 0 ? 1 : 0),
    },
  ],
  // The last of the result's letters that an operand has.
  Einsum: [0, 1].map((input) => ({
    input,
    channelAxis: (rank, attributes) => einsumAxis(attributes.string("equation", ""), input, rank),
  })),
  // A table of rows.
  Gather: [{ input: 0, channelAxis: (rank) => (rank === 2 ? 0 : undefined) }],
  GatherND: [{ input: 0, channelAxis: (rank) => (rank === 2 ? 0 : undefined) }],
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
};
