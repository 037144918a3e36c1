import { type Artifact, onnxArtifact } from "@pare/runtime/format";
import { cpu as engine } from "@pare/runtime/ort-node";
import { expect, it } from "vitest";
import { attribute, parseGraph, Tensor } from "../ir/index.js";
import { evaluateGraph } from "../ops/index.js";
import { compare, graphOf, madeUp } from "../rules/rule-case.test.support.js";
import { cpu } from "./cpu.js";
import { loadableOn } from "./loadable.js";
import type { Target } from "./target.js";

const graph = () => parseGraph("graph main opset 21 (x: float32[2]) -> (x) {\n  return x\n}\n");
const module: Artifact = { ...onnxArtifact(Uint8Array.of(1)), format: "wasm" };
/** A target whose engine loads modules. */
const modules: Target = { ...cpu, format: "wasm", emit: async () => module };

it("asks an engine about the file that there is, where it reads its format", async () => {
  const file = onnxArtifact(Uint8Array.of(2));
  expect(await loadableOn(cpu, file, graph)).toBe(file);
  expect(await loadableOn(modules, module, graph)).toBe(module);
});

it("has the target write the graph, where it does not", async () => {
  expect(await loadableOn(modules, onnxArtifact(Uint8Array.of(2)), graph)).toBe(module);
  expect(await loadableOn(cpu, module, graph)).toMatchObject({
    format: "onnx",
    files: [{ name: "model.onnx" }],
    session: { foldDequantize: true },
  });
});

it("has an engine round nothing that the graph does not", async () => {
  const [rows, k, n] = [3, 64, 32];
  const graphOfProduct = graphOf({ x: ["float32", rows, k] }, (input, b) => {
    const integers = Tensor.of(
      "int8",
      [k, n],
      Int8Array.from({ length: k * n }, (_, at) => ((at * 37) % 255) - 127),
    );
    const scales = b.floats(Array.from({ length: n }, () => 0.01));
    const weights = b.add("DequantizeLinear", [b.editor.constant("w", integers), scales], {
      axis: attribute.int(1),
    });
    return { y: b.add("MatMul", [input("x"), weights]) };
  });
  const feeds = madeUp(graphOfProduct, {});
  const session = await engine().load(await loadableOn(cpu, module, () => graphOfProduct));
  try {
    const { y } = await evaluateGraph(graphOfProduct, feeds);
    if (y === undefined) throw new Error("no result");
    compare("y", y, (await session.run(feeds))["y"], 1e-5);
  } finally {
    await session.dispose();
  }
});
