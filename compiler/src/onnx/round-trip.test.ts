import { readFile } from "node:fs/promises";
import { byteSource } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { backendTests } from "../../../fixtures/scripts/backend-tests.mjs";
import { verifyGraph } from "../ir/index.js";
import { inferNode } from "../ops/index.js";
import { decodeModel, encodeModel } from "./index.js";

const models = [
  "blazeface-front",
  "mnist-cnn",
  "ocr-direction",
  "ocr-recognition",
  "silero-vad-v5",
  "latency/cifar-resnet8",
  "latency/enc-64x128",
  "latency/kws-dscnn",
  "latency/mnist",
  "latency/vww-mbv1-025-96",
];

async function again(bytes: Uint8Array): Promise<Uint8Array> {
  const graph = await decodeModel({ proto: byteSource(bytes) }, { infer: inferNode });
  verifyGraph(graph);
  const { proto, external } = await encodeModel(graph.fork());
  expect(external.size).toBe(0);
  return proto;
}

describe("what nobody touched is written as it was read", () => {
  it.each(models)("%s", async (name) => {
    const bytes = new Uint8Array(
      await readFile(new URL(`../../../fixtures/models/${name}.onnx`, import.meta.url)),
    );
    expect(Buffer.compare(await again(bytes), bytes)).toBe(0);
  });

  it("ONNX's operator tests, byte by byte", async () => {
    const differing: string[] = [];
    const tests = await backendTests();
    for (const { name, model } of tests) {
      const proto = await again(model);
      if (Buffer.compare(proto, model) !== 0) differing.push(name);
    }
    expect(tests.length).toBeGreaterThan(1000);
    expect(differing).toEqual([]);
  });
});
