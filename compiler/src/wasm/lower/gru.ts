import { gruCell } from "../kernels/gru-cell.js";
import { collapsed } from "../kernels/nest.js";
import type { Unary } from "../kernels/unary.js";
import type { Place } from "../plan/plan.js";
import { axesOf, sliced, type View } from "../plan/view.js";
import { cellFunctions } from "./cell-functions.js";
import type { LoweringRow } from "./lowering-row.js";
import type { Lowering } from "./lowering.js";
import { planMap } from "./map-views.js";
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
  timesOf,
} from "./recurrent.js";

/** z, r, n. */
const gateCount = 3;
const own = ["sigmoid", "tanh"];

/**
 * All steps' products with the input are one product. Step by step, the reset gate is applied to what the state's product
 * gave, where the node says so (`linear_before_reset`, as PyTorch has it): that is one product for all gates. Else it is
 * applied to the state before, which takes two.
 */
export const gruRow: LoweringRow = {
  types: recurrentTypes,
  refuse: (node) => refuseRecurrent(node, own),
  lower: lowersDirections(gateCount, lowerDirection),
};

function lowerDirection(
  node: NodeFacts,
  l: Lowering,
  shape: RecurrentShape,
  direction: number,
  y: View,
): View {
  const { steps, batch, hidden } = shape;
  const [gate, candidate] = functionsOf(node, direction);
  const resetsProduct = node.attributes.int("linear_before_reset", 0) !== 0;
  const lanes = laneOf(shape, gateCount);
  const gates = (count: number, name: string): View =>
    l.temporary([count, batch, lanes], exact([count, batch, lanes]), name);
  const bias = biasOf(node, l, shape, direction);
  // Of the last gate the state's bias is reset with its product.
  const isApart = (gate: number): boolean => resetsProduct && gate === 2;
  const row = biasRow(shape, gateCount, (gate, unit) => {
    const [ofInput, ofState] = bias(gate, unit);
    return isApart(gate) ? ofInput : ofInput + ofState;
  });
  const projected = gates(steps, "gates of inputs");
  const x = l.view(node.required(0));
  planProduct(l, x, gatePanels(node, l, shape, 1, direction), projected, { row });

  const ofState = gates(1, "gates of the state");
  const plan = resetsProduct
    ? oneProduct(node, l, shape, direction, ofState)
    : twoProducts(node, l, shape, direction, ofState);
  const initial = initialState(node, l, 5, direction) ?? noState(l, shape);
  const passed = passing(node, l, shape, initial);
  for (const time of timesOf(node, steps, direction)) {
    const ofInput = sliced(projected, 0, time, 1);
    const before = passed.state;
    plan(before, ofInput);
    const after = resultAt(y, time, direction);
    const views = [ofInput, ofState, before, after];
    const options = {
      batch: collapsed(axesOf(views, [1])),
      hidden,
      resetsProduct,
      gate,
      candidate,
    };
    l.plan.step(
      gruCell,
      options,
      views.map(({ place }): Place => place),
    );
    passed.pass(time, after);
  }
  return passed.state;
}

/** Of gates, and of the candidate. */
function functionsOf(node: NodeFacts, direction: number): readonly [Unary, Unary] {
  const all = cellFunctions(node, own)?.slice(direction * own.length) ?? [];
  const [gate = { kind: "sigmoid" }, candidate = { kind: "tanh" }] = all;
  return [gate, candidate];
}

/** What a step does with the state before it and the input's gates. */
type Products = (before: View, ofInput: View) => void;

function oneProduct(
  node: NodeFacts,
  l: Lowering,
  shape: RecurrentShape,
  direction: number,
  ofState: View,
): Products {
  const bias = biasOf(node, l, shape, direction);
  const row = biasRow(shape, gateCount, (gate, unit) => (gate === 2 ? bias(gate, unit)[1] : 0));
  const weights = gatePanels(node, l, shape, 2, direction);
  return (before) => planProduct(l, before, weights, ofState, { row });
}

function twoProducts(
  node: NodeFacts,
  l: Lowering,
  shape: RecurrentShape,
  direction: number,
  ofState: View,
): Products {
  const { hidden, batch } = shape;
  const width = laneOf(shape, 1);
  const first = gatePanels(node, l, shape, 2, direction, [0, 1]);
  const second = gatePanels(node, l, shape, 2, direction, [2]);
  const reset = l.temporary([1, batch, hidden], exact([1, batch, hidden]), "state that is reset");
  const [unary] = functionsOf(node, direction);
  const gate = (gates: View): View => sliced(gates, 2, width, hidden);
  return (before, ofInput) => {
    planProduct(l, before, first, sliced(ofState, 2, 0, 2 * width), {});
    planMap(l, [gate(ofInput), gate(ofState), before], reset, [
      { binary: "add", x: { input: 0 }, y: { input: 1 } },
      { unary, x: { result: 0 } },
      { binary: "multiply", x: { result: 1 }, y: { input: 2 } },
    ]);
    planProduct(l, reset, second, sliced(ofState, 2, 2 * width, width), {});
  };
}
