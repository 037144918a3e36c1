import type { ValueId } from "../../ir/index.js";
import { laneCount, vectorsOf } from "../kernels/kernel.js";
import { lstmCell } from "../kernels/lstm-cell.js";
import { matrix } from "../kernels/matrix.js";
import { collapsed } from "../kernels/nest.js";
import {
  axesOf,
  type Layout,
  reshaped,
  rowMajor,
  sizeAt,
  sliced,
  stepAt,
  type View,
} from "../plan/view.js";
import { joinedAxes } from "./image.js";
import type { LoweringRow } from "./lowering-row.js";
import type { Lowering } from "./lowering.js";
import { planMove } from "./move.js";
import type { NodeFacts } from "./node-facts.js";
import { packedMatrices, panelVectors } from "./panels.js";

/** i, o, f, g. */
const gateCount = 4;
/** Steps are written out one after the other. */
const mostSteps = 512;

/**
 * All steps' products with the input are one product; then, step by step, the product with the state before is added
 * and the cell is made of the gates. The state is read and written where the result lies.
 */
export const lstmRow: LoweringRow = {
  refuse(node) {
    const { attributes } = node;
    if ([1, 2].some((at) => !node.isConstant(at))) return "its weights must be constant";
    if (node.input(3) !== undefined && !node.isConstant(3)) return "its bias must be constant";
    if (node.input(4) !== undefined) return "lengths of sequences are not compiled";
    if (node.input(7) !== undefined) return "peepholes are not compiled";
    if (attributes.has("activations")) return "other activations than its own are not compiled";
    if (attributes.has("clip") || attributes.int("input_forget", 0) !== 0)
      return "clipped and coupled gates are not compiled";
    if (attributes.int("layout", 0) !== 0) return "batches before sequences are not compiled";
    return (node.dims(0)[0] ?? 0) > mostSteps
      ? `more than ${mostSteps} steps are not compiled`
      : undefined;
  },
  lower(node, l) {
    const [steps = 1, batch = 1, width = 1] = node.dims(0);
    const [directions = 1, , hidden = 1] = node.dims(2);
    const shape = { steps, batch, width, directions, hidden };
    const resultDims = [steps, directions, batch, hidden];
    const stateDims = [directions, batch, hidden];
    const [all, lastHidden, lastCell] = [0, 1, 2].map((at) => node.node.outputs[at] ?? undefined);
    const y =
      all === undefined
        ? l.temporary(resultDims, exact(resultDims), "hidden")
        : l.allocate(all, rowMajor(4), { exact: true });
    const cell = l.temporary(stateDims, exact(stateDims), "cell");
    for (let direction = 0; direction < directions; direction += 1)
      lowerDirection(node, l, shape, direction, y, cell);
    if (lastCell !== undefined) l.set(lastCell, cell);
    if (lastHidden !== undefined) lowerLast(node, l, lastHidden, y);
  },
};

function exact(dims: readonly number[]): Layout {
  return { order: rowMajor(dims.length), padded: false, halo: [] };
}

interface Shape {
  readonly steps: number;
  readonly batch: number;
  readonly width: number;
  readonly directions: number;
  readonly hidden: number;
}

function isReverse(node: NodeFacts, direction: number): boolean {
  return direction === 1 || node.attributes.string("direction", "forward") === "reverse";
}

function lowerDirection(
  node: NodeFacts,
  l: Lowering,
  { steps, batch, width, hidden }: Shape,
  direction: number,
  y: View,
  cells: View,
): void {
  const gates = gateCount * vectorsOf(hidden) * laneCount;
  const x = l.view(node.required(0));
  const layout = exact([steps, batch, gates]);
  const projected = l.temporary([steps, batch, gates], layout, "gates of inputs");
  const current = l.temporary([1, batch, gates], layout, "gates");
  const bias = l.floats(node.input(3) ?? node.required(1));
  const row = new Float32Array(gates);
  const place = (gate: number, unit: number): number => gate * vectorsOf(hidden) * laneCount + unit;
  if (node.input(3) !== undefined)
    for (let gate = 0; gate < gateCount; gate += 1)
      for (let unit = 0; unit < hidden; unit += 1) {
        const from = (direction * 2 * gateCount + gate) * hidden + unit;
        row[place(gate, unit)] = (bias?.[from] ?? 0) + (bias?.[from + gateCount * hidden] ?? 0);
      }

  /** [gates of units, depth] of one direction, as a matrix of depth × gates from whole vectors on. */
  const panels = (input: number, depth: number) => {
    const numbers = l.floats(node.required(input)) ?? new Float32Array();
    const turned = new Float32Array(depth * gates);
    for (let gate = 0; gate < gateCount; gate += 1)
      for (let unit = 0; unit < hidden; unit += 1)
        for (let k = 0; k < depth; k += 1) {
          const from = ((direction * gateCount + gate) * hidden + unit) * depth + k;
          turned[k * gates + place(gate, unit)] = numbers[from] ?? 0;
        }
    return packedMatrices(l, turned, [depth, gates], 2).place;
  };
  const product = (
    from: View,
    weights: ReturnType<typeof panels>,
    to: View,
    other?: View,
  ): void => {
    const [rows, columns] = joinedAxes(
      [0, 1].map((axis) => ({
        count: sizeAt(to, axis),
        steps: [
          stepAt(from, axis),
          stepAt(to, axis),
          other === undefined ? 0 : stepAt(other, axis),
        ],
      })),
    );
    l.plan.step(
      matrix,
      {
        batch: [],
        rows,
        columns,
        taps: [],
        run: { count: sizeAt(from, 2), step: stepAt(from, 2) },
        outputs: gates,
        panel: panelVectors,
        bias: other === undefined,
        epilogue: other === undefined ? [] : [{ kind: "add-other" }],
        padded: true,
      },
      [from.place, weights, l.plan.constant(row), to.place, (other ?? to).place],
    );
  };
  product(x, panels(1, width), projected);

  const recurrent = panels(2, hidden);
  const cell = sliced(cells, 0, direction, 1);
  const initial = (at: number): View | undefined => {
    const id = node.input(at);
    return id === undefined ? undefined : l.withLanes(sliced(l.view(id), 0, direction, 1), 2);
  };
  let [hiddenBefore, cellBefore] = [initial(5), initial(6)];
  for (let step = 0; step < steps; step += 1) {
    const time = isReverse(node, direction) ? steps - 1 - step : step;
    const inputGates = sliced(projected, 0, time, 1);
    if (hiddenBefore !== undefined) product(hiddenBefore, recurrent, current, inputGates);
    const from = hiddenBefore === undefined ? inputGates : current;
    const item = sliced(sliced(y, 0, time, 1), 1, direction, 1);
    const hiddenAfter = reshaped(item, [1, batch, hidden]) ?? item;
    l.plan.step(
      lstmCell,
      {
        batch: collapsed(axesOf([from, cellBefore ?? cell, cell, hiddenAfter], [1])),
        hidden,
        hasCell: cellBefore !== undefined,
      },
      [from.place, (cellBefore ?? cell).place, cell.place, hiddenAfter.place],
    );
    hiddenBefore = hiddenAfter;
    cellBefore = cell;
  }
}

/** The state after the last step of each direction. */
function lowerLast(node: NodeFacts, l: Lowering, id: ValueId, y: View): void {
  const last = (direction: number): View => {
    const time = isReverse(node, direction) ? 0 : sizeAt(y, 0) - 1;
    const item = sliced(sliced(y, 0, time, 1), 1, direction, 1);
    return reshaped(item, [1, sizeAt(y, 2), sizeAt(y, 3)]) ?? item;
  };
  if (sizeAt(y, 1) === 1) return l.set(id, last(0));
  const target = l.allocate(id, rowMajor(3), { exact: true });
  for (const direction of [0, 1]) {
    const from = last(direction);
    planMove(l.plan, from.place, from.steps, sliced(target, 0, direction, 1));
  }
}
