import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { onnxArtifact, PareError, type Tensors } from "@pare/runtime/format";
import { afterEach, describe, expect, it } from "vitest";
import { EngineHost } from "../engines/host.js";
import { openNodeChannel } from "../engines/node-channel.js";
import type { Channel } from "../engines/protocol.js";
import { LoadedModels } from "./loaded-models.js";
import { noise } from "./noise-samples.test.support.js";
import { runShared } from "./run-shared.js";
import { SharedSamples } from "./shared-samples.js";

const model = await readFile(new URL("../../../fixtures/models/mnist-cnn.onnx", import.meta.url));
const artifact = onnxArtifact(model);
const samples = noise(() => 3);
const some = Array.from({ length: 21 }, (_, position) => 3 * position);

let host: EngineHost | null = null;
afterEach(() => host?.dispose());

/** @param open a second engine */
async function start(open: () => Promise<Channel> = () => openNodeChannel("cpu")) {
  let opened = 0;
  host = await EngineHost.start("cpu", () => (opened++ === 0 ? openNodeChannel("cpu") : open()));
  return host;
}

async function answersOf(engines: readonly [EngineHost, ...EngineHost[]]) {
  const answers = new Map<number, Tensors>();
  const each = async (outputs: Tensors, { id }: { readonly id: string }, index: number) => {
    expect(id).toBe(`s${index}`);
    expect(answers.has(index)).toBe(false);
    answers.set(index, outputs);
  };
  await runShared(engines, { artifact, samples, models: new LoadedModels(), each }, some, {});
  return [...answers].sort(([one], [other]) => one - other);
}

describe("samples that engines share", () => {
  it("are each run once, by one of them, and answered as by one alone", async () => {
    const first = await start();
    const [second] = first.beside(1);
    if (second === undefined) throw new Error("There is none beside it.");
    const alone = await answersOf([first]);
    expect(alone.map(([index]) => index)).toEqual(some);
    expect(await answersOf([first, second])).toEqual(alone);
    // As many of them as are asked for, and the same again.
    expect(first.beside(2)[0]).toBe(second);
  });

  it("are run by the first where another one fails", async () => {
    const first = await start(async () => {
      throw new PareError("NO_MEMORY", "There is none for a second engine.");
    });
    expect(await answersOf([first, ...first.beside(1)])).toEqual(await answersOf([first]));
  });

  it("fail where the first fails", async () => {
    const first = await start();
    const broken = { artifact: onnxArtifact(new Uint8Array(100).fill(7)), samples };
    const each = async (): Promise<void> => {};
    const engines = [first, ...first.beside(1)] as const;
    await expect(
      runShared(engines, { ...broken, models: new LoadedModels(), each }, some, {}),
    ).rejects.toMatchObject({ code: "ENGINE" });
  });

  it("are shared where that was found to be quicker, and the file is not too large", async () => {
    const first = await start();
    const shared = new SharedSamples();
    expect(shared.engines(first, artifact)).toEqual([first]);
    expect(shared.found("cpu", 1.05)).toBe(1);
    expect(shared.engines(first, artifact)).toEqual([first]);
    const most = Math.min(4, availableParallelism());
    // What a cache holds may be anything.
    expect(shared.found("cpu", 1e9)).toBe(most);
    expect(shared.found("cpu", 1.5)).toBe(Math.min(most, 1.5));
    expect(shared.engines(first, artifact)).toHaveLength(most);
    const large = onnxArtifact(new Uint8Array(300 * 2 ** 20));
    expect(shared.engines(first, large)).toEqual([first]);
  });

  it("are found to be quicker by no more than there are engines", async () => {
    const first = await start();
    const asked: number[] = [];
    const run = async (engine: EngineHost, times: number): Promise<void> => {
      asked.push(engine === first ? times : -times);
      await new Promise((resolve) => setTimeout(resolve, 5 * times));
    };
    const speed = (await new SharedSamples().find(first, artifact, 100, run)) ?? 1;
    const engines = Math.min(4, availableParallelism());
    expect(speed).toBeGreaterThanOrEqual(1);
    expect(speed).toBeLessThanOrEqual(engines);
    // Each once before, then one alone and all of them, twice.
    if (engines > 1)
      expect(asked.filter((times) => Math.abs(times) === 2)).toHaveLength(2 * (1 + engines));
  });

  it("are not tried again on a target whose further engines failed, and on others they are", async () => {
    const shared = new SharedSamples();
    let asked = 0;
    const first = await start();
    const failing = async (engine: EngineHost): Promise<void> => {
      asked++;
      if (engine !== first) throw new PareError("NO_MEMORY", "There is none for a second engine.");
    };
    expect(await shared.find(first, artifact, 100, failing)).toBeNull();
    const before = asked;
    expect(await shared.find(first, artifact, 100, failing)).toBeNull();
    expect(asked).toBe(before);
    const other = await EngineHost.start("wasm", () => openNodeChannel("wasm"));
    try {
      const run = async (): Promise<void> => void asked++;
      const speed = await shared.find(other, artifact, 100, run);
      if (availableParallelism() > 1) expect(speed).not.toBeNull();
    } finally {
      await other.dispose();
    }
  });
});
