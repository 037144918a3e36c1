import { describe, expect, it } from "vitest";
import { attribute, type Graph, Tensor } from "../ir/index.js";
import type { TrainingEngine } from "../ops/index.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { drawn, floatsOf, load, withGradients } from "./gradient-check.test.support.js";

const { int, ints, float } = attribute;

function opsFor(engine: TrainingEngine, graph: Graph): readonly string[] {
  const training = graph.fork();
  withGradients(training, engine);
  return [...training.allNodes()].map(({ op }) => op);
}

describe("batch norms in training", () => {
  /** Two that begin with the same running statistics, and whose mean equals their variance. */
  const graph = () =>
    graphOf({ x: ["float32", 3, 2, 2, 2] }, (input, { editor, add }) => {
      const same = () => editor.constant("same", Tensor.float32([2], [1, 1]));
      const training = { training_mode: int(1), momentum: float(0) };
      const norm = (x: Parameters<typeof add>[1][number]) =>
        add("BatchNormalization", [x, same(), same(), same(), same()], training);
      return { y: add("Sigmoid", [norm(add("Tanh", [norm(input("x"))]))]) };
    });

  it.each(["cpu", "wasm"] as const)("keep apart what %s would write over", async (backend) => {
    const training = graph();
    withGradients(training, backend);
    const statistics = [...training.allNodes()]
      .filter(({ op, outputs }) => op === "BatchNormalization" && outputs.length === 3)
      .flatMap(({ inputs }) => [3, 4].map((index) => training.constant(inputs[index])?.numbers()));
    expect(statistics.length).toBe(4);
    expect(new Set(statistics.map(String)).size).toBe(4);
    const session = await load(training, backend);
    const feeds = {
      x: drawn("normal", [3, 2, 2, 2], 1),
      "weights of y": drawn("normal", [3, 2, 2, 2], 2),
    };
    const [first, second] = [await session.run(feeds), await session.run(feeds)];
    await session.dispose();
    const gradient = floatsOf(first["x.gradient"]);
    expect([...floatsOf(second["x.gradient"])]).toEqual([...gradient]);
    // Of what is normalized, a shift of all and a stretch of all change nothing.
    const x = floatsOf(feeds.x);
    const plane = (channel: number) =>
      [...gradient.keys()].filter((i) => Math.floor(i / 4) % 2 === channel);
    for (const channel of [0, 1]) {
      const shift = plane(channel).reduce((sum, i) => sum + (gradient[i] ?? 0), 0);
      const stretch = plane(channel).reduce((sum, i) => sum + (gradient[i] ?? 0) * (x[i] ?? 0), 0);
      expect(Math.abs(shift)).toBeLessThan(1e-4);
      expect(Math.abs(stretch)).toBeLessThan(1e-3);
    }
  });
});

describe("what WebGPU has no kernel for, or computes wrongly,", () => {
  it("is not written for it", () => {
    const pools = graphOf({ x: ["float32", 1, 2, 6, 6] }, (input, { add }) => ({
      y: add("MaxPool", [input("x")], { kernel_shape: ints([3, 3]), strides: ints([2, 2]) }),
      z: add("ReduceL1", [add("Abs", [input("x")])]),
    }));
    expect(opsFor("cpu", pools)).toEqual(expect.arrayContaining(["ScatterElements", "Sign"]));
    const ops = opsFor("webgpu", pools);
    expect(ops).not.toContain("ScatterElements");
    expect(ops).not.toContain("Sign");
    const multiplied = graphOf(
      { x: ["float32", 1, 3, 7, 7], w: ["float32", 6, 1, 3, 3] },
      (input, { add }) => ({
        y: add("Conv", [input("x"), input("w")], { group: int(3), strides: ints([2, 2]) }),
      }),
    );
    const norm = graphOf({ x: ["float32", 4, 2], s: ["float32", 2] }, (input, { many }) => {
      const [x, s] = [input("x"), input("s")];
      const [y = x] = many("BatchNormalization", 3, [x, s, s, s, s], {
        training_mode: int(1),
        momentum: float(0),
      });
      return { y };
    });
    withGradients(norm, "webgpu");
    const inTraining = [...norm.allNodes()].filter(({ attributes }) =>
      attributes.has("training_mode"),
    );
    expect(inTraining).toEqual([]);
    expect(opsFor("cpu", multiplied)).toContain("ConvTranspose");
    expect(opsFor("webgpu", multiplied)).not.toContain("ConvTranspose");
    const deep = graphOf(
      { x: ["float32", 1, 5, 4, 4, 4], w: ["float32", 4, 5, 2, 2, 2] },
      (input, { add }) => ({
        y: add("Conv", [input("x"), input("w")], { strides: ints([2, 2, 2]) }),
      }),
    );
    expect(opsFor("cpu", deep)).toContain("ConvTranspose");
    expect(opsFor("webgpu", deep)).not.toContain("ConvTranspose");
  });
});

describe("dropout in training", () => {
  it("passes gradients where it kept, as much larger", async () => {
    const graph = graphOf({ x: ["float32", 40] }, (input, { editor, add, floats }) => {
      const training = editor.constant("training", Tensor.of("bool", [], Uint8Array.of(1)));
      return { y: add("Dropout", [input("x"), floats([0.25]), training], { seed: int(7) }) };
    });
    withGradients(graph, "cpu");
    const session = await load(graph);
    const ones = { type: "float32" as const, dims: [40], data: new Float32Array(40).fill(1) };
    const results = await session.run({ x: ones, "weights of y": ones });
    await session.dispose();
    const y = [...floatsOf(results["y"])];
    expect(new Set(y.map((value) => value.toFixed(4)))).toEqual(new Set(["0.0000", "1.3333"]));
    expect([...floatsOf(results["x.gradient"])]).toEqual(y);
  });
});

describe("convolutions' weight gradients", () => {
  /** How many products, and which others, the gradient of the weight takes. */
  const costOf = (x: readonly number[], w: readonly number[], group = 1, stride = 1) => {
    const graph = graphOf({ w: ["float32", ...w] }, (input, { add, weights }) => ({
      y: add("Conv", [weights(...x), input("w")], {
        group: int(group),
        strides: ints([stride, stride]),
      }),
    }));
    const ops = opsFor("cpu", graph);
    return ["MatMul", "Slice", "Gather"].map((op) => ops.filter((other) => other === op).length);
  };

  it("take the variant that costs least", () => {
    // One batched product; one product of all taps; a product for each tap; one for each row.
    expect(costOf([2, 8, 5, 5], [6, 8, 1, 1])).toEqual([1, 0, 0]);
    expect(costOf([2, 3, 5, 5], [6, 3, 3, 3])).toEqual([1, 9, 0]);
    expect(costOf([2, 8, 5, 5], [6, 8, 3, 3])).toEqual([9, 9, 0]);
    expect(costOf([2, 8, 5, 5], [8, 1, 3, 3], 8)).toEqual([3, 3, 3]);
    // Taps of a stride are cut from its phases: four of them, and then one run for each tap.
    expect(costOf([2, 8, 17, 17], [6, 8, 3, 3], 1, 2)).toEqual([9, 13, 0]);
  });
});
