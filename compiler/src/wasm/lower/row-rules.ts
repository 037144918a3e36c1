import { product } from "../../ir/index.js";
import { type NodeFacts, shapeOf } from "./node-facts.js";

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
  const fromRight = (axis: number, rank: number): number => rank - axis;
  const place = fromRight(output, rankOf(node, node.node.outputs[0]));
  return inputs.every((axis, index) => {
    const id = node.input(index);
    if (id === undefined) return true;
    const shape = shapeOf(node.graph, id) ?? [];
    if (axis !== undefined) return fromRight(axis, shape.length) === place;
    return (shape.at(-place) ?? 1) === 1 || place > shape.length;
  });
};

/** All elements in their order: as many of them lie before each row. */
export const rowsInOrder: RowRule = ({ node, inputs: [axis], output }) => {
  const [from, to] = [node.required(0), node.output()].map((id) => shapeOf(node.graph, id) ?? []);
  return axis !== undefined && product(from?.slice(0, axis) ?? []) === product(to?.slice(0, output) ?? []); // prettier-ignore
};

/** All of them have the rows, on one axis, which is not that on which they are joined. */
export const joinedRows: RowRule = ({ inputs, output }) => inputs.every((axis) => axis === output);

/** Its own axis, by an attribute, is another one. */
export function notAlongRows(axis: number): RowRule {
  return ({ node, output }) => {
    const given = node.attributes.int("axis", axis);
    const rank = rankOf(node, node.node.outputs[0]);
    return (given < 0 ? given + rank : given) !== output;
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
  left !== undefined && right === undefined && left < rankOf(node, node.input(0)) - 1;

function rankOf(
  { graph }: NodeFacts,
  id: NodeFacts["node"]["outputs"][number] | undefined,
): number {
  return id === null || id === undefined ? 0 : (shapeOf(graph, id)?.length ?? 0);
}
