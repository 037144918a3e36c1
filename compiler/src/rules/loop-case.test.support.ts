import {
  attribute,
  type Attributes,
  dim,
  type Graph,
  Tensor,
  tensorType,
  type ValueId,
} from "../ir/index.js";
import { type Builder, type Declared, graphOf } from "./rule-case.test.support.js";

/** What is seen from within a loop. */
export interface Round {
  readonly number: ValueId;
  /** Counts in int32 from 0 on, as tf2onnx does beside the number. */
  readonly count: ValueId;
  carried(at: number): ValueId;
  add(op: string, inputs: readonly (ValueId | null)[], attributes?: Attributes): ValueId;
  split(x: ValueId, parts: number, axis?: number): readonly ValueId[];
  constant(tensor: Tensor): ValueId;
  float(value: number): ValueId;
}

export interface LoopOptions {
  /** What is carried, and with which types a body says to be given it. */
  readonly carried: readonly (readonly [ValueId, Declared])[];
  readonly most: number | { readonly size: ValueId };
  /** Whether it goes on after a round; where not given it counts to `most`, as Keras asks for it twice. */
  readonly goesOn?: (round: Round, most: ValueId) => ValueId;
}

/** A Loop; gives what is carried at the end, the count before the others, and then what is kept of each round. */
export function looping(
  b: Builder,
  { carried, most, goesOn = countsTo }: LoopOptions,
  build: (round: Round) => {
    readonly next: readonly ValueId[];
    readonly kept?: readonly ValueId[];
  },
): readonly ValueId[] {
  const { editor } = b;
  const body = editor.addBody("loop");
  const input = (name: string, [dtype, ...dims]: Declared): ValueId =>
    editor.addInput(
      name,
      tensorType(
        dtype,
        dims.map((size) => (typeof size === "string" ? dim.symbol(size) : size)),
      ),
      body,
    );
  const number = input("number", ["int64"]);
  input("goes", ["bool"]);
  const count = input("count", ["int32"]);
  const own = carried.map(([, declared], at) => input(`c${at}`, declared));
  const add: Round["add"] = (op, inputs, attributes = {}) =>
    editor.add1(op, inputs, attributes, { body });
  const constant = (tensor: Tensor): ValueId => editor.constant("k", tensor, body);
  const round: Round = {
    number,
    count,
    carried: (at) => present(own[at]),
    add,
    split: (x, parts, axis = 1) =>
      editor.add("Split", [x], { axis: attribute.int(axis), num_outputs: attribute.int(parts) }, { body, outputs: parts }), // prettier-ignore
    constant,
    float: (value) => constant(Tensor.float32([], [value])),
  };
  const limit = typeof most === "number" ? b.ints([most], []) : most.size;
  const { next, kept = [] } = build(round);
  const counted = add("Add", [count, constant(scalar(1))]);
  const results = [goesOn({ ...round, count: counted }, limit), counted, ...next, ...kept];
  for (const id of results) editor.addOutput(add("Identity", [id]), body);
  const inits = [
    limit,
    truth(b),
    editor.constant("count", scalar(0)),
    ...carried.map(([id]) => id),
  ];
  return b.many("Loop", results.length - 1, inits, { body: attribute.graph(body) });
}

const scalar = (value: number): Tensor => Tensor.of("int32", [], Int32Array.of(value));

function truth({ editor }: Builder): ValueId {
  return editor.constant("yes", Tensor.of("bool", [], Uint8Array.of(1)));
}

/** number < most and count < most, in floats. */
function countsTo(round: Round, most: ValueId): ValueId {
  const float = (id: ValueId): ValueId => round.add("Cast", [id], { to: attribute.int(1) });
  const less = (id: ValueId): ValueId => round.add("Less", [float(id), float(most)]);
  return round.add("And", [less(round.number), less(round.count)]);
}

export function present(id: ValueId | undefined): ValueId {
  if (id === undefined) throw new Error("there is no such value");
  return id;
}

/** The first size of a value, as a scalar. */
export function timeOf(b: Builder, x: ValueId): ValueId {
  return b.add("Squeeze", [b.add("Shape", [x], { end: attribute.int(1) })]);
}

/** x [time, batch, width] and a state, in a loop over time; gives the last state, and all. */
export function overTime(
  cell: (round: Round, x: ValueId, h: ValueId) => ValueId,
  time: number | "T" = 5,
  more: Partial<LoopOptions> = {},
  hidden = 4,
): Graph {
  return graphOf({ x: ["float32", time, 2, 3], h: ["float32", 2, hidden] }, (input, b) => {
    const most = typeof time === "number" ? time : { size: timeOf(b, input("x")) };
    const all = looping(
      b,
      { carried: [[input("h"), ["float32", 2, hidden]]], most, ...more },
      (round) => {
        const row = round.add("Gather", [input("x"), round.count], { axis: attribute.int(0) });
        const next = cell(round, row, round.carried(0));
        return { next: [next], kept: [next] };
      },
    );
    return { last: b.add("Neg", [present(all[1])]), all: b.add("Neg", [present(all[2])]) };
  });
}
