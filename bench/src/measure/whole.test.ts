import { readFile } from "node:fs/promises";
import { onnxArtifact, type SampleSet } from "@pare/runtime/format";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findBrowser } from "../engines/find-browser.js";
import { type Hosts, openHosts } from "../engines/open-hosts.js";
import { createScorer } from "../metrics/scorer.js";
import { seeded } from "../statistics/random.js";
import { createMeasure } from "./measure.js";
import { measureWhole } from "./whole.js";

const modelUrl = new URL("../../../fixtures/models/mnist-cnn.onnx", import.meta.url);
const indexes = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index);
const splits = { calibration: [], validation: indexes(0, 40), test: indexes(40, 100) };

const noise: SampleSet = {
  size: 100,
  labelled: true,
  info: async (index) => ({ id: `s${index}`, label: 3, group: null }),
  async sample(index) {
    const random = seeded(index);
    const data = Float32Array.from({ length: 784 }, () => (random() < 0.2 ? random() : 0));
    return {
      ...(await this.info(index)),
      feeds: { x: { type: "float32", dims: [1, 1, 28, 28], data } },
    };
  },
};

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
      samples: noise,
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
