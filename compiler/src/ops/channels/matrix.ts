import type { Dim } from "../../ir/index.js";
import type { Some } from "../schema/cells.js";
import type { matrixSchemas } from "../schema/matrix.js";
import {
  type ChannelNode,
  type Channels,
  coupled,
  type Coupling,
  each,
  input,
  output,
  summed,
  type Tie,
} from "./coupling.js";

const a = input(0);
const b = input(1);
const y = output(0);

/** Axes counted from the end: where both are stacked, matrix by matrix. */
function stackCouplings(
  node: ChannelNode,
  left: readonly Dim[],
  right: readonly Dim[],
  result: readonly Dim[],
): readonly Coupling[] {
  const activations = !node.isConstant(0) && !node.isConstant(1);
  return result.slice(0, -2).flatMap((size, axis) => {
    const ties: Tie[] = [each(y, axis)];
    for (const [port, shape] of [[a, left] as const, [b, right] as const]) {
      const at = axis - (result.length - shape.length);
      if (at < 0 || at >= shape.length - 2 || (shape[at] === 1 && size !== 1)) continue;
      if (shape[at] !== size) return [];
      ties.push(each(port, at));
    }
    const own = activations && ties.length === 3;
    return [{ ties, ...(own && { stacks: true as const }) }];
  });
}

/** [… , m, k] × [… , k, n]; a vector on the left has no m, one on the right no n. */
const product: Channels = {
  couplings(node) {
    const [left, right, result] = [node.shape(a), node.shape(b), node.shape(y)];
    if (left === undefined || right === undefined || result === undefined) return [];
    if (left.length === 0 || right.length === 0) return [];
    const sum = coupled(summed(each(a, left.length - 1)), each(b, Math.max(0, right.length - 2)));
    const rank = result.length;
    if (left.length === 1 || right.length === 1) {
      const found = [sum];
      if (right.length === 2) found.push(coupled(each(b, 1), each(y, rank - 1)));
      if (left.length === 2) found.push(coupled(each(a, 0), each(y, rank - 1)));
      return found;
    }
    return [
      sum,
      coupled(each(a, left.length - 2), each(y, rank - 2)),
      coupled(each(b, right.length - 1), each(y, rank - 1)),
      ...stackCouplings(node, left, right, result),
    ];
  },
};

/** C is broadcast to [m, n]. */
function addedTies(node: ChannelNode, axis: number, size: Dim): readonly Tie[] | undefined {
  const shape = node.shape(input(2));
  if (shape === undefined) return [];
  const at = axis - (2 - shape.length);
  if (at < 0 || (shape[at] === 1 && size !== 1)) return [];
  return shape[at] === size ? [each(input(2), at)] : undefined;
}

const gemm: Channels = {
  couplings(node) {
    const turnsA = node.attributes.int("transA", 0) !== 0;
    const turnsB = node.attributes.int("transB", 0) !== 0;
    const [rows, columns] = node.shape(y) ?? [];
    if (rows === undefined || columns === undefined) return [];
    const sum = coupled(summed(each(a, turnsA ? 0 : 1)), each(b, turnsB ? 1 : 0));
    const byRow = addedTies(node, 0, rows);
    const byColumn = addedTies(node, 1, columns);
    return [
      sum,
      ...(byRow === undefined ? [] : [coupled(each(a, turnsA ? 1 : 0), each(y, 0), ...byRow)]),
      ...(byColumn === undefined
        ? []
        : [coupled(each(b, turnsB ? 0 : 1), each(y, 1), ...byColumn)]),
    ];
  },
};

/** A letter is an axis of every operand that has it; one that the result lacks is summed over. */
const einsum: Channels = {
  couplings(node) {
    const equation = node.attributes.string("equation", "").replaceAll(" ", "");
    const [left = "", right] = equation.split("->");
    const operands = left.split(",");
    if (right === undefined || equation.includes(".")) return [];
    const unique = [right, ...operands].every((term) => new Set(term).size === term.length);
    if (!unique || operands.length !== node.inputs) return [];
    return [...new Set(left.replaceAll(",", ""))].map((letter) => {
      const ties = operands.flatMap((term, index) =>
        term.includes(letter) ? [each(input(index), term.indexOf(letter))] : [],
      );
      if (right.includes(letter)) return coupled(...ties, each(y, right.indexOf(letter)));
      const [first, ...others] = ties;
      return first === undefined ? coupled() : coupled(summed(first), ...others);
    });
  },
};

export const matrixChannels: Some<typeof matrixSchemas, Channels> = {
  MatMul: product,
  Gemm: gemm,
  Einsum: einsum,
};
