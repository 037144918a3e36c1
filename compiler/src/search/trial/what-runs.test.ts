import type { Artifact } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import type { Step, StepGroup } from "../../pipeline/step.js";
import type { Graph } from "../../ir/index.js";
import { quantizeWeights } from "../../passes/quantize-weights.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { optimize } from "../optimize.js";
import { bytesOf, device, original, requestFor } from "../search-request.test.support.js";
import { simulatedMeasure } from "../simulated-measure.test.support.js";
import { choose } from "../verdict/verdict.js";
import { whatRuns } from "./what-runs.js";

const shareOf = (artifact: Artifact): number => bytesOf(artifact) / bytesOf(original);

/** What is chosen without data on a target where each file of weights takes so much of the float model's time, and why. */
async function searched(target: "cpu" | "aot", ofIntegers: number, ofHalves: number) {
  const measure = simulatedMeasure((artifact) => {
    const share = shareOf(artifact);
    return { ratio: share < 0.4 ? ofIntegers : share < 0.6 ? ofHalves : 1 };
  });
  const request = await requestFor(measure, { evidence: "none", devices: [device(target)] });
  const { variants, candidates, steps } = await optimize(request);
  const said = [...candidates, ...steps].map(({ name, reason }) => `${name}: ${reason}`);
  return { name: variants[0]?.name, said };
}

describe("files that differ in how their weights are stored", () => {
  it.each([
    ["cpu", 1.04, 1],
    ["cpu", 1, 0.96],
    ["aot", 1.04, 0.98],
  ] as const)(
    "are chosen by size on %s, where times differ by %d and %d",
    async (target, ofIntegers, ofHalves) => {
      const { name, said } = await searched(target, ofIntegers, ofHalves);
      expect(name).toBe("int8-weights");
      expect(said).toContainEqual(expect.stringMatching(/^fp16-weights.*: .*runs the same and is/));
    },
  );

  it("are chosen by time where that differs by more than what lies in memory can be the reason of", async () => {
    expect((await searched("cpu", 1.3, 1)).name).toBe("fp16-weights");
    expect((await searched("cpu", 1.3, 1.3)).name).toBe("float");
  });

  it("run the same where the engine decodes them when it loads them, and a module when it is started", () => {
    const simplified: StepGroup = { steps: [{ use: "simplify" }], required: false };
    const runs = (options: Step["with"] | null, format: "onnx" | "wasm"): string => {
      const step = { use: "quantize-weights", ...(options && { with: options }) } as const;
      const groups = options === null ? [] : [{ steps: [step], required: false }];
      return runsOf([simplified, ...groups], format, graph);
    };
    const graph = graphOf({ x: ["float32", 1] }, (input, b) => ({ y: b.add("Neg", [input("x")]) }));
    expect(runs({}, "onnx")).toBe(runs(null, "onnx"));
    expect(runs({ bits: 4 }, "onnx")).toBe(runs(null, "onnx"));
    expect(runs({ decode: "dequantize" }, "onnx")).not.toBe(runs(null, "onnx"));
    expect(runs({ decode: "dequantize" }, "wasm")).toBe(runs(null, "wasm"));
  });

  it("do not where rows of a table are decoded at every run, and there is not much else", async () => {
    const runs = async (inner: number, isStored: boolean): Promise<string> => {
      const graph = graphOf({ ids: ["int64", 1, 16] }, (input, b) => {
        const rows = b.add("Gather", [b.weights(100, 32), input("ids")]);
        return { y: b.add("MatMul", [b.add("MatMul", [rows, b.weights(32, inner)]), b.weights(inner, 8)]) }; // prettier-ignore
      });
      const groups: StepGroup[] = [{ steps: [{ use: "quantize-weights" }], required: false }];
      if (isStored) await quantizeWeights.create(quantizeWeights.parse({})).run(graph, {});
      return runsOf(isStored ? groups : [], "onnx", graph);
    };
    expect(await runs(8, true)).not.toBe(await runs(8, false));
    expect(await runs(40_000, true)).toBe(await runs(40_000, false));
  });
});

function runsOf(groups: readonly StepGroup[], format: "onnx" | "wasm", graph: Graph): string {
  return whatRuns({ groups, artifact: { ...original, format }, written: { graph } });
}

describe("the rule of choice", () => {
  const sure = (ratio: number) => ({ ratio, interval: [ratio, ratio] as const });
  const times = [1, 1.05, 1.01];
  const between = (a: number, b: number) => sure((times[b] ?? 1) / (times[a] ?? 1));

  it("takes the fastest, of those that tie the smallest, and of those that run the same only that", () => {
    const sizes = [100, 30, 60];
    const of = (...runs: readonly string[]) =>
      choose(
        sizes.map((brotli, at) => ({ brotli, runs: runs[at] ?? "" })),
        between,
        "latency",
      );
    expect(of("a", "b", "c")).toEqual([2, 0, 1]);
    expect(of("a", "a", "b")).toEqual([2, 1, 0]);
    expect(of("a", "a", "a")).toEqual([1, 2, 0]);
  });
});
