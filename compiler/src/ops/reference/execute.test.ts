import { readFile } from "node:fs/promises";
import {
  byteSource,
  onnxArtifact,
  type Dtype,
  type Tensor as Dense,
  type Tensors,
} from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { describe, expect, test } from "vitest";

import { decodeModel, encodeModel } from "../../onnx/index.js";
import { normalizeGraph } from "../../passes/normalize.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { evaluateGraph } from "./execute.js";
import { inferNode } from "../shape/infer.js";

interface Feed {
  readonly type: Extract<Dtype, "float32" | "int64">;
  readonly dims: readonly number[];
  /** The one value of an int64. */
  readonly value?: bigint;
}

const models: readonly { readonly name: string; readonly feeds: Readonly<Record<string, Feed>> }[] =
  [
    { name: "mnist-cnn", feeds: { x: { type: "float32", dims: [2, 1, 28, 28] } } },
    { name: "ocr-direction", feeds: { x: { type: "float32", dims: [1, 3, 48, 96] } } },
    { name: "ocr-recognition", feeds: { x: { type: "float32", dims: [1, 3, 48, 32] } } },
    { name: "blazeface-front", feeds: { "input:0": { type: "float32", dims: [1, 128, 128, 3] } } },
    {
      name: "silero-vad-v5",
      feeds: {
        input: { type: "float32", dims: [1, 512] },
        state: { type: "float32", dims: [2, 1, 128] },
        sr: { type: "int64", dims: [], value: 16000n },
      },
    },
  ];

function tensorOf({ type, dims, value }: Feed): Dense {
  if (type === "int64") return { type, dims, data: BigInt64Array.of(value ?? 0n) };
  const count = dims.reduce((a, b) => a * b, 1);
  return {
    type,
    dims,
    data: Float32Array.from({ length: count }, (_, i) => Math.sin(i * 0.7) * 0.8),
  };
}

function largestDifference(a: Tensors, b: Tensors): number {
  return Object.entries(b).reduce((largest, [name, right]) => {
    const left = a[name];
    expect(left?.dims).toEqual(right.dims);
    const [x, y] = [left?.data as Float32Array, right.data as Float32Array];
    return y.reduce((most, value, i) => Math.max(most, Math.abs(value - (x[i] ?? NaN))), largest);
  }, 0);
}

describe("a whole graph, run by its operators' definitions", () => {
  test.each(models)(
    "$name gives what onnxruntime gives, raised to opset 21",
    async ({ name, feeds }) => {
      const url = new URL(`../../../../fixtures/models/${name}.onnx`, import.meta.url);
      const tensors = Object.fromEntries(
        Object.entries(feeds).map(([input, feed]) => [input, tensorOf(feed)]),
      );
      const session = await cpu().load(onnxArtifact(new Uint8Array(await readFile(url))));
      const expected = await session.run(tensors);
      await session.dispose();
      const graph = await decodeModel(
        { proto: byteSource(new Uint8Array(await readFile(url))) },
        { infer: inferNode },
      );
      normalizeGraph(graph);
      expect(largestDifference(await evaluateGraph(graph, tensors), expected)).toBeLessThan(1e-4);
    },
  );
});

test("loses no output for its name; the engine has no place for it, and says so", async () => {
  const graph = graphOf({ x: ["float32", 2] }, (input, b) => {
    const minus = b.add("Neg", [input("x")]);
    return { ["__proto__"]: minus, y: b.add("Abs", [minus]) };
  });
  const x = { type: "float32", dims: [2], data: Float32Array.of(1, -2) } as const;
  const outputs = await evaluateGraph(graph, { x });
  expect(Object.entries(outputs).map(([name, { data }]) => [name, [...data]])).toEqual([
    ["__proto__", [-1, 2]],
    ["y", [1, 2]],
  ]);
  const { proto } = await encodeModel(graph);
  await expect(cpu().load(onnxArtifact(proto))).rejects.toMatchObject({
    code: "ENGINE",
    message: expect.stringContaining("__proto__"),
  });
});
