import { byteSource, onnxArtifact, type Tensors } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { beforeAll, describe, expect, it } from "vitest";
import { samples, splits } from "../../../fixtures/data/mnist.mjs";
import { rescaledChannels } from "../../../fixtures/scripts/rescaled-channels.mjs";
import { MeasuredActivations } from "../calibrate/measured-activations.js";
import type { Graph } from "../ir/index.js";
import { decodeModel, encodeModel } from "../onnx/index.js";
import { inferNode } from "../ops/index.js";
import { applyGroup } from "../pipeline/apply-step.js";
import type { Step } from "../pipeline/step.js";
import { passes } from "./index.js";
import { run } from "./quantization/engine-case.test.support.js";

const calibrating: Tensors[] = [];
const digits: { readonly feeds: Tensors; readonly label: number }[] = [];
let graph: Graph;

async function open(bytes: Uint8Array): Promise<Graph> {
  const model = { proto: byteSource(bytes), external: new Map() };
  return decodeModel(model, { infer: inferNode });
}

beforeAll(async () => {
  graph = await open(await rescaledChannels());
  const calibrates = new Set(splits.calibration);
  const tests = new Set(splits.test.filter((_, index) => index % 5 === 0));
  for await (const { id, label, feeds } of samples()) {
    const { dims, data } = feeds.x;
    const x: Tensors = { x: { type: "float32", dims, data } };
    if (calibrates.has(id)) calibrating.push(x);
    if (tests.has(id)) digits.push({ feeds: x, label });
  }
});

const activations = new MeasuredActivations({
  executor: cpu(),
  count: 200,
  async *samples() {
    yield* calibrating;
  },
});

/** The share of digits that are read rightly after some steps. */
async function accuracy(...steps: readonly Step[]): Promise<number> {
  const made = await applyGroup(graph, { steps }, { activations }, passes);
  const { proto } = await encodeModel(made.graph);
  const session = await cpu().load(onnxArtifact(proto));
  let right = 0;
  for (const { feeds, label } of digits) {
    const { logits } = await session.run(feeds);
    const values = Array.from(logits?.data ?? [], Number);
    if (values.indexOf(Math.max(...values)) === label) right += 1;
  }
  await session.dispose();
  return right / digits.length;
}

describe("rescaled channels", () => {
  const equalize: Step = { use: "equalize" };
  const round: Step = { use: "quantize-static", with: { granularity: "tensor" } };

  it("are the same function", async () => {
    const plain = await open(await rescaledChannels(0));
    for (const { feeds } of digits.slice(0, 5))
      expect(await run(graph, feeds)).toEqual(await run(plain, feeds));
  });

  it("are lost by rounding alone, untouched by equalizing alone, and kept by both", async () => {
    const float = await accuracy();
    expect(float).toBeGreaterThan(0.97);
    expect(await accuracy(equalize)).toBe(float);
    expect(await accuracy(round)).toBeLessThan(0.5);
    expect(await accuracy(equalize, round)).toBeGreaterThan(float - 0.01);
  });
});
