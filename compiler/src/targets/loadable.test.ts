import { type Artifact, onnxArtifact } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { parseGraph } from "../ir/index.js";
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
  });
});
