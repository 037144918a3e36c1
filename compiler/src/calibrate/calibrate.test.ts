import type { Tensors } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { describe, expect, it, vi } from "vitest";
import { edit, attribute, Tensor, type ValueId } from "../ir/index.js";
import type { Calibration } from "../pipeline/pass.js";
import { feedsOf } from "../passes/quantization/engine-case.test.support.js";
import { Observer } from "../quantize/observer.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { calibrate } from "./calibrate.js";
import { observeActivations } from "./observe-activations.js";

const graph = graphOf({ x: ["float32", 1, "W"] }, (input, b) => {
  const doubled = b.add("Mul", [input("x"), b.floats([2])]);
  return { y: b.add("Relu", [b.add("Add", [doubled, b.floats([-1])])]) };
});
const [mul, add, relu] = graph.order().map((node) => node.outputs[0] ?? (0 as ValueId)) as [
  ValueId,
  ValueId,
  ValueId,
];
const input = graph.main.inputs[0] ?? (0 as ValueId);
const samples: readonly Tensors[] = [3, 7, 1].map((W, seed) => feedsOf(graph, seed, { W }));

async function* stream(): AsyncGenerator<Tensors> {
  yield* samples;
}

function expected(of: (x: number) => number): Observer {
  const observer = new Observer();
  for (const { x } of samples) observer.observe(Float32Array.from(x?.data as Float32Array, of));
  return observer;
}

describe("calibrate", () => {
  it("sees inputs, inner values and outputs of samples of every width", async () => {
    const found = await calibrate(graph, cpu(), stream, samples.length, {
      values: [input, mul, add, relu],
    });
    const cases: readonly [ValueId, (x: number) => number][] = [
      [input, (x) => x],
      [mul, (x) => Math.fround(2 * x)],
      [add, (x) => Math.fround(Math.fround(2 * x) - 1)],
      [relu, (x) => Math.max(0, Math.fround(Math.fround(2 * x) - 1))],
    ];
    for (const [value, of] of cases) {
      expect(found.get(value)?.range).toEqual(expected(of).range);
      expect(found.get(value)?.histogram).toEqual(expected(of).histogram);
    }
    expect(graph.main.outputs).toEqual([relu]);
  });

  it("reports progress, stops on a signal, and refuses to learn from nothing", async () => {
    const onProgress = vi.fn<(fraction: number) => void>();
    await calibrate(graph, cpu(), stream, samples.length, { values: [mul], onProgress });
    expect(onProgress.mock.calls.map(([fraction]) => fraction)).toEqual([1 / 3, 2 / 3, 1]);
    const signal = AbortSignal.abort();
    await expect(
      calibrate(graph, cpu(), stream, 3, { values: [mul], signal }),
    ).rejects.toMatchObject({ code: "ABORTED" });
    await expect(
      calibrate(graph, cpu(), async function* none() {}, 0, { values: [mul] }),
    ).rejects.toMatchObject({ code: "DATA_MISMATCH" });
  });
});

describe("observeActivations", () => {
  it("observes once for all forks that leave what is above a value alone", async () => {
    const load = vi.fn<Calibration["executor"]["load"]>((...args) => cpu().load(...args));
    const calibration: Calibration = { executor: { load }, samples: stream, count: samples.length };
    const first = await observeActivations(graph, [mul, relu], { calibration }, "test");
    const fork = graph.fork();
    edit(fork, "test", (editor) =>
      editor.setConstant(fork.producer(add)?.inputs[1] ?? add, Tensor.float32([], [5])),
    );
    const again = await observeActivations(graph.fork(), [mul, relu], { calibration }, "test");
    expect(load).toHaveBeenCalledTimes(1);
    expect(again.get(relu)).toBe(first.get(relu));
    const changed = await observeActivations(fork, [mul, relu], { calibration }, "test");
    expect(load).toHaveBeenCalledTimes(2);
    expect(changed.get(mul)).toBe(first.get(mul));
    expect(changed.get(relu)?.range.max).toBe((first.get(relu)?.range.max ?? 0) + 6);
  });

  it("tells attributes apart", async () => {
    const pair = graphOf({ x: ["float32", 2, 3] }, (given, b) => ({
      a: b.add("Softmax", [given("x")], { axis: attribute.int(0) }),
      c: b.add("Softmax", [given("x")], { axis: attribute.int(1) }),
    }));
    const calibration: Calibration = {
      executor: cpu(),
      count: 1,
      async *samples() {
        yield feedsOf(pair);
      },
    };
    const [a, c] = pair.main.outputs as [ValueId, ValueId];
    const found = await observeActivations(pair, [a, c], { calibration }, "test");
    expect(found.get(a)?.range).not.toEqual(found.get(c)?.range);
  });
});
