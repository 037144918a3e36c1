import { readFile } from "node:fs/promises";
import { byteSource, type ModelSource } from "@pare/runtime/format";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { executor } from "./executor.js";
import { EngineHost } from "./host.js";
import { openNodeChannel } from "./node-channel.js";

const path = new URL("../../../fixtures/models/mnist-cnn.onnx", import.meta.url).pathname;

describe.each(["cpu", "wasm"] as const)("%s in a child process", (target) => {
  let host: EngineHost;
  let model: ModelSource;
  beforeAll(async () => {
    host = await EngineHost.start(target, () => openNodeChannel(target));
    model = { proto: byteSource(await readFile(path)), external: new Map() };
  });
  afterAll(() => host.dispose());

  it("says which engine it is", () => {
    expect(host.engine).toMatch(
      target === "cpu"
        ? /^onnxruntime-node \d+\.\d+\.\d+ \(Node \d+\)$/
        : /^onnxruntime-web \d+\.\d+\.\d+ \(Node \d+\)$/,
    );
    expect(host.software).toBe(false);
  });

  it("runs as an executor", async () => {
    const session = await executor(host).load(model);
    const input = session.inputs[0];
    const outputs = await session.run({
      [input?.name ?? ""]: {
        type: "float32",
        dims: [1, 1, 28, 28],
        data: new Float32Array(784).fill(0.5),
      },
    });
    expect(Object.values(outputs)[0]?.dims).toEqual([1, 10]);
    await session.dispose();
  });
});
