import { readFile } from "node:fs/promises";
import { onnxArtifact } from "@pare/runtime/format";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findBrowser } from "../engines/find-browser.js";
import { type Hosts, openHosts } from "../engines/open-hosts.js";
import { createScorer } from "../metrics/scorer.js";
import { createMeasure } from "./measure.js";
import { noise, splits } from "./noise-samples.test.support.js";
import { measureWhole } from "./whole.js";

const modelUrl = new URL("../../../fixtures/models/mnist-cnn.onnx", import.meta.url);
describe.skipIf((await findBrowser()) === null)("a GPU", () => {
  let open: Hosts;
  beforeAll(async () => void (open = await openHosts(["cpu", "webgpu"])), 60_000);
  afterAll(() => open.dispose());

  it("that is emulated gets no time, and shows its agreement with the CPU engine", async (context) => {
    const host = open.hosts.get("webgpu");
    if (host?.software !== true) return context.skip();
    const artifact = onnxArtifact(await readFile(modelUrl));
    const measure = createMeasure({
      hosts: open.hosts,
      samples: noise(() => 3),
      splits,
      seed: 1,
      scorer: createScorer("top1", true),
    });
    const whole = await measureWhole(measure, {
      artifact,
      baseline: artifact,
      target: "webgpu",
      engine: host.engine,
      referenceTarget: "cpu",
      standIn: "cpu",
      split: "test",
    });
    expect(whole.latencyMs).toEqual({ unmeasured: expect.stringMatching(/emulated on the CPU/) });
    expect(whole).toMatchObject({ memoryBytes: null, startupMs: null });
    expect(whole.accuracy).toMatchObject({ n: 60, measuredOn: "cpu" });
    expect(whole.parity?.n).toBeGreaterThan(0);
    expect(whole.parity?.maxError).toBeLessThan(1e-4);
    expect(whole.parity?.maxError).toBeGreaterThan(0);
  });
});
