import { byteSource } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { formatOf, importModel, type ModelSource } from "./import-model.js";
import { parseGraph, printGraph } from "./ir/index.js";
import { encodeModel } from "./onnx/index.js";

const text = `graph main opset 21 (x: float32[2]) -> (y) {
  y = Relu(x) : float32[2]
  return y
}
`;

async function source(name: string): Promise<ModelSource> {
  const { proto } = await encodeModel(parseGraph(text));
  return { name, main: byteSource(proto), beside: new Map() };
}

describe("a model's file", () => {
  it("is read by what its name ends with, and as ONNX where that says nothing", async () => {
    expect(["a.onnx", "A.ONNX", "model", "a.bin"].map(formatOf)).toEqual(
      Array.from({ length: 4 }, () => "onnx"),
    );
    const named = await importModel(await source("a.onnx"));
    const unnamed = await importModel(await source("model"));
    expect(await printGraph(unnamed)).toBe(await printGraph(named));
  });

  it("is refused where it is called JSON and is none", async () => {
    await expect(importModel(await source("model.json"))).rejects.toMatchObject({
      code: "MODEL_INVALID",
      where: "model.json",
    });
  });
});
