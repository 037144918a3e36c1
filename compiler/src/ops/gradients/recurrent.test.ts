import { describe, expect, it } from "vitest";
import { attribute, type Attributes, Tensor } from "../../ir/index.js";
import {
  type Case,
  checkGradients,
  checkOutputs,
  floatsOf,
  load,
  samplesOf,
  together,
  withGradients,
} from "../../train/gradient-check.test.support.js";
import { only } from "./case.test.support.js";

const { int, string, float } = attribute;
const gates = { LSTM: 4, GRU: 3, RNN: 1 };
type Op = keyof typeof gates;

interface Options {
  readonly directions?: number;
  readonly attributes?: Attributes;
  readonly lengths?: readonly number[];
  readonly states?: boolean;
  readonly peepholes?: boolean;
  readonly layout?: number;
}

const [steps, batch, width, hidden] = [3, 2, 4, 3];

/** X, W, R, B, the states that it begins with, and peepholes. */
function shapesOf(
  op: Op,
  { directions = 1, states = true, peepholes = false, layout = 0 }: Options,
) {
  const size = gates[op] * hidden;
  const state = layout === 0 ? [directions, batch, hidden] : [batch, directions, hidden];
  return [
    layout === 0 ? [steps, batch, width] : [batch, steps, width],
    [directions, size, width],
    [directions, size, hidden],
    [directions, 2 * size],
    ...(states ? [state] : []),
    ...(states && op === "LSTM" ? [state] : []),
    ...(peepholes ? [[directions, 3 * hidden]] : []),
  ];
}

function build(op: Op, options: Options): Case["build"] {
  const { directions = 1, attributes = {}, lengths, states = true, layout = 0 } = options;
  return ([x, w, r, b, h, c, p], { editor, many }) => {
    const sequence =
      lengths === undefined
        ? null
        : editor.constant(
            "lengths",
            Tensor.of("int32", [lengths.length], Int32Array.from(lengths)),
          );
    const begin = states ? [only(h), ...(op === "LSTM" ? [only(c)] : [])] : [];
    const inputs = [only(x), only(w), only(r), only(b), sequence, ...begin, ...(p ? [p] : [])];
    return many(op, op === "LSTM" ? 3 : 2, inputs, {
      hidden_size: int(hidden),
      ...(directions === 2 && { direction: string("bidirectional") }),
      ...(layout !== 0 && { layout: int(layout) }),
      ...attributes,
    });
  };
}

const kinds: readonly (readonly [name: string, op: Op, options: Options])[] = [
  ["LSTM", "LSTM", {}],
  ["LSTM without states", "LSTM", { states: false }],
  ["LSTM of both directions", "LSTM", { directions: 2 }],
  [
    "LSTM backwards, of sequences that end",
    "LSTM",
    { attributes: { direction: string("reverse") }, lengths: [2, 3] },
  ],
  ["LSTM with peepholes", "LSTM", { peepholes: true }],
  ["LSTM with a limit", "LSTM", { attributes: { clip: float(5) } }],
  ["LSTM of both directions, of sequences that end", "LSTM", { directions: 2, lengths: [3, 1] }],
  ["GRU", "GRU", {}],
  ["GRU, linear before reset", "GRU", { attributes: { linear_before_reset: int(1) } }],
  ["GRU of both directions, of sequences that end", "GRU", { directions: 2, lengths: [1, 3] }],
  ["RNN", "RNN", {}],
  ["RNN backwards", "RNN", { attributes: { direction: string("reverse") } }],
];

const cases = kinds.map(([name, op, options]): Case => ({
  name,
  shapes: shapesOf(op, options),
  build: build(op, options),
  values: "small",
}));

checkGradients("gradients of recurrent operators", cases);
checkOutputs("recurrent operators give with gradients what they give without", cases);

describe("recurrent operators that are unrolled", () => {
  it("compute what they computed", async () => {
    const graph = together(cases);
    const samples = samplesOf(graph, cases);
    const outputs = graph.main.outputs.map((id) => graph.value(id).name);
    const before = await load(graph);
    const expected = await before.run(samples);
    await before.dispose();
    withGradients(graph, "cpu");
    const ops = [...graph.allNodes()].map((node) => node.op);
    for (const op of Object.keys(gates)) expect(ops).not.toContain(op);
    const after = await load(graph);
    const found = await after.run(samplesOf(graph, cases));
    await after.dispose();
    expect(outputs.length).toBe(31);
    for (const name of outputs) {
      const numbers = floatsOf(found[name]);
      const wrong = floatsOf(expected[name]).findIndex(
        (value, i) => !(Math.abs(value - (numbers[i] ?? NaN)) < 1e-5),
      );
      expect(wrong, name).toBe(-1);
    }
  });
});
