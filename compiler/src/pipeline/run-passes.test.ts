import { cpu } from "@pare/runtime/ort-node";
import { onnxArtifact, type Tensors } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { attribute, edit, type Graph, Tensor } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import { graphOf, madeUp } from "../rules/rule-case.test.support.js";
import type { Pass } from "./pass.js";
import { runPasses, type Verification } from "./run-passes.test.support.js";

const graph = () =>
  graphOf({ x: ["float32", 4] }, (x, b) => ({
    y: b.add("Relu", [b.add("Mul", [b.add("Neg", [x("x")]), b.floats([2])])]),
  }));

const verify = (model: Graph): Verification => ({
  executor: cpu(),
  encode: async (candidate) => onnxArtifact((await encodeModel(candidate)).proto),
  samples: [madeUp(model, {})],
});

const fed = (...x: number[]): Tensors => ({
  x: { type: "float32", dims: [x.length], data: Float32Array.from(x) },
});

/** Does nothing, or puts another operator in the place of one. */
function swap(op: string, by: string, exactness: Pass["exactness"]): Pass {
  return {
    exactness,
    run(model) {
      edit(model, "swap", (editor) => {
        for (const node of model.order()) if (node.op === op) editor.setOp(node.id, by);
      });
    },
  };
}

describe("runPasses", () => {
  it("lets equal numbers pass, and lossy passes lose", async () => {
    const model = graph();
    const passes = [
      { name: "nothing", pass: swap("Sub", "Add", "bitwise") },
      { name: "coarse", pass: swap("Neg", "Ceil", "lossy") },
    ];
    const seen: string[] = [];
    await runPasses(model, passes, { onProgress: (_, what) => seen.push(what) }, verify(model));
    expect(seen).toEqual(["nothing", "coarse", "done"]);
  });

  it("names the pass, and the first tensor that differs", async () => {
    const model = graph();
    const negated = model.order()[0]?.outputs[0] ?? undefined;
    const name = negated === undefined ? "" : model.value(negated).name;
    await expect(
      runPasses(
        model,
        [{ name: "wrong", pass: swap("Neg", "Abs", "rounding") }],
        {},
        verify(model),
      ),
    ).rejects.toMatchObject({
      code: "PASS_FAILED",
      where: `wrong » ${name}`,
    });
  });

  it("sees a difference beside an infinity", async () => {
    const model = graphOf({ x: ["float32", 4] }, (x, b) => ({
      y: b.add("Add", [b.add("Neg", [x("x")]), b.floats([Infinity, 0, 0, 0])]),
    }));
    await expect(
      runPasses(
        model,
        [{ name: "wrong", pass: swap("Neg", "Abs", "rounding") }],
        {},
        { ...verify(model), samples: [fed(1, 2, 3, 4)] },
      ),
    ).rejects.toMatchObject({ code: "PASS_FAILED" });
  });

  describe("in float16", () => {
    const halves = () =>
      graphOf({ x: ["float32", 4] }, (x, b) => ({
        y: b.add("Cast", [b.add("Neg", [b.add("Mul", [x("x"), b.floats([2])])])], {
          to: attribute.int(10),
        }),
      }));

    it("sees a difference of a thousandth, which is hardly one of the bits", async () => {
      const model = halves();
      const scaled: Pass = {
        exactness: "rounding",
        run: (graph) =>
          edit(graph, "scale", (editor) => {
            for (const id of graph.main.initializers)
              editor.setConstant(id, Tensor.float32([], [2.002]));
          }),
      };
      await expect(
        runPasses(
          model,
          [{ name: "wrong", pass: scaled }],
          {},
          { ...verify(model), samples: [fed(1, 1, 1, 1)] },
        ),
      ).rejects.toMatchObject({ code: "PASS_FAILED" });
    });

    it("takes zeros of either sign for equal, whose bits are as far apart as can be", async () => {
      const model = halves();
      await runPasses(
        model,
        [{ name: "right", pass: swap("Neg", "Abs", "rounding") }],
        {},
        { ...verify(model), samples: [fed(0, 0, 0, 0)] },
      );
      expect(model.order().map(({ op }) => op)).toContain("Abs");
    });
  });

  it("says when the engine refuses what a pass made", async () => {
    const model = graph();
    await expect(
      runPasses(
        model,
        [{ name: "wrong", pass: swap("Neg", "Nonsense", "rounding") }],
        {},
        verify(model),
      ),
    ).rejects.toMatchObject({ code: "PASS_FAILED", where: "wrong" });
  });

  it("stops when it is told to", async () => {
    const controller = new AbortController();
    controller.abort();
    await expect(
      runPasses(graph(), [{ name: "any", pass: swap("Neg", "Abs", "lossy") }], {
        signal: controller.signal,
      }),
    ).rejects.toMatchObject({ code: "ABORTED" });
  });
});
