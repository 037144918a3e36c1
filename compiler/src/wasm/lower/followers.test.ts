import { expect, it } from "vitest";
import { attribute, type Graph, Tensor, type ValueId } from "../../ir/index.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { planOf } from "../compile.js";
import { compare } from "../run-model.test.support.js";

const checked = { poisoned: true, reference: true } as const;

it("takes in no function whose constant adds axes to its result", async () => {
  const after: readonly ((b: Builder, x: ValueId) => ValueId)[] = [
    (b, x) => b.add("MatMul", [x, b.weights(4, 3)]),
    (b, x) => b.add("Relu", [x]),
  ];
  for (const made of after)
    for (const op of ["Mul", "Add", "Sub", "Div", "Pow"]) {
      const graph = graphOf({ x: ["float32", 2, 4] }, (input, b) => {
        const y = b.add(op, [made(b, input("x")), b.floats([2], [1, 1, 1])]);
        return { y: b.add("Tanh", [y]) };
      });
      expect(await compare(graph, checked)).toBeLessThan(2e-5);
    }
});

it("takes in a few of a long chain, which else were written again for each accumulator", async () => {
  const chain = (length: number): Graph =>
    graphOf({ x: ["float32", 4, 8] }, (input, b) => {
      let y = b.add("MatMul", [input("x"), b.weights(8, 16)]);
      for (let at = 0; at < length; at++) y = b.add(at % 2 === 0 ? "Tanh" : "Sin", [y]);
      return { y };
    });
  expect(await compare(chain(30), checked)).toBeLessThan(2e-5);
  const [some, all] = [await planOf(chain(40)), await planOf(chain(80))];
  expect(all.steps.length).toBeGreaterThan(some.steps.length);
});

it("makes a table of bytes of no function whose constant adds axes to its result", async () => {
  const graph = graphOf({ x: ["float32", 2, 4] }, (input, b) => {
    const steps = [
      b.floats([0.02], []),
      b.editor.constant("zero", Tensor.of("uint8", [], Uint8Array.of(100))),
    ];
    const bytes = b.add("QuantizeLinear", [input("x"), ...steps]);
    const numbers = b.add("DequantizeLinear", [bytes, ...steps]);
    const wider = b.add("Mul", [numbers, b.floats([0.5], [1, 1, 1])]);
    const again = b.add("QuantizeLinear", [wider, ...steps]);
    return { y: b.add("DequantizeLinear", [again, ...steps]), n: b.add("Neg", [numbers]) };
  });
  expect(await compare(graph, checked)).toBeLessThan(2e-5);
});

/** What gives no number, or infinity, for the zeros that pad lanes. */
const chains: Readonly<Record<string, (b: Builder, x: ValueId) => ValueId>> = {
  acosh: (b, x) => b.add("Acosh", [b.add("Add", [b.add("Abs", [x]), b.floats([1.5], [])])]),
  ofExponential(b, x) {
    const power = b.add("Exp", [b.add("Abs", [x])]);
    const less = b.add("Sub", [b.add("Add", [power, b.floats([1.5], [])]), b.floats([2], [])]);
    return b.add("Sqrt", [less]);
  },
  joined(b, x) {
    const line = b.add("Sub", [b.add("Abs", [x]), b.floats([0.5], [])]);
    return b.add("Sqrt", [b.add("Abs", [b.add("Log", [b.add("Add", [line, b.floats([1], [])])])])]);
  },
};

it.each(Object.keys(chains))("keeps lanes that pad finite behind %s", async (kind) => {
  const graph = graphOf({ x: ["float32", 1, 3, 5, 5] }, (input, b) => {
    // Biases alone make it a number: lanes that pad have none.
    const bias = b.floats(
      Array.from({ length: 10 }, () => 4),
      [10],
    );
    const y = b.add("Conv", [input("x"), b.weights(10, 3, 1, 1), bias]);
    const made = chains[kind]?.(b, y) ?? y;
    const plain = b.add("Acosh", [b.add("Conv", [input("x"), b.weights(10, 3, 1, 1), bias])]);
    const weights = () => b.weights(4, 10, 3, 3);
    return { y: b.add("Conv", [made, weights()]), z: b.add("Conv", [plain, weights()]) };
  });
  expect(await compare(graph, checked)).toBeLessThan(2e-5);
});

// Lanes that pad hold the offset where the two are joined; what is computed is near 0 for each of the functions.
it.each([
  ["Sqrt", -1, 4],
  ["Exp", 100, -50],
  ["Sinh", 100, -50],
  ["Cosh", 100, -50],
])(
  "keeps lanes that pad finite behind what another tensor is joined into: %s",
  async (op, offset, bias) => {
    const graph = graphOf({ x: ["float32", 1, 3, 5, 5] }, (input, b) => {
      const convolved = () => {
        const biases = b.floats(
          Array.from({ length: 10 }, () => bias),
          [10],
        );
        return b.add("Conv", [input("x"), b.weights(10, 3, 1, 1), biases]);
      };
      const moved = b.add("Add", [convolved(), b.floats([offset], [])]);
      const root = b.add(op, [b.add("Add", [convolved(), moved])]);
      return { y: b.add("Conv", [root, b.weights(4, 10, 3, 3)]) };
    });
    expect(await compare(graph, checked)).toBeLessThan(2e-5);
  },
);

it("keeps lanes that pad finite in a sum's logarithm", async () => {
  const graph = graphOf({ x: ["float32", 1, 3, 5, 5] }, (input, b) => {
    const bias = b.floats(
      Array.from({ length: 10 }, () => 4),
      [10],
    );
    const y = b.add("Conv", [input("x"), b.weights(10, 3, 1, 1), bias]);
    const sum = b.add("ReduceLogSum", [y, b.ints([2])]);
    const pads = { pads: attribute.ints([1, 1, 1, 1]) };
    return {
      y: b.add("Conv", [sum, b.weights(4, 10, 1, 3)]),
      z: b.add("Conv", [sum, b.weights(4, 10, 3, 3)], pads),
    };
  });
  expect(await compare(graph, checked)).toBeLessThan(2e-5);
});
