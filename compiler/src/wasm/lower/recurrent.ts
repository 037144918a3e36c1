import type { Dtype } from "@pare/runtime/format";
import type { ValueId } from "../../ir/index.js";
import type { Epilogue } from "../kernels/epilogue.js";
import { holdState } from "../kernels/hold-state.js";
import { floatBytes, laneCount, vectorsOf } from "../kernels/kernel.js";
import { matrix } from "../kernels/matrix.js";
import { collapsed } from "../kernels/nest.js";
import { type Place, placeAt } from "../plan/plan.js";
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
import { cellFunctions } from "./cell-functions.js";
import { joinedAxes } from "./image.js";
import type { LoweringRow } from "./lowering-row.js";
import type { Lowering } from "./lowering.js";
import { planMove } from "./move.js";
import { dtypeOf, type NodeFacts } from "./node-facts.js";
import type { Packing } from "./packed-integers.js";
import { packedMatrices, panelVectors } from "./panels.js";

/** Steps are written out one after the other. */
const mostSteps = 512;

/** Lengths of sequences are integers. */
export const recurrentTypes: readonly Dtype[] = ["float32", "int32"];

/**
 * Why a node over time cannot be compiled, whatever its cell is.
 * @param functions of its cell, where nothing is said
 */
export function refuseRecurrent(node: NodeFacts, functions: readonly string[]): string | undefined {
  const dtype = dtypeOf(node.graph, node.required(0));
  if (dtype !== "float32") return `it computes with ${dtype ?? "a type that is not known"}`;
  if ([1, 2].some((at) => !node.isConstant(at))) return "its weights must be constant";
  if (cellFunctions(node, functions) === undefined) return "functions of its cell are not compiled";
  if (node.input(3) !== undefined && !node.isConstant(3)) return "its bias must be constant";
  if (node.attributes.has("clip")) return "clipped gates are not compiled";
  if (node.attributes.int("layout", 0) !== 0) return "batches before sequences are not compiled";
  return (node.dims(0)[0] ?? 0) > mostSteps
    ? `more than ${mostSteps} steps are not compiled`
    : undefined;
}

export function exact(dims: readonly number[]): Layout {
  return { order: rowMajor(dims.length), padded: false, halo: [] };
}

/** Sizes of a node over time, and how many gates its cell has. */
export interface RecurrentShape {
  readonly steps: number;
  readonly batch: number;
  readonly width: number;
  readonly directions: number;
  readonly hidden: number;
  readonly gates: number;
}

export function shapeOf(node: NodeFacts, gates: number): RecurrentShape {
  const [steps = 1, batch = 1, width = 1] = node.dims(0);
  const [directions = 1, , hidden = 1] = node.dims(2);
  return { steps, batch, width, directions, hidden, gates };
}

/** Lanes of gates next to one another, each from a whole vector on. */
export function laneOf({ hidden }: RecurrentShape, gate: number, unit = 0): number {
  return gate * vectorsOf(hidden) * laneCount + unit;
}

/** Memory for the results of all steps: [steps, directions, batch, hidden]. */
export function resultsOf(node: NodeFacts, l: Lowering, shape: RecurrentShape): View {
  const dims = [shape.steps, shape.directions, shape.batch, shape.hidden];
  const id = node.node.outputs[0] ?? undefined;
  return id === undefined
    ? l.temporary(dims, exact(dims), "hidden")
    : l.allocate(id, rowMajor(4), { exact: true });
}

/** Where a direction's result of a step lies: [1, batch, hidden]. */
export function resultAt(y: View, time: number, direction: number): View {
  const item = sliced(sliced(y, 0, time, 1), 1, direction, 1);
  return reshaped(item, [1, sizeAt(y, 2), sizeAt(y, 3)]) ?? item;
}

/** The steps of a direction in the order in which they are taken. */
export function timesOf(node: NodeFacts, steps: number, direction: number): readonly number[] {
  const isReverse = direction === 1 || node.attributes.string("direction", "forward") === "reverse";
  const times = rowMajor(steps);
  return isReverse ? [...times].reverse() : times;
}

/** The state with which a direction begins; undefined where none is given. */
export function initialState(
  node: NodeFacts,
  l: Lowering,
  at: number,
  direction: number,
): View | undefined {
  const id = node.input(at);
  return id === undefined ? undefined : l.withLanes(sliced(l.view(id), 0, direction, 1), 2);
}

/** A state of zeros. */
export function noState(l: Lowering, { batch, hidden }: RecurrentShape): View {
  return l.constantView(new Float32Array(batch * hidden), [1, batch, hidden]);
}

/** Weights of some gates of a direction, [gates of units, depth], as the panels of a matrix of depth × lanes. */
export function gatePanels(
  node: NodeFacts,
  l: Lowering,
  shape: RecurrentShape,
  input: 1 | 2,
  direction: number,
  chosen: readonly number[] = rowMajor(shape.gates),
): Place {
  const { hidden, gates } = shape;
  const depth = input === 1 ? shape.width : hidden;
  const lanes = laneOf(shape, chosen.length);
  const arranged: Packing = (numbers) => {
    const turned = new Float32Array(depth * lanes);
    for (const [at, gate] of chosen.entries())
      for (let unit = 0; unit < hidden; unit += 1)
        for (let k = 0; k < depth; k += 1) {
          const from = ((direction * gates + gate) * hidden + unit) * depth + k;
          turned[k * lanes + laneOf(shape, at, unit)] = numbers[from] ?? 0;
        }
    return turned;
  };
  const matrices = { value: node.required(input), arranged, dims: [depth, lanes] };
  return packedMatrices(l, matrices, 2).place;
}

/** A direction's bias of a gate's unit: of the product with the input, and of that with the state. */
export function biasOf(
  node: NodeFacts,
  l: Lowering,
  { hidden, gates }: RecurrentShape,
  direction: number,
): (gate: number, unit: number) => readonly [ofInput: number, ofState: number] {
  const id = node.input(3);
  const bias = id === undefined ? undefined : l.floats(id);
  return (gate, unit) => {
    const from = (direction * 2 * gates + gate) * hidden + unit;
    return [bias?.[from] ?? 0, bias?.[from + gates * hidden] ?? 0];
  };
}

/** Both biases of each gate's unit, in one. */
export function sumOfBiases(
  bias: (gate: number, unit: number) => readonly [ofInput: number, ofState: number],
): (gate: number, unit: number) => number {
  return (gate, unit) => {
    const [ofInput, ofState] = bias(gate, unit);
    return ofInput + ofState;
  };
}

/** A row of biases by gate and unit. */
export function biasRow(
  shape: RecurrentShape,
  gates: number,
  numberOf: (gate: number, unit: number) => number,
): Float32Array {
  const row = new Float32Array(laneOf(shape, gates));
  for (let gate = 0; gate < gates; gate += 1)
    for (let unit = 0; unit < shape.hidden; unit += 1)
      row[laneOf(shape, gate, unit)] = numberOf(gate, unit);
  return row;
}

/** What is added to a product, and done with the sum. */
export interface Added {
  readonly row?: Float32Array;
  readonly other?: View;
  readonly epilogue?: readonly Epilogue[];
}

/** Plans a product of [n, batch, depth] with panels; all lanes of the result are written. */
export function planProduct(
  l: Lowering,
  from: View,
  weights: Place,
  to: View,
  { row, other, epilogue = [] }: Added,
): void {
  const [rows, columns] = joinedAxes(
    [0, 1].map((axis) => ({
      count: sizeAt(to, axis),
      steps: [stepAt(from, axis), stepAt(to, axis), other === undefined ? 0 : stepAt(other, axis)],
    })),
  );
  const outputs = sizeAt(to, 2);
  const first: readonly Epilogue[] = other === undefined ? [] : [{ kind: "add-other" }];
  l.plan.step(
    matrix,
    {
      batch: [],
      rows,
      columns,
      taps: [],
      run: { count: sizeAt(from, 2), step: stepAt(from, 2) },
      outputs,
      panel: panelVectors,
      bias: row !== undefined,
      epilogue: [...first, ...epilogue],
      padded: outputs % laneCount === 0,
    },
    [
      from.place,
      weights,
      row === undefined ? to.place : l.plan.constant(row),
      to.place,
      (other ?? to).place,
    ],
  );
}

/** What one step of a direction hands on to the next. */
export interface Passing<Initial> {
  /** The state before the next step, and in the end the last one. */
  readonly state: Initial | View;
  /** @param made the state that the step at a time made */
  pass(time: number, made: View): void;
}

/**
 * Where all sequences are as long as the input the state is where it was made. Where the node is given their lengths it
 * has memory of its own: in it that of a sequence which has ended, or, backwards, has not begun, stays as it is.
 * @param initial with what the direction begins: zeros where undefined
 * @param kept the memory of its own
 */
export function passing<Initial extends View | undefined>(
  node: NodeFacts,
  l: Lowering,
  shape: RecurrentShape,
  initial: Initial,
  kept?: View,
): Passing<Initial> {
  const lengths = node.input(4);
  if (lengths === undefined) {
    const passed: { state: Initial | View } = { state: initial };
    return Object.assign(passed, {
      pass(_: number, made: View) {
        passed.state = made;
      },
    });
  }
  const { steps, batch, hidden } = shape;
  const state = kept ?? l.temporary([1, batch, hidden], exact([1, batch, hidden]), "state");
  const first = initial ?? noState(l, shape);
  planMove(l.plan, first.place, first.steps, state);
  const given = l.view(lengths);
  const ends = reshaped(given, [1, batch, 1]) ?? given;
  const times = l.plan.constant(Int32Array.from(rowMajor(steps)));
  return {
    state,
    pass(time, made) {
      const at = [placeAt(times, time * floatBytes), ends.place, made.place, state.place];
      l.plan.step(holdState, { batch: collapsed(axesOf([ends, made, state], [1])), hidden }, at);
    },
  };
}

/** A lowering of cells whose only state is their result: each direction's steps, and the state after the last of them. */
export function lowersDirections(
  gates: number,
  lowerDirection: (
    node: NodeFacts,
    l: Lowering,
    shape: RecurrentShape,
    direction: number,
    y: View,
  ) => View,
): LoweringRow["lower"] {
  return (node, l) => {
    const shape = shapeOf(node, gates);
    const y = resultsOf(node, l, shape);
    const lasts = directionsOf(shape).map((direction) =>
      lowerDirection(node, l, shape, direction, y),
    );
    lowerLast(l, node.node.outputs[1], lasts);
  };
}

export function directionsOf({ directions }: RecurrentShape): readonly number[] {
  return rowMajor(directions);
}

/** Each direction's state after its last step, as one output. */
export function lowerLast(
  l: Lowering,
  id: ValueId | null | undefined,
  lasts: readonly View[],
): void {
  if (id === undefined || id === null) return;
  const [last] = lasts;
  if (last !== undefined && lasts.length === 1) return l.set(id, last);
  const target = l.allocate(id, rowMajor(3), { exact: true });
  for (const [direction, from] of lasts.entries())
    planMove(l.plan, from.place, from.steps, sliced(target, 0, direction, 1));
}
