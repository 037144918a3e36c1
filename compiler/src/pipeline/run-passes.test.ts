import { cpu } from "@pare/runtime/ort-node";
import { onnxArtifact } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { edit, type Graph } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import { graphOf, madeUp } from "../rules/rule-case.test.support.js";
import type { Pass } from "./pass.js";
import { runPasses, type Verification } from "./run-passes.js";

const graph = () =>
  graphOf({ x: ["float32", 4] }, (x, b) => ({
    y: b.add("Relu", [b.add("Mul", [b.add("Neg", [x("x")]), b.floats([2])])]),
  }));

const verify = (model: Graph): Verification => ({
  executor: cpu(),
  encode: async (candidate) => onnxArtifact((await encodeModel(candidate)).proto),
  samples: [madeUp(model, {})],
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
