import { type Artifact, onnxArtifact } from "@pare/runtime/format";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { executor } from "../engines/executor.js";
import { EngineHost } from "../engines/host.js";
import { openNodeChannel } from "../engines/node-channel.js";
import { LoadedModels } from "./loaded-models.js";

/** Files that an engine would refuse: here each loads at once, and which of them are loaded is written down. */
const [first, ...others] = [1, 2, 3, 4, 5, 6].map((byte) => onnxArtifact(Uint8Array.of(byte)));
if (first === undefined) throw new Error("There are six.");

describe("models that are loaded", () => {
  let host: EngineHost;
  let loaded: Map<number, Artifact>;
  let models: LoadedModels;
  beforeEach(async () => {
    host = await EngineHost.start("cpu", () => openNodeChannel("cpu"));
    loaded = new Map();
    models = new LoadedModels();
    let id = 0;
    vi.spyOn(host, "load").mockImplementation(async (artifact) => {
      loaded.set(++id, artifact);
      return { id, inputs: [], outputs: [], loadMs: 1 };
    });
    vi.spyOn(host, "unload").mockImplementation(async (model) => void loaded.delete(model.id));
  });
  afterEach(() => host.dispose());

  const isLoaded = (artifact: Artifact): boolean => [...loaded.values()].includes(artifact);
  const useAll = async (artifacts: readonly Artifact[]): Promise<void> => {
    for (const one of artifacts) await models.using(host, one, {}, async () => {});
  };

  it("give way to others, the one that was used longest ago first", async () => {
    await useAll([first, ...others.slice(0, 3), first]);
    expect(host.load).toHaveBeenCalledTimes(4);
    await useAll(others.slice(3, 4));
    expect(isLoaded(first)).toBe(true);
    expect(others.map(isLoaded)).toEqual([false, true, true, true, false]);
  });

  it("give way to none while they are in use, however many others are asked for beside", async () => {
    await models.using(host, first, {}, async () => {
      await useAll(others);
      expect(isLoaded(first)).toBe(true);
    });
    expect(loaded.size).toBe(4);
    await useAll([...others, ...others]);
    expect(isLoaded(first)).toBe(false);
  });

  it("stay for a session until that is done, and are left for the next", async () => {
    const session = await executor(host, (artifact, options) =>
      models.hold(host, artifact, options),
    ).load(first);
    await useAll(others);
    expect(isLoaded(first)).toBe(true);
    await session.dispose();
    expect(isLoaded(first)).toBe(true);
    await useAll(others);
    expect(isLoaded(first)).toBe(false);
  });

  it("are let go where their use fails, and where not all of them load", async () => {
    const failed = new Error("It does not run.");
    await expect(models.using(host, first, {}, () => Promise.reject(failed))).rejects.toBe(failed);
    vi.mocked(host.load).mockImplementationOnce(() => Promise.reject(failed));
    const [other, ...rest] = others;
    await expect(models.usingAll(host, [first, other ?? first], {}, async () => {})).rejects.toBe(
      failed,
    );
    await useAll(rest);
    expect(isLoaded(first)).toBe(false);
  });

  it("that are wanted anew end when nobody uses them any more", async () => {
    await models.using(host, first, {}, async (before) => {
      await models.unload(host);
      expect(isLoaded(first)).toBe(true);
      await models.using(host, first, {}, async (anew) => expect(anew.id).not.toBe(before.id));
      expect(loaded.size).toBe(2);
    });
    expect(loaded.size).toBe(1);
    await models.unload(host);
    expect(loaded.size).toBe(0);
  });
});
