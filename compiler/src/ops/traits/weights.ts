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
  /**
   * The axis that a product sums over; undefined where that is none or several. Where matrices are stacked, all that have
   * other places on the other axes have scales of their own.
   */
  readonly summedAxis?: (rank: number, attributes: AttributeReader) => number | undefined;
  /** Rows that are looked up. Those of a few numbers may be no weights, but positions, sizes, steps of a schedule. */
  readonly isTable?: true;
}

const along =
  (axis: number) =>
  (rank: number): number | undefined =>
    rank > axis ? axis : undefined;

/** [directions, gates × hidden, …]: every gate's unit has its own row. */
const recurrent: readonly WeightInput[] = [1, 2].map((input) => ({
  input,
  channelAxis: along(1),
  summedAxis: along(2),
}));

/** The letters of an operand's axes, and of the result's; null where some have none. */
function einsumLetters(
  equation: string,
  operand: number,
  rank: number,
): { readonly own: string; readonly result: string } | null {
  const [operands = "", result = ""] = equation.replaceAll(" ", "").split("->");
  const own = operands.split(",")[operand] ?? "";
  return own.length !== rank || own.includes(".") ? null : { own, result };
}

function einsumAxis(equation: string, operand: number, rank: number): number | undefined {
  const letters = einsumLetters(equation, operand, rank);
  if (letters === null) return undefined;
  const { own, result } = letters;
  const last = result.split("").findLast((letter) => own.includes(letter));
  const axis = last === undefined ? -1 : own.indexOf(last);
  return axis >= 0 ? axis : undefined;
}

function einsumSummed(equation: string, operand: number, rank: number): number | undefined {
  const letters = einsumLetters(equation, operand, rank);
  if (letters === null) return undefined;
  const summed = letters.own.split("").flatMap((letter, axis) => (letters.result.includes(letter) ? [] : [axis])); // prettier-ignore
  return summed.length === 1 ? summed[0] : undefined;
}

/** The axis that is looked up. */
const lookedUp = (rank: number, attributes: AttributeReader): number | undefined => {
  const axis = attributes.int("axis", 0);
  return rank === 2 ? 0 : axis < 0 ? axis + rank : axis;
};

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
    {
      input: 0,
      channelAxis: (rank) => (rank === 1 ? undefined : rank - 2),
      summedAxis: (rank) => rank - 1,
    },
    {
      input: 1,
      channelAxis: (rank) => (rank === 1 ? undefined : rank - 1),
      summedAxis: (rank) => (rank === 1 ? 0 : rank - 2),
    },
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
    summedAxis: (rank, attributes) => einsumSummed(attributes.string("equation", ""), input, rank),
  })),
  Gather: [{ input: 0, channelAxis: lookedUp, isTable: true }],
  GatherND: [{ input: 0, channelAxis: () => 0, isTable: true }],
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
};
