import { lstmCell } from "../kernels/lstm-cell.js";
import { collapsed } from "../kernels/nest.js";
import type { Unary } from "../kernels/unary.js";
import { axesOf, sliced, type View } from "../plan/view.js";
import { cellFunctions } from "./cell-functions.js";
import type { LoweringRow } from "./lowering-row.js";
import type { Lowering } from "./lowering.js";
import type { NodeFacts } from "./node-facts.js";
import {
  biasOf,
  biasRow,
  directionsOf,
  exact,
  gatePanels,
  initialState,
  laneOf,
  lowerLast,
  passing,
  planProduct,
  type RecurrentShape,
  recurrentTypes,
  refuseRecurrent,
  resultAt,
  resultsOf,
  shapeOf,
  sumOfBiases,
  timesOf,
} from "./recurrent.js";

/** i, o, f, g. */
const gateCount = 4;
const sigmoid: Unary = { kind: "sigmoid" };
const tanh: Unary = { kind: "tanh" };
const own = ["sigmoid", "tanh", "tanh"];

/**
 * All steps' products with the input are one product; then, step by step, the product with the state before is added
 * and the cell is made of the gates. The state is read and written where the result lies.
 */
export const lstmRow: LoweringRow = {
  types: recurrentTypes,
  refuse(node) {
    if (node.input(7) !== undefined) return "peepholes are not compiled";
    if (node.attributes.int("input_forget", 0) !== 0) return "coupled gates are not compiled";
    return refuseRecurrent(node, own);
  },
  lower(node, l) {
    const shape = shapeOf(node, gateCount);
    const stateDims = [shape.directions, shape.batch, shape.hidden];
    const y = resultsOf(node, l, shape);
    const cell = l.temporary(stateDims, exact(stateDims), "cell");
    const lasts = directionsOf(shape).map((direction) =>
      lowerDirection(node, l, shape, direction, y, cell),
    );
    const [, lastHidden, lastCell] = node.node.outputs;
    if (lastCell !== undefined && lastCell !== null) l.set(lastCell, cell);
    lowerLast(l, lastHidden, lasts);
  },
};

function lowerDirection(
  node: NodeFacts,
  l: Lowering,
  shape: RecurrentShape,
  direction: number,
  y: View,
  cells: View,
): View {
  const { steps, batch, hidden } = shape;
  const functions = cellFunctions(node, own)?.slice(direction * own.length) ?? [];
  const [gate = sigmoid, candidate = tanh, shown = tanh] = functions;
  const lanes = laneOf(shape, gateCount);
  const bias = biasOf(node, l, shape, direction);
  const row = biasRow(shape, gateCount, sumOfBiases(bias));
  const gates = (count: number, name: string): View =>
    l.temporary([count, batch, lanes], exact([count, batch, lanes]), name);
  const projected = gates(steps, "gates of inputs");
  const current = gates(1, "gates");
  const x = l.view(node.required(0));
  planProduct(l, x, gatePanels(node, l, shape, 1, direction), projected, { row });

  const recurrent = gatePanels(node, l, shape, 2, direction);
  const cell = sliced(cells, 0, direction, 1);
  const made =
    node.input(4) === undefined
      ? cell
      : l.temporary([1, batch, hidden], exact([1, batch, hidden]), "cell of a step");
  const hiddens = passing(node, l, shape, initialState(node, l, 5, direction));
  const cellsOver = passing(node, l, shape, initialState(node, l, 6, direction), cell);
  for (const time of timesOf(node, steps, direction)) {
    const inputGates = sliced(projected, 0, time, 1);
    const [hiddenBefore, cellBefore] = [hiddens.state, cellsOver.state];
    if (hiddenBefore !== undefined)
      planProduct(l, hiddenBefore, recurrent, current, { other: inputGates });
    const from = hiddenBefore === undefined ? inputGates : current;
    const hiddenAfter = resultAt(y, time, direction);
    l.plan.step(
      lstmCell,
      {
        batch: collapsed(axesOf([from, cellBefore ?? made, made, hiddenAfter], [1])),
        hidden,
        hasCell: cellBefore !== undefined,
        gate,
        candidate,
        shown,
      },
      [from.place, (cellBefore ?? made).place, made.place, hiddenAfter.place],
    );
    hiddens.pass(time, hiddenAfter);
    cellsOver.pass(time, made);
  }
  return hiddens.state ?? resultAt(y, 0, direction);
}
