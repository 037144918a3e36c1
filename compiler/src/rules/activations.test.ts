import type { Dtype } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { Tensor, type ValueId } from "../ir/index.js";
import { activations } from "./activations.js";
import { clips } from "./clips.js";
import { recoverLayerNorm } from "./layer-norm.js";
import { sigmoids } from "./sigmoids.js";
import { apply, type Builder, either, graphOf } from "./rule-case.test.support.js";

type Build = (x: ValueId, b: Builder) => ValueId;

const gate: Build = (x, b) =>
  b.add("Clip", [b.add("Add", [x, b.floats([3])]), b.floats([0]), b.floats([6])]);
const double = (b: Builder, value: number): ValueId =>
  b.editor.constant("d", Tensor.of("float64", [], Float64Array.of(value)));
const doubleGate: Build = (x, b) =>
  b.add("Clip", [b.add("Add", [x, double(b, 3)]), double(b, 0), double(b, 6)]);
const erfSum: Build = (x, b) =>
  b.add("Add", [b.add("Erf", [b.add("Div", [x, b.floats([Math.SQRT2])])]), b.floats([1])]);
const cube: Build = (x, b) =>
  b.add("Add", [x, b.add("Mul", [b.floats([0.044715]), b.add("Pow", [x, b.floats([3])])])]);
const tanhSum: Build = (x, b) =>
  b.add("Add", [
    b.floats([1]),
    b.add("Tanh", [b.add("Mul", [cube(x, b), b.floats([Math.sqrt(2 / Math.PI)])])]),
  ]);

function single(build: Build) {
  return graphOf({ x: ["float32", "N", 5] }, (x, b) => ({ y: build(x("x"), b) }));
}

describe("activations are recovered", () => {
  it.each<[string, string[], Build]>([
    [
      "x · gate / 6",
      ["HardSwish"],
      (x, b) => b.add("Div", [b.add("Mul", [x, gate(x, b)]), b.floats([6])]),
    ],
    [
      "(gate / 6) · x",
      ["HardSwish"],
      (x, b) => b.add("Mul", [b.add("Div", [gate(x, b), b.floats([6])]), x]),
    ],
    [
      "x · (gate · 1/6)",
      ["HardSwish"],
      (x, b) => b.add("Mul", [x, b.add("Mul", [gate(x, b), b.floats([1 / 6])])]),
    ],
    [
      "(x / 6) · gate",
      ["HardSwish"],
      (x, b) => b.add("Mul", [b.add("Div", [x, b.floats([6])]), gate(x, b)]),
    ],
    ["gate / 6", ["HardSigmoid"], (x, b) => b.add("Div", [gate(x, b), b.floats([6])])],
    [
      "½ x (1 + erf)",
      ["Gelu"],
      (x, b) => b.add("Mul", [b.add("Mul", [b.floats([0.5]), x]), erfSum(x, b)]),
    ],
    [
      "x (1 + erf) / 2",
      ["Gelu"],
      (x, b) => b.add("Div", [b.add("Mul", [erfSum(x, b), x]), b.floats([2])]),
    ],
    [
      "x (½ (1 + erf))",
      ["Gelu"],
      (x, b) => b.add("Mul", [x, b.add("Mul", [erfSum(x, b), b.floats([0.5])])]),
    ],
    [
      "½ x (1 + tanh)",
      ["Gelu"],
      (x, b) => b.add("Mul", [b.add("Mul", [x, b.floats([0.5])]), tanhSum(x, b)]),
    ],
  ])("%s", async (_, expected, build) => {
    expect((await apply(activations, single(build))).ops).toEqual(expected);
  });

  it.each<[string, Build]>([
    ["divided by 5", (x, b) => b.add("Div", [b.add("Mul", [x, gate(x, b)]), b.floats([5])])],
    [
      "gated by another value",
      (x, b) => b.add("Div", [b.add("Mul", [b.add("Relu", [x]), gate(x, b)]), b.floats([6])]),
    ],
    [
      "a third of x (1 + erf)",
      (x, b) => b.add("Div", [b.add("Mul", [erfSum(x, b), x]), b.floats([3])]),
    ],
  ])("leaves what is %s", async (_, build) => {
    const { ops } = await apply(activations, single(build));
    expect(ops).not.toContain("HardSwish");
    expect(ops).not.toContain("Gelu");
  });

  it.each<[string, Dtype, Build]>([
    [
      "a HardSwish of doubles",
      "float64",
      (x, b) => b.add("Div", [b.add("Mul", [x, doubleGate(x, b)]), double(b, 6)]),
    ],
    [
      "a HardSigmoid of doubles",
      "float64",
      (x, b) => b.add("Div", [doubleGate(x, b), double(b, 6)]),
    ],
    [
      "what is none of integers, which are divided in whole numbers",
      "int32",
      (x, b) => {
        const int = (value: number) => b.editor.constant("i", Tensor.of("int32", [], Int32Array.of(value))); // prettier-ignore
        return b.add("Div", [b.add("Clip", [b.add("Add", [x, int(3)]), int(0), int(6)]), int(6)]);
      },
    ],
  ])("leaves %s", async (_, dtype, build) => {
    const graph = graphOf({ x: [dtype, "N", 5] }, (x, b) => ({ y: build(x("x"), b) }));
    const { ops } = await apply(activations, graph);
    expect(ops).toContain("Clip");
  });

  it("leaves a gate that is read elsewhere", async () => {
    const graph = graphOf({ x: ["float32", "N", 5] }, (x, b) => {
      const shared = gate(x("x"), b);
      return {
        y: b.add("Div", [b.add("Mul", [x("x"), shared]), b.floats([6])]),
        z: b.add("Neg", [shared]),
      };
    });
    expect((await apply(activations, graph)).ops).toEqual(["Add", "Clip", "Mul", "Div", "Neg"]);
  });
});

describe("clips", () => {
  it.each<[string, string[], Build]>([
    ["Relu and Clip", ["Clip"], (x, b) => b.add("Clip", [b.add("Relu", [x]), null, b.floats([2])])],
    [
      "Clip and Clip",
      ["Clip"],
      (x, b) =>
        b.add("Clip", [
          b.add("Clip", [x, b.floats([-1]), b.floats([1])]),
          b.floats([0]),
          b.floats([2]),
        ]),
    ],
    ["Clip from 0 up", ["Relu"], (x, b) => b.add("Clip", [x, b.floats([0])])],
    [
      "Clips that leave no bound",
      ["Clip"],
      (x, b) => b.add("Relu", [b.add("Clip", [x, b.floats([-2]), b.floats([2])])]),
    ],
  ])("merges %s", async (_, expected, build) => {
    expect((await apply(clips, single(build))).ops).toEqual(expected);
  });

  it("keeps a bound at the other end of the numbers", async () => {
    const largest = 3.4028234663852886e38;
    for (const [op, bound] of [
      ["Min", -largest],
      ["Max", largest],
      ["Max", -largest],
    ] as const) {
      const build: Build = (x, b) => b.add(op, [x, b.floats([bound])]);
      expect((await apply(clips, single(build))).ops).toEqual(["Clip"]);
    }
  });

  it("leaves bounds that are no numbers", async () => {
    const none = (b: Builder): ValueId => b.floats([Number.NaN]);
    const clipped: Build = (x, b) => b.add("Clip", [b.add("Relu", [x]), b.floats([2]), none(b)]);
    expect((await apply(clips, single(clipped))).ops).toEqual(["Relu", "Clip"]);
    for (const op of ["Min", "Max"])
      expect(
        (
          await apply(
            clips,
            single((x, b) => b.add(op, [x, none(b)])),
          )
        ).ops,
      ).toEqual([op]);
  });

  it("leaves a Clip whose bound is computed", async () => {
    const graph = graphOf({ x: ["float32", "N", 5], m: ["float32"] }, (x, b) => ({
      y: b.add("Clip", [b.add("Relu", [x("x")]), null, x("m")]),
    }));
    expect((await apply(clips, graph)).ops).toEqual(["Relu", "Clip"]);
  });
});

describe("sigmoids", () => {
  const onePlusExp: Build = (x, b) =>
    b.add("Add", [b.floats([1]), b.add("Exp", [b.add("Neg", [x])])]);

  it.each<[string, string[], Build]>([
    ["1 / (1 + e^−x)", ["Sigmoid"], (x, b) => b.add("Div", [b.floats([1]), onePlusExp(x, b)])],
    ["its reciprocal", ["Sigmoid"], (x, b) => b.add("Reciprocal", [onePlusExp(x, b)])],
    ["SiLU", ["Sigmoid", "Mul"], (x, b) => b.add("Div", [x, onePlusExp(x, b)])],
    [
      "clip(x / 6 + ½, 0, 1)",
      ["HardSigmoid"],
      (x, b) =>
        b.add("Clip", [
          b.add("Add", [b.add("Div", [x, b.floats([6])]), b.floats([0.5])]),
          b.floats([0]),
          b.floats([1]),
        ]),
    ],
    [
      "Relu6 as Min and Max, around x + 3",
      ["HardSwish"],
      (x, b) =>
        b.add("Div", [
          b.add("Mul", [
            x,
            b.add("Min", [
              b.add("Max", [b.add("Add", [x, b.floats([3])]), b.floats([0])]),
              b.floats([6]),
            ]),
          ]),
          b.floats([6]),
        ]),
    ],
  ])("%s", async (_, expected, build) => {
    expect((await apply([...clips, ...activations, ...sigmoids], single(build))).ops).toEqual(
      expected,
    );
  });

  it.each<[string, string, Build]>([
    ["2 / (1 + e^−x)", "Div", (x, b) => b.add("Div", [b.floats([2]), onePlusExp(x, b)])],
    [
      "1 / (2 + e^−x)",
      "Div",
      (x, b) =>
        b.add("Div", [
          b.floats([1]),
          b.add("Add", [b.floats([2]), b.add("Exp", [b.add("Neg", [x])])]),
        ]),
    ],
    [
      "another value over 1 + e^−x",
      "Div",
      (x, b) => b.add("Div", [b.add("Relu", [x]), onePlusExp(x, b)]),
    ],
    ["a bound per column", "Min", (x, b) => b.add("Min", [x, b.weights(5)])],
    [
      "a line that is clipped elsewhere",
      "Clip",
      (x, b) => b.add("Clip", [b.add("Add", [x, b.floats([0.5])]), b.floats([0]), b.floats([2])]),
    ],
  ])("leaves %s", async (_, op, build) => {
    expect((await apply([...clips, ...activations, ...sigmoids], single(build))).ops).toContain(op);
  });
});

describe("recover-layer-norm", () => {
  const mean: Build = (x, b) => b.add("ReduceMean", [x, b.ints([-1])]);
  const spread = (d: ValueId, b: Builder) =>
    b.add("Sqrt", [b.add("Add", [mean(b.add("Pow", [d, b.floats([2])]), b), b.floats([1e-5])])]);

  it.each<[string, string[], Build]>([
    [
      "d / √v · γ + β",
      ["LayerNormalization"],
      (x, b) => {
        const d = b.add("Sub", [x, mean(x, b)]);
        return b.add("Add", [
          b.add("Mul", [b.add("Div", [d, spread(d, b)]), b.weights(5)]),
          b.weights(5),
        ]);
      },
    ],
    [
      "γ · (d · 1/√v), two differences",
      ["LayerNormalization"],
      (x, b) => {
        const [d, e] = [b.add("Sub", [x, mean(x, b)]), b.add("Sub", [x, mean(x, b)])];
        return b.add("Mul", [
          b.weights(1, 5),
          b.add("Mul", [b.add("Reciprocal", [spread(e, b)]), d]),
        ]);
      },
    ],
    [
      "with neither γ nor β",
      ["LayerNormalization", "Relu"],
      (x, b) => {
        const d = b.add("Sub", [x, mean(x, b)]);
        return b.add("Relu", [b.add("Div", [d, spread(d, b)])]);
      },
    ],
  ])("%s", async (_, expected, build) => {
    expect((await apply(recoverLayerNorm, single(build))).ops).toEqual(expected);
  });

  it("leaves γ and β in a branch, of which nothing outside sees them", async () => {
    const graph = graphOf({ x: ["float32", "N", 5], c: ["bool"] }, (x, b) => {
      const d = b.add("Sub", [x("x"), mean(x("x"), b)]);
      const norm = b.add("Div", [d, spread(d, b)]);
      const scaled = either(
        b,
        x("c"),
        (inner) => inner.add("Add", [inner.add("Mul", [norm, inner.weights(5)]), inner.weights(5)]),
        (inner) => inner.add("Relu", [x("x")]),
      );
      return { y: b.add("Neg", [scaled]) };
    });
    expect((await apply(recoverLayerNorm, graph)).ops.slice(-6)).toEqual([
      "LayerNormalization",
      "Relu",
      "Mul",
      "Add",
      "If",
      "Neg",
    ]);
  });

  it("leaves a mean over the first axis", async () => {
    const graph = single((x, b) => {
      const over = (value: ValueId) => b.add("ReduceMean", [value, b.ints([0])]);
      const d = b.add("Sub", [x, over(x)]);
      return b.add("Div", [
        d,
        b.add("Sqrt", [b.add("Add", [over(b.add("Mul", [d, d])), b.floats([1e-5])])]),
      ]);
    });
    expect((await apply(recoverLayerNorm, graph)).ops).toContain("Div");
  });

  it("leaves a spread of other values", async () => {
    const graph = single((x, b) => {
      const d = b.add("Sub", [x, mean(x, b)]);
      return b.add("Div", [d, spread(b.add("Relu", [x]), b)]);
    });
    expect((await apply(recoverLayerNorm, graph)).ops).toContain("Div");
  });

  it("says when the size is not known", async () => {
    const graph = graphOf({ x: ["float32", "N", "M"] }, (x, b) => {
      const d = b.add("Sub", [x("x"), mean(x("x"), b)]);
      return { y: b.add("Div", [d, spread(d, b)]) };
    });
    expect((await apply(recoverLayerNorm, graph)).misses).toEqual([
      expect.stringContaining("not known"),
    ]);
  });
});
