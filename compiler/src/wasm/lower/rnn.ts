import { sliced, type View } from "../plan/view.js";
import { cellFunctions } from "./cell-functions.js";
import type { LoweringRow } from "./lowering-row.js";
import type { Lowering } from "./lowering.js";
import type { NodeFacts } from "./node-facts.js";
import {
  biasOf,
  biasRow,
  exact,
  gatePanels,
  initialState,
  laneOf,
  lowersDirections,
  noState,
  passing,
  planProduct,
  type RecurrentShape,
  recurrentTypes,
  refuseRecurrent,
  resultAt,
  sumOfBiases,
  timesOf,
} from "./recurrent.js";

const own = ["tanh"];

/** h′ = f(W·x + R·h + b): the products with all inputs are one, and the state's is a product, a sum and f in one step. */
export const rnnRow: LoweringRow = {
  types: recurrentTypes,
  refuse: (node) => refuseRecurrent(node, own),
  lower: lowersDirections(1, lowerDirection),
};

function lowerDirection(
  node: NodeFacts,
  l: Lowering,
  shape: RecurrentShape,
  direction: number,
  y: View,
): View {
  const { steps, batch } = shape;
  const activation = cellFunctions(node, own)?.[direction] ?? { kind: "tanh" };
  const bias = biasOf(node, l, shape, direction);
  const row = biasRow(shape, 1, sumOfBiases(bias));
  const dims = [steps, batch, laneOf(shape, 1)];
  const projected = l.temporary(dims, exact(dims), "products with inputs");
  const x = l.view(node.required(0));
  planProduct(l, x, gatePanels(node, l, shape, 1, direction), projected, { row });
  const weights = gatePanels(node, l, shape, 2, direction);
  const initial = initialState(node, l, 5, direction) ?? noState(l, shape);
  const passed = passing(node, l, shape, initial);
  for (const time of timesOf(node, steps, direction)) {
    const after = resultAt(y, time, direction);
    const other = sliced(projected, 0, time, 1);
    planProduct(l, passed.state, weights, after, { other, epilogue: [activation] });
    passed.pass(time, after);
  }
  return passed.state;
}
