import { fileURLToPath } from "node:url";
import {
  build,
  encodeModel,
  inferNode,
  type ModelSource,
  newHeader,
  Tensor,
  tensorType,
} from "@pare/compiler";
import { byteSource } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { openEngines } from "../../workbench/engines.js";
import { type OpenedModel, openModel, openModelSource } from "../../workbench/opened-model.js";
import { keepByLatency, type LatencyWish } from "./keep-latency.js";

const mnist = fileURLToPath(new URL("../../../../fixtures/models/mnist-cnn.onnx", import.meta.url));

const wishOf = (model: OpenedModel, target: LatencyWish["target"]): LatencyWish => ({
  model,
  target,
  keep: 0.6,
  stepsFor: () => [{ use: "simplify" }],
  seed: 0,
  say: { verbose: false, result() {}, note() {}, detail() {}, progress() {}, settle() {} },
  signal: new AbortController().signal,
});

/** Parameters that nothing is multiplied and summed with. */
async function scaling(): Promise<ModelSource> {
  const graph = build(newHeader(17), inferNode, (editor) => {
    const x = editor.addInput("x", tensorType("float32", [1, 3]));
    const scale = editor.constant("scale", Tensor.float32([3], [1, 2, 3]));
    editor.addOutput(editor.add1("Mul", [x, scale]));
  });
  const { proto } = await encodeModel(graph);
  return { name: "scaling.onnx", main: byteSource(proto), beside: new Map() };
}

it("says of a model without multiply-accumulates that no cut of them makes it quicker", async () => {
  const model = await openModelSource("scaling.onnx", await scaling(), {
    shapes: {},
    dims: {},
    constants: {},
  });
  await expect(keepByLatency(wishOf(model, "cpu"))).rejects.toMatchObject({
    code: "RECIPE",
    message: "--keep-latency 0.6 cannot be met: the model has no multiply-accumulates.",
  });
});

it("does not go by the times of a GPU that is emulated", async (context) => {
  const engines = await openEngines(["webgpu"]).catch(() => null);
  const isEmulated = engines?.hosts.get("webgpu")?.software === true;
  await engines?.dispose();
  if (!isEmulated) return context.skip();
  const model = await openModel(mnist, { shapes: {}, dims: {}, constants: {} });
  try {
    const kept = keepByLatency(wishOf(model, "webgpu"));
    await expect(kept).rejects.toMatchObject({
      code: "UNSUPPORTED_DEVICE",
      message: expect.stringContaining("is emulated on the CPU"),
    });
  } finally {
    model.close();
  }
});
