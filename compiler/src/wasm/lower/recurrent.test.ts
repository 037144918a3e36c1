import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { type Attribute, attribute, Tensor } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { planOf } from "../compile.js";
import { compare } from "../run-model.test.support.js";

const size = (min: number, max: number) => fc.integer({ min, max });

/** How many gates each has. */
const cells = { LSTM: 4, GRU: 3, RNN: 1 } as const;

const itsOwn = { LSTM: ["Sigmoid", "Tanh", "Tanh"], GRU: ["Sigmoid", "Tanh"], RNN: ["Tanh"] };
const others = {
  LSTM: ["HardSigmoid", "Relu", "Softsign"],
  GRU: ["HardSigmoid", "Relu"],
  RNN: ["Relu"],
};

it("runs cells over time: both directions, batches, states and lengths given and not", async () => {
  const problem = fc.record({
    op: fc.constantFrom("LSTM", "GRU", "RNN"),
    steps: size(1, 4),
    batch: size(1, 3),
    width: size(1, 7),
    hidden: size(1, 10),
    direction: fc.constantFrom("forward", "reverse", "bidirectional"),
    bias: fc.boolean(),
    state: fc.boolean(),
    outputs: size(1, 3),
    resetsProduct: size(0, 1),
    says: fc.constantFrom("nothing", "its own", "others"),
    filled: fc.boolean(),
    lengths: fc.boolean(),
    longest: size(0, 4),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ op, steps, batch, width, hidden, direction, ...p }) => {
      const directions = direction === "bidirectional" ? 2 : 1;
      const state = ["float32", directions, batch, hidden] as const;
      const gates = cells[op];
      const isLstm = op === "LSTM";
      const names = p.says === "its own" ? itsOwn[op] : others[op];
      const takesNumbers = names.includes("HardSigmoid");
      const twice = <T>(one: readonly T[]): readonly T[] => directions === 2 ? [...one, ...one] : one; // prettier-ignore
      const said: Readonly<Record<string, Attribute>> =
        p.says === "nothing"
          ? {}
          : {
              activations: { type: "strings", value: twice(names) },
              ...(takesNumbers && {
                activation_alpha: attribute.floats(twice([0.25])),
                activation_beta: attribute.floats(twice([0.4])),
              }),
            };
      const reset = { linear_before_reset: attribute.int(p.resetsProduct) };
      const graph = graphOf(
        { x: ["float32", steps, batch, width], h: state, c: state, lengths: ["int32", batch] },
        (input, b) => {
          const hiddenState = p.filled
            ? b.add("ConstantOfShape", [b.ints([directions, batch, hidden])])
            : input("h");
          const lengths = p.lengths ? input("lengths") : null;
          const states = isLstm ? [hiddenState, input("c")] : [hiddenState];
          const found = b.many(
            op,
            Math.min(p.outputs, isLstm ? 3 : 2),
            [
              input("x"),
              b.weights(directions, gates * hidden, width),
              b.weights(directions, gates * hidden, hidden),
              p.bias ? b.weights(directions, 2 * gates * hidden) : null,
              ...(p.state ? [lengths, ...states] : [lengths]),
            ],
            {
              hidden_size: attribute.int(hidden),
              direction: attribute.string(direction),
              ...(op === "GRU" && reset),
              ...said,
            },
          );
          return Object.fromEntries(found.map((id, at) => [`y${at}`, id]));
        },
      );
      const options = {
        poisoned: true,
        reference: true,
        integers: [0, Math.min(p.longest, steps)],
      } as const;
      expect(await compare(graph, options)).toBeLessThan(2e-5);
    }),
    { numRuns: cases(150) },
  );
});

it("refuses cells of integers: only lengths are", async () => {
  const graph = graphOf({ x: ["int32", 2, 1, 3] }, (input, b) => {
    const weights = [3, 4].map((depth) =>
      b.editor.constant("w", Tensor.of("int32", [1, 4, depth], new Int32Array(4 * depth))),
    );
    const hidden = { hidden_size: attribute.int(4) };
    return { y: b.many("RNN", 1, [input("x"), ...weights], hidden)[0] ?? input("x") };
  });
  await expect(planOf(graph)).rejects.toMatchObject({
    code: "UNSUPPORTED_OP",
    message: expect.stringContaining("it computes with int32"),
  });
});
