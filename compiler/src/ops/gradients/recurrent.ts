import type { ValueId } from "../../ir/index.js";
import type { Some } from "../schema/cells.js";
import type { recurrentSchemas } from "../schema/recurrent.js";
import { directionsOf } from "../families/recurrent.js";
import type { Emitter } from "./emitter.js";
import type { Forward } from "./forward.js";
import type { Gradient } from "./gradient.js";

/** Each step becomes some twenty nodes. */
const mostSteps = 1024;

type Apply = (x: ValueId) => ValueId;

/** One direction of a recurrent operator: its weights, and what its steps share. */
interface Direction {
  readonly emit: Emitter;
  readonly forward: Forward;
  /** X · Wᵀ + the biases of the input, for each step [N, gates · H]. */
  readonly fromInput: readonly ValueId[];
  /** [H, gates · H] */
  readonly recurrent: ValueId;
  /** [gates · H], or undefined. */
  readonly recurrentBias: ValueId | undefined;
  readonly hidden: number;
  readonly functions: readonly Apply[];
  readonly clip: Apply;
  readonly peepholes: readonly (ValueId | undefined)[];
}

interface State {
  readonly h: ValueId;
  readonly c: ValueId;
}

interface Cell {
  readonly gates: number;
  readonly functions: readonly string[];
  /** The input of the cell state's begin; undefined where there is none. */
  readonly cellState: number | undefined;
  readonly step: (direction: Direction, fromInput: ValueId, state: State) => State;
}

function gatesOf({ emit, hidden }: Direction, all: ValueId): readonly ValueId[] {
  const count = (emit.shape(all)[1] ?? 0) / hidden;
  return emit.split(
    all,
    1,
    Array.from({ length: count }, () => hidden),
  );
}

/** a · H + bias, the state's part in the gates. */
function fromState(direction: Direction, h: ValueId): ValueId {
  const { emit, recurrent, recurrentBias } = direction;
  const product = emit.node("MatMul", [h, recurrent]);
  return recurrentBias === undefined ? product : emit.add(product, recurrentBias);
}

/** Gates i, o, f, c; peepholes i, o, f. */
function lstmStep(direction: Direction, fromInput: ValueId, { h, c }: State): State {
  const { emit, forward, functions, clip, peepholes } = direction;
  const [f, g, last] = functions;
  const gates = gatesOf(direction, emit.add(fromInput, fromState(direction, h)));
  const [i, o, forget, candidate] = gates;
  if (!f || !g || !last || !i || !o || !forget || !candidate)
    throw forward.unsupported("it is not whole");
  const peeped = (gate: ValueId, at: number, cell: ValueId): ValueId => {
    const weights = peepholes[at];
    return weights === undefined ? gate : emit.add(gate, emit.multiply(weights, cell));
  };
  const input = f(clip(peeped(i, 0, c)));
  const kept =
    forward.attributes.int("input_forget", 0) === 0
      ? f(clip(peeped(forget, 2, c)))
      : emit.subtract(emit.scalar(1, input), input);
  const cell = emit.add(emit.multiply(kept, c), emit.multiply(input, g(clip(candidate))));
  return { h: emit.multiply(f(clip(peeped(o, 1, cell))), last(cell)), c: cell };
}

/** Gates z, r, h. */
function gruStep(direction: Direction, fromInput: ValueId, { h }: State): State {
  const { emit, forward, functions, clip, hidden } = direction;
  const [f, g] = functions;
  const [inputZ, inputR, inputH] = gatesOf(direction, fromInput);
  const [weightsZR, weightsH] = emit.split(direction.recurrent, 1, [2 * hidden, hidden]);
  if (!f || !g || !inputZ || !inputR || !inputH || !weightsZR || !weightsH)
    throw forward.unsupported("it is not whole");
  const [biasZR, biasH] =
    direction.recurrentBias === undefined
      ? []
      : emit.split(direction.recurrentBias, 0, [2 * hidden, hidden]);
  const part = (state: ValueId, recurrent: ValueId, recurrentBias: ValueId | undefined) =>
    fromState({ ...direction, recurrent, recurrentBias }, state);
  const [stateZ, stateR] = gatesOf(direction, part(h, weightsZR, biasZR));
  if (!stateZ || !stateR) throw forward.unsupported("it is not whole");
  const update = f(clip(emit.add(inputZ, stateZ)));
  const reset = f(clip(emit.add(inputR, stateR)));
  const remembered =
    forward.attributes.int("linear_before_reset", 0) === 0
      ? part(emit.multiply(reset, h), weightsH, biasH)
      : emit.multiply(reset, part(h, weightsH, biasH));
  const next = g(clip(emit.add(inputH, remembered)));
  // (1 − z) · next + z · h
  const after = emit.add(next, emit.multiply(update, emit.subtract(h, next)));
  return { h: after, c: after };
}

function rnnStep(direction: Direction, fromInput: ValueId, { h }: State): State {
  const { emit, forward, functions, clip } = direction;
  const [f] = functions;
  if (!f) throw forward.unsupported("it is not whole");
  const after = f(clip(emit.add(fromInput, fromState(direction, h))));
  return { h: after, c: after };
}

/** The functions that gates go through, by name; of those with parameters, those with their defaults. */
function functionsOf(forward: Forward, directions: number, cell: Cell): readonly Apply[] {
  const given = forward.attributes.get("activations");
  const names =
    given?.type === "strings"
      ? given.value.map(String)
      : Array.from({ length: directions }, () => cell.functions).flat();
  const parameters = ["activation_alpha", "activation_beta"].some((name) =>
    forward.attributes.has(name),
  );
  return names.map((name) => {
    const known = ["Sigmoid", "Tanh", "Relu", "Softsign", "Softplus"].find(
      (op) => op.toLowerCase() === name.toLowerCase(),
    );
    if (known === undefined || parameters)
      throw forward.unsupported(`its activation ${name} is not one that is unrolled`);
    return (x) => forward.emit.node(known, [x]);
  });
}

/** Written out step by step, in both directions; sequences that end earlier keep their state. */
function unrolled(forward: Forward, cell: Cell): readonly (ValueId | null)[] {
  const { emit, attributes } = forward;
  const batchFirst = attributes.int("layout", 0) === 1;
  const recurrent = forward.input(2);
  const given = forward.input(0);
  const x = batchFirst ? emit.transpose(given, [1, 0, 2]) : given;
  const [steps = 0, batch = 1, width = 1] = emit.shape(x);
  const [directions = 1, , hidden = 1] = emit.shape(recurrent);
  if (directions !== directionsOf(attributes)) throw forward.unsupported("it is not whole");
  if (steps > mostSteps) throw forward.unsupported(`it would be unrolled over ${steps} steps`);
  const size = cell.gates * hidden;
  const ofEach = (index: number, dims: readonly number[]): readonly (ValueId | undefined)[] =>
    forward.has(index)
      ? emit
          .split(
            forward.input(index),
            0,
            Array.from({ length: directions }, () => 1),
          )
          .map((part) => emit.reshape(part, dims))
      : [];
  const begin = (index: number): readonly ValueId[] => {
    const zeros = () => emit.zeros([batch, hidden], x);
    if (!forward.has(index)) return Array.from({ length: directions }, zeros);
    const states = forward.input(index);
    const turned = batchFirst ? emit.transpose(states, [1, 0, 2]) : states;
    return emit
      .split(
        turned,
        0,
        Array.from({ length: directions }, () => 1),
      )
      .map((part) => emit.reshape(part, [batch, hidden]));
  };
  const functions = functionsOf(forward, directions, cell);
  const limit = attributes.float("clip");
  const clip: Apply = (value) =>
    limit === undefined
      ? value
      : emit.node("Clip", [value, emit.scalar(-limit, value), emit.scalar(limit, value)]);
  const inputWeights = ofEach(1, [size, width]);
  const stateWeights = ofEach(2, [size, hidden]);
  const biases = ofEach(3, [2 * size]);
  const peepholes = ofEach(7, [3 * hidden]);
  const firstH = begin(5);
  const firstC = cell.cellState === undefined ? firstH : begin(cell.cellState);
  const lengths = forward.has(4) ? emit.reshape(forward.input(4), [batch, 1]) : undefined;
  const runs = Array.from({ length: directions }, (_, at) => {
    const [w, r, h, c] = [inputWeights[at], stateWeights[at], firstH[at], firstC[at]];
    if (!w || !r || !h || !c) throw forward.unsupported("it is not whole");
    const bias = biases[at];
    const [inputBias, recurrentBias] = bias === undefined ? [] : emit.split(bias, 0, [size, size]);
    // One product for all steps.
    const rows = emit.reshape(x, [steps * batch, width]);
    const product = emit.node("MatMul", [rows, emit.swap(w)]);
    const biased = inputBias === undefined ? product : emit.add(product, inputBias);
    const peeped = peepholes[at];
    const direction: Direction = {
      emit,
      forward,
      fromInput: emit.split(
        biased,
        0,
        Array.from({ length: steps }, () => batch),
      ),
      recurrent: emit.swap(r),
      recurrentBias,
      hidden,
      functions: functions.slice(at * cell.functions.length, (at + 1) * cell.functions.length),
      clip,
      peepholes: peeped === undefined ? [] : emit.split(peeped, 0, [hidden, hidden, hidden]),
    };
    const backwards = attributes.string("direction", "forward") === "reverse" || at === 1;
    return run(direction, cell, { h, c }, lengths, backwards);
  });
  return outputs(forward, runs, batchFirst, cell.cellState !== undefined);
}

interface Run {
  /** By time, whatever the direction. */
  readonly states: readonly ValueId[];
  readonly last: State;
}

function run(
  direction: Direction,
  cell: Cell,
  first: State,
  lengths: ValueId | undefined,
  backwards: boolean,
): Run {
  const { emit, fromInput } = direction;
  const states: ValueId[] = [];
  let state = first;
  for (let step = 0; step < fromInput.length; step += 1) {
    const time = backwards ? fromInput.length - 1 - step : step;
    const input = fromInput[time];
    if (input === undefined) continue;
    const next = cell.step(direction, input, state);
    if (lengths === undefined) {
      state = next;
      states[time] = next.h;
      continue;
    }
    const lasts = emit.node("Greater", [lengths, emit.cast(emit.integers([time]), "int32")]);
    const h = emit.where(lasts, next.h, state.h);
    state = { h, c: next.c === next.h ? h : emit.where(lasts, next.c, state.c) };
    states[time] = emit.where(lasts, next.h, emit.scalar(0, next.h));
  }
  return { states, last: state };
}

/** Y, Y_h and Y_c in the operator's layout. */
function outputs(
  { emit, node }: Forward,
  runs: readonly Run[],
  batchFirst: boolean,
  hasCell: boolean,
): readonly (ValueId | null)[] {
  const stacked = (
    values: readonly ValueId[],
    axis: number,
    make: (dims: readonly number[]) => readonly number[],
  ) =>
    emit.concat(
      values.map((value) => emit.reshape(value, make(emit.shape(value)))),
      axis,
    );
  const y = () => {
    const byDirection = runs.map(({ states }) => stacked(states, 0, (dims) => [1, 1, ...dims]));
    const all = emit.concat(byDirection, 1);
    return batchFirst ? emit.transpose(all, [2, 0, 1, 3]) : all;
  };
  const lasts = (of: (state: State) => ValueId) => {
    const all = stacked(
      runs.map(({ last }) => of(last)),
      0,
      (dims) => [1, ...dims],
    );
    return batchFirst ? emit.transpose(all, [1, 0, 2]) : all;
  };
  const made = [y, () => lasts(({ h }) => h), ...(hasCell ? [() => lasts(({ c }) => c)] : [])];
  return made.map((make, index) => ((node.outputs[index] ?? null) === null ? null : make()));
}

const cells = {
  LSTM: { gates: 4, functions: ["Sigmoid", "Tanh", "Tanh"], cellState: 6, step: lstmStep },
  GRU: { gates: 3, functions: ["Sigmoid", "Tanh"], cellState: undefined, step: gruStep },
  RNN: { gates: 1, functions: ["Tanh"], cellState: undefined, step: rnnStep },
} satisfies Readonly<Record<string, Cell>>;

export const recurrentGradients: Some<typeof recurrentSchemas, Gradient> = {
  LSTM: { lower: (forward) => unrolled(forward, cells.LSTM) },
  GRU: { lower: (forward) => unrolled(forward, cells.GRU) },
  RNN: { lower: (forward) => unrolled(forward, cells.RNN) },
};
