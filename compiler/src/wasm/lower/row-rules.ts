import { product, type ValueId, shapeOf } from "../../ir/index.js";
import { normalAxis } from "../../ops/families/indexing.js";
import { type NodeFacts } from "./node-facts.js";
import type { Rows } from "./rows.js";

/** A node that is given rows of which only a run knows how many there are, and whose outputs have as many. */
export interface OnRows {
  readonly node: NodeFacts;
  /** Of each input the axis of the rows; undefined where it has none. */
  readonly inputs: readonly (number | undefined)[];
  /** That of the first output. */
  readonly output: number;
}

/**
 * Is each row of the results made of that row alone, and of what has no rows? Rows behind the last are computed too, and
 * nobody reads them. That every output has its axis of rows, and no other dim follows from it, is known before.
 */
export type RowRule = (on: OnRows) => boolean;

/** It computes along axes that its outputs do not have as they were: rows would not be among them. */
export const besideRows: RowRule = () => true;

/** Elements of the inputs that lie at the same place, axes from the right; what has no rows is the same for all of them. */
export const elementwiseRows: RowRule = ({ node, inputs, output }) => {
  const place = rankOf(node, node.output()) - output;
  return inputs.every((axis, index) => {
    const id = node.input(index);
    if (id === undefined) return true;
    const shape = shapeOf(node.graph, id) ?? [];
    if (axis !== undefined) return shape.length - axis === place;
    return place > shape.length || shape.at(-place) === 1;
  });
};

/** All elements in their order: as many of them lie before each row. */
export const rowsInOrder: RowRule = ({ node, inputs: [axis], output }) => {
  const before = (id: ValueId, end: number) =>
    product(shapeOf(node.graph, id)?.slice(0, end) ?? []);
  return axis !== undefined && before(node.required(0), axis) === before(node.output(), output);
};

/** All of them have the rows, on one axis, which is not that on which they are joined. */
export const joinedRows: RowRule = ({ inputs, output }) => inputs.every((axis) => axis === output);

/** Its own axis, by an attribute, is another one. */
export function notAlongRows(axis: number): RowRule {
  return ({ node, output }) => {
    const given = node.attributes.int("axis", axis);
    const rank = rankOf(node, node.output());
    return normalAxis(given, rank) !== output;
  };
}

/** A table has the rows, on another axis, or the indices have them. */
export const gatheredRows: RowRule = ({ inputs: [table, indices] }) =>
  table === undefined || indices === undefined;

/** Indices that say a whole place; a table that has the rows would be read across them. */
export const placedRows: RowRule = ({ node, inputs: [table] }) =>
  table === undefined && node.attributes.int("batch_dims", 0) === 0;

/** Of what moves elements by where they lie, a slice alone could turn the rows round. */
export const movedRows: RowRule = ({ node, inputs }) =>
  inputs.every((axis, index) => index === 0 || axis === undefined) &&
  (node.node.op !== "Slice" || (node.numbers(4) ?? []).every((step) => step > 0));

/** Rows of the first matrix, each multiplied by what is the same for all of them. */
export const multipliedRows: RowRule = ({ node, inputs: [left, right] }) =>
  left !== undefined && right === undefined && left < rankOf(node, node.required(0)) - 1;

/** Boxes, and scores of each of them. */
export const suppressedRows: RowRule = ({ inputs: [boxes, scores] }) => boxes === 1 && scores === 2;

/** Zeros behind the last row, as many as are missing, and nowhere else: the rows are the outermost axis that has any. */
export function paddedRows(node: NodeFacts, { axis }: Rows): boolean {
  const pads = node.graph.value(node.required(1)).elements;
  const rank = rankOf(node, node.required(0));
  const before = shapeOf(node.graph, node.required(0))?.slice(0, axis) ?? [];
  const isOfZeros = node.input(2) === undefined || node.numbers(2)?.[0] === 0;
  return (
    node.attributes.string("mode", "constant") === "constant" &&
    isOfZeros &&
    node.input(3) === undefined &&
    before.every((size) => size === 1) &&
    pads?.length === 2 * rank &&
    pads.every((size, at) => at === rank + axis || size === 0)
  );
}

function rankOf({ graph }: NodeFacts, id: ValueId): number {
  return shapeOf(graph, id)?.length ?? 0;
}
