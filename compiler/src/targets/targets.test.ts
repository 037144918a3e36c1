import type { Precision } from "@pare/runtime/format";
import { aot as aotEngine } from "@pare/runtime/aot";
import { cpu as cpuEngine } from "@pare/runtime/ort-node";
import { wasm as wasmEngine } from "@pare/runtime/ort-web";
import { describe, expect, it } from "vitest";
import { MeasuredActivations } from "../calibrate/measured-activations.js";
import { attribute, type Graph } from "../ir/index.js";
import { findPass } from "../passes/index.js";
import {
  agreement,
  calibrationOn,
  feedsOf,
  run,
} from "../passes/quantization/engine-case.test.support.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { aot } from "./aot.js";
import { cpu } from "./cpu.js";
import { exactEngine } from "./exact-engine.test.support.js";
import { findTarget, targets } from "./index.js";
import { wasm } from "./wasm.js";
import { webgpu } from "./webgpu.js";

const same = { pads: attribute.ints([1, 1, 1, 1]) };

const network = graphOf({ x: ["float32", 1, 3, 8, 8] }, (input, b) => {
  const full = b.add("Relu", [
    b.add("Conv", [input("x"), b.weights(16, 3, 3, 3), b.weights(16)], same),
  ]);
  const deep = b.add("Relu", [
    b.add("Conv", [full, b.weights(16, 1, 3, 3), b.weights(16)], {
      ...same,
      group: attribute.int(16),
    }),
  ]);
  const point = b.add("Relu", [b.add("Conv", [deep, b.weights(24, 16, 1, 1)])]);
  const flat = b.add("Flatten", [b.add("GlobalAveragePool", [point])]);
  return { y: b.add("Gemm", [flat, b.weights(24, 40), b.weights(40)]) };
});

const transformer = graphOf({ x: ["float32", "T", 64] }, (input, b) => {
  const up = b.add("Relu", [b.add("MatMul", [input("x"), b.weights(64, 64)])]);
  return { y: b.add("Add", [b.add("MatMul", [up, b.weights(64, 64)]), input("x")]) };
});

const decoder = graphOf({ x: ["float32", 1, 8, 12, 12] }, (input, b) => {
  const enlarged = b.add("Resize", [input("x"), null, b.floats([1, 1, 2, 2])], {
    coordinate_transformation_mode: attribute.string("asymmetric"),
    nearest_mode: attribute.string("floor"),
  });
  return { y: b.add("Conv", [enlarged, b.weights(8, 8, 3, 3), b.weights(8)], same) };
});

const nothing = graphOf({ x: ["float32", 2] }, (input, b) => ({ y: b.add("Neg", [input("x")]) }));

const names = (graph: Graph, target: (typeof targets)[number]): readonly string[] =>
  target.propose(graph).map((proposal) => proposal.name);

describe("proposals", () => {
  it("suit the target and the graph, what is sure to gain first", () => {
    expect(names(network, cpu)).toEqual([
      "int8-weights",
      "int8-static",
      "int8-static-mse",
      "int8-mixed",
      "int8-dynamic",
      "fp16-weights",
    ]);
    expect(names(transformer, cpu)).toEqual([
      "int8-weights",
      "int8-dynamic",
      "int8-static",
      "fp16-weights",
    ]);
    expect(names(network, wasm)).toEqual([
      "int8-weights",
      "int8-static",
      "int8-mixed",
      "int8-dynamic",
      "fp16-weights",
    ]);
    expect(names(transformer, webgpu)).toEqual(["fp16", "int8-weights", "fp16-weights"]);
    expect(names(network, aot)).toEqual([
      "int8-static",
      "int8-mixed",
      "int8-dynamic",
      "int8-weights",
      "fp16-weights",
    ]);
    expect(names(transformer, aot)).toEqual(["int8-dynamic", "int8-weights", "fp16-weights"]);
    for (const target of targets) {
      expect(names(decoder, target)).toContain("convolve-repeats");
      expect(names(nothing, target)).toEqual([]);
    }
  });

  it("without data are weights alone", () => {
    for (const target of targets) {
      for (const proposal of target.propose(network))
        expect([proposal.name, proposal.withoutData]).toEqual([
          proposal.name,
          proposal.name.endsWith("-weights"),
        ]);
    }
  });

  const needed: Readonly<Record<string, readonly string[]>> = {
    cpu: [],
    aot: ["simd"],
    wasm: ["simd"],
    webgpu: ["webgpu"],
    "webgpu fp16": ["webgpu", "shader-f16"],
  };
  const least: Readonly<Partial<Record<Precision, number>>> = {
    "float16-weights": 60,
    float16: 45,
    "int8-weights": 35,
  };

  it.each(
    targets.flatMap((target) =>
      [network, transformer, decoder].flatMap((graph) =>
        target
          .propose(graph)
          .map((proposal) => [target.name, proposal.name, graph, proposal, target] as const),
      ),
    ),
  )("for %s: %s loads, runs and agrees", async (_target, _name, graph, proposal, target) => {
    const sizes = [{ T: 9 }, { T: 3 }];
    const activations = new MeasuredActivations(calibrationOn(graph, sizes));
    const fork = graph.fork();
    for (const { use, with: options } of proposal.group.steps) {
      const pass = findPass(use);
      await pass.create(pass.parse(options ?? {})).run(fork, { activations });
    }
    expect(fork.changes).toBeGreaterThan(graph.changes);
    const feeds = feedsOf(graph, 1, { T: 9 });
    const expected = await run(graph, feeds);
    // What is for WebAssembly may hold weights of eight bits, which some processors' own kernels saturate.
    const exact = target.name === "wasm" ? await exactEngine() : cpuEngine();
    const engine = target.name === "aot" ? aotEngine() : exact;
    // A module is of one size.
    const isFixed = target.name === "aot" && graph === transformer;
    const artifact = await target.emit(fork, {}, isFixed ? { T: [9] } : {});
    expect(artifact.requires.features).toEqual(
      needed[`${target.name} ${proposal.name}`] ?? needed[target.name],
    );
    const session = await engine.load(artifact);
    expect(agreement(expected, await session.run(feeds))).toBeGreaterThan(
      least[proposal.precision] ?? 22,
    );
  });
});

describe("supports", () => {
  it("answers from the table of real kernels, with the reason", () => {
    expect(cpu.supports("Conv", "", ["float32", "float32"])).toEqual({ ok: true });
    expect(cpu.supports("Conv", "", ["int8", "int8"])).toEqual({
      ok: false,
      why: expect.stringMatching(
        /^onnxruntime-node 1\.\d+\.\d+ has no kernel for Conv on int8: the engine refuses the model$/,
      ),
    });
    // No engine was asked for what Pare does not know.
    expect(wasm.supports("Frobnicate", "", ["float32"])).toEqual({
      ok: false,
      why: expect.stringMatching(/has Frobnicate shows when it loads the model$/),
    });
    expect(webgpu.supports("DynamicQuantizeLinear", "", ["float32"])).toEqual({
      ok: false,
      why: expect.stringContaining("it runs on the CPU"),
    });
    expect(webgpu.supports("Where", "", ["bool", "float32", "float32"])).toEqual({ ok: true });
    expect(webgpu.supports("Fused", "com.example", [])).toEqual({
      ok: false,
      why: expect.stringContaining("shows when it loads the model"),
    });
    expect(cpu.supports("TreeEnsembleClassifier", "ai.onnx.ml", ["float32"])).toEqual({ ok: true });
    expect(webgpu.supports("TreeEnsembleClassifier", "ai.onnx.ml", ["float32"])).toEqual({
      ok: false,
      why: expect.stringContaining("has no kernel for TreeEnsembleClassifier"),
    });
    expect(cpu.supports("constructor", "", [])).toMatchObject({ ok: false });
    // A loop without a count: what comes first then is its condition.
    expect(cpu.supports("Loop", "", [undefined, "bool", "float32"])).toEqual({ ok: true });
  });

  it("has a normalization in float16, whose mean stays float32, as engines have it", async () => {
    const half = ["float16", "float16", "float16"] as const;
    for (const target of [cpu, wasm, webgpu])
      expect(target.supports("LayerNormalization", "", half)).toEqual({ ok: true });
    const graph = graphOf({ x: ["float32", 4, 16] }, (input, b) => {
      const inputs = [b.add("Neg", [input("x")]), b.weights(16), b.weights(16)];
      const [y, mean] = b.many("LayerNormalization", 2, inputs);
      return { y: y ?? input("x"), mean: mean ?? input("x") };
    });
    const feeds = feedsOf(graph);
    const expected = await run(graph, feeds);
    await findPass("fp16")
      .create({ keepFloat: { nodes: [], ops: [] } })
      .run(graph, {});
    for (const engine of [cpuEngine(), wasmEngine()])
      expect(agreement(expected, await run(graph, feeds, engine))).toBeGreaterThan(50);
  });

  it("keeps float32 in a float16 model what WebGPU has in float32 alone", () => {
    const scatter = graphOf({ x: ["float32", 16, 16], i: ["int64", 1] }, (input, b) => ({
      y: b.add("CumSum", [
        b.add("Det", [b.add("MatMul", [input("x"), b.weights(16, 32)])]),
        input("i"),
      ]),
    }));
    expect(webgpu.propose(scatter)[0]?.group.steps).toEqual([
      { use: "fp16", with: { keepFloat: { ops: ["Det"] } } },
    ]);
  });
});

it("names the targets when one is unknown", () => {
  expect(findTarget("cpu")).toBe(cpu);
  expect(() => findTarget("tpu")).toThrow(
    expect.objectContaining({ code: "ARGUMENT", hint: "The targets are aot, cpu, wasm, webgpu." }),
  );
});
