import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { openEngines } from "../../workbench/engines.js";
import { openModel } from "../../workbench/opened-model.js";
import { keepByLatency } from "./keep-latency.js";

const mnist = fileURLToPath(new URL("../../../../fixtures/models/mnist-cnn.onnx", import.meta.url));

it("does not go by the times of a GPU that is emulated", async (context) => {
  const engines = await openEngines(["webgpu"]).catch(() => null);
  const isEmulated = engines?.hosts.get("webgpu")?.software === true;
  await engines?.dispose();
  if (!isEmulated) return context.skip();
  const model = await openModel(mnist, { shapes: {}, dims: {}, constants: {} });
  try {
    const kept = keepByLatency({
      model,
      target: "webgpu",
      keep: 0.6,
      stepsFor: () => [{ use: "simplify" }],
      seed: 0,
      say: { verbose: false, result() {}, note() {}, detail() {}, progress() {}, settle() {} },
      signal: new AbortController().signal,
    });
    await expect(kept).rejects.toMatchObject({
      code: "UNSUPPORTED_DEVICE",
      message: expect.stringContaining("is emulated on the CPU"),
    });
  } finally {
    model.close();
  }
});
