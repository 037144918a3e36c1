import { elementCount, type Tensor as Dense } from "@pare/runtime/format";
import { integers, unpackNumbers } from "../elements/arrays.js";
import { denseOf } from "../elements/dense.js";
import { directionsOf } from "../families/recurrent.js";
import type { AttributeReader } from "../schema/attributes.js";
import type { Some } from "../schema/cells.js";
import type { recurrentSchemas } from "../schema/recurrent.js";
import { activations } from "./activations.js";
import type { Real } from "./curves.js";
import type { EvaluateContext, Evaluation } from "./evaluation.js";

/** What one time step of one direction and one batch item makes of its state. */
interface Step {
  readonly activations: readonly Real[];
  readonly attributes: AttributeReader;
  readonly hidden: number;
  /** Of gate g and unit j: W·x + its bias, R·h, and its recurrent bias. */
  fromInput(gate: number, unit: number): number;
  fromState(gate: number, unit: number, state?: ArrayLike<number>): number;
  recurrentBias(gate: number, unit: number): number;
  peephole(gate: number, unit: number): number;
  clip(value: number): number;
}

type Cell = (
  step: Step,
  h: Float64Array,
  c: Float64Array,
) => { readonly h: Float64Array; readonly c: Float64Array };

/** Where things lie in the tensors of a recurrent operator. */
interface Layout {
  readonly sequence: number;
  readonly batch: number;
  readonly directions: number;
  readonly hidden: number;
  readonly x: (time: number, item: number) => number;
  readonly y: (time: number, direction: number, item: number) => number;
  readonly state: (direction: number, item: number) => number;
  readonly yDims: readonly number[];
  readonly stateDims: readonly number[];
}

function layoutOf(x: Dense, hidden: number, attributes: AttributeReader): Layout {
  const batchFirst = attributes.int("layout", 0) === 1;
  const [first = 0, second = 0, width = 0] = x.dims;
  const [sequence, batch] = batchFirst ? [second, first] : [first, second];
  const directions = directionsOf(attributes);
  return {
    sequence,
    batch,
    directions,
    hidden,
    x: (time, item) => (batchFirst ? item * sequence + time : time * batch + item) * width,
    y: (time, direction, item) =>
      (batchFirst
        ? (item * sequence + time) * directions + direction
        : (time * directions + direction) * batch + item) * hidden,
    state: (direction, item) =>
      (batchFirst ? item * directions + direction : direction * batch + item) * hidden,
    yDims: batchFirst
      ? [batch, sequence, directions, hidden]
      : [sequence, directions, batch, hidden],
    stateDims: batchFirst ? [batch, directions, hidden] : [directions, batch, hidden],
  };
}

/** Runs a cell over time, in each direction, for each batch item up to its own length. */
function run(
  context: EvaluateContext,
  gates: number,
  defaults: readonly string[],
  cell: Cell,
  initialCell: number,
): readonly Dense[] {
  const { input, inputs, attributes } = context;
  const [x, w, r] = [input(0), input(1), input(2)];
  const hidden = r.dims[2] ?? 0;
  const width = w.dims[2] ?? 0;
  const layout = layoutOf(x, hidden, attributes);
  const { sequence, batch, directions } = layout;
  const [xs, ws, rs] = [x, w, r].map(unpackNumbers);
  const optional = (index: number) => (inputs[index] ? unpackNumbers(inputs[index]) : undefined);
  const [bias, initialH, peepholes] = [optional(3), optional(5), optional(7)];
  const initialC = initialCell > 0 ? optional(initialCell) : undefined;
  const lengths = inputs[4] ? integers(inputs[4]) : undefined;
  const functions = activations(
    attributes,
    Array.from({ length: directions }, () => defaults).flat(),
  );
  const limit = attributes.float("clip", Infinity);
  const clip = (value: number) => Math.max(-limit, Math.min(limit, value));
  const y = new Float64Array(elementCount(layout.yDims));
  const lastH = new Float64Array(elementCount(layout.stateDims));
  const lastC = new Float64Array(lastH.length);
  for (let d = 0; d < directions; d += 1) {
    const reversed = attributes.string("direction", "forward") === "reverse" || d === 1;
    for (let item = 0; item < batch; item += 1) {
      const at = layout.state(d, item);
      let h: Float64Array = Float64Array.from(
        { length: hidden },
        (_, j) => initialH?.[at + j] ?? 0,
      );
      let c: Float64Array = Float64Array.from(
        { length: hidden },
        (_, j) => initialC?.[at + j] ?? 0,
      );
      // Beyond the sequence there is nothing to read.
      const length = Math.min(lengths?.[item] ?? sequence, sequence);
      for (let step = 0; step < length; step += 1) {
        const time = reversed ? length - 1 - step : step;
        const from = layout.x(time, item);
        const state = h;
        const row = (gate: number, unit: number) => (d * gates + gate) * hidden + unit;
        const next = cell(
          {
            activations: functions.slice(d * defaults.length, (d + 1) * defaults.length),
            attributes,
            hidden,
            fromInput(gate, unit) {
              let sum = bias?.[(d * 2 * gates + gate) * hidden + unit] ?? 0;
              for (let i = 0; i < width; i += 1)
                sum += (ws?.[row(gate, unit) * width + i] ?? 0) * (xs?.[from + i] ?? 0);
              return sum;
            },
            fromState(gate, unit, values = state) {
              let sum = 0;
              for (let i = 0; i < hidden; i += 1)
                sum += (rs?.[row(gate, unit) * hidden + i] ?? 0) * (values[i] ?? 0);
              return sum;
            },
            recurrentBias: (gate, unit) =>
              bias?.[(d * 2 * gates + gates + gate) * hidden + unit] ?? 0,
            peephole: (gate, unit) => peepholes?.[(d * 3 + gate) * hidden + unit] ?? 0,
            clip,
          },
          h,
          c,
        );
        ({ h, c } = next);
        y.set(h, layout.y(time, d, item));
      }
      // Of no steps onnxruntime gives zeros, whatever the state began with.
      if (length <= 0) continue;
      lastH.set(h, at);
      lastC.set(c, at);
    }
  }
  const state = [
    denseOf(x.type, layout.stateDims, lastH),
    denseOf(x.type, layout.stateDims, lastC),
  ];
  return [denseOf(x.type, layout.yDims, y), ...state.slice(0, initialCell > 0 ? 2 : 1)];
}

/** Gates i, o, f, c; peepholes i, o, f. */
const lstmCell: Cell = (
  { activations: [f, g, h], hidden, attributes, ...step },
  hBefore,
  cBefore,
) => {
  const gate = (index: number, unit: number) =>
    step.fromInput(index, unit) + step.fromState(index, unit) + step.recurrentBias(index, unit);
  const hAfter = new Float64Array(hidden);
  const cAfter = new Float64Array(hidden);
  if (f === undefined || g === undefined || h === undefined) return { h: hBefore, c: cBefore };
  const coupled = attributes.int("input_forget", 0) !== 0;
  for (let j = 0; j < hidden; j += 1) {
    const old = cBefore[j] ?? 0;
    const input = f(step.clip(gate(0, j) + step.peephole(0, j) * old));
    const forget = coupled ? 1 - input : f(step.clip(gate(2, j) + step.peephole(2, j) * old));
    const cell = forget * old + input * g(step.clip(gate(3, j)));
    cAfter[j] = cell;
    hAfter[j] = f(step.clip(gate(1, j) + step.peephole(1, j) * cell)) * h(cell);
  }
  return { h: hAfter, c: cAfter };
};

/** Gates z, r, h. */
const gruCell: Cell = ({ activations: [f, g], hidden, attributes, ...step }, before, c) => {
  if (f === undefined || g === undefined) return { h: before, c };
  const gate = (index: number, unit: number) =>
    f(
      step.clip(
        step.fromInput(index, unit) + step.fromState(index, unit) + step.recurrentBias(index, unit),
      ),
    );
  const reset = Float64Array.from({ length: hidden }, (_, j) => gate(1, j));
  const remembered = before.map((value, j) => value * (reset[j] ?? 0));
  const afterwards = attributes.int("linear_before_reset", 0) !== 0;
  const h = Float64Array.from({ length: hidden }, (_, j) => {
    const recurrent = afterwards
      ? (reset[j] ?? 0) * (step.fromState(2, j) + step.recurrentBias(2, j))
      : step.fromState(2, j, remembered) + step.recurrentBias(2, j);
    const update = gate(0, j);
    return (
      (1 - update) * g(step.clip(step.fromInput(2, j) + recurrent)) + update * (before[j] ?? 0)
    );
  });
  return { h, c };
};

const rnnCell: Cell = ({ activations: [f], hidden, ...step }, before, c) => {
  if (f === undefined) return { h: before, c };
  const h = Float64Array.from({ length: hidden }, (_, j) =>
    f(step.clip(step.fromInput(0, j) + step.fromState(0, j) + step.recurrentBias(0, j))),
  );
  return { h, c };
};

export const recurrentReferences: Some<typeof recurrentSchemas, Evaluation> = {
  LSTM: (context) => run(context, 4, ["Sigmoid", "Tanh", "Tanh"], lstmCell, 6),
  GRU: (context) => run(context, 3, ["Sigmoid", "Tanh"], gruCell, 0),
  RNN: (context) => run(context, 1, ["Tanh"], rnnCell, 0),
};
