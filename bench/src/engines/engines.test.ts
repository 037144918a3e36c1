import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  onnxArtifact,
  type Artifact,
  Reducer,
  reduceOutputs,
  type SampleSet,
  type Session,
  type Tensors,
  isRecord,
} from "@pare/runtime/format";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { EngineBrowser } from "./browser.js";
import { engineOf } from "./engine-of.test.support.js";
import { EngineServer } from "./engine-server.js";
import { executor } from "./executor.js";
import { findBrowser } from "./find-browser.js";
import { EngineHost, type LoadedModel } from "./host.js";
import { openNodeChannel } from "./node-channel.js";
import { openHosts } from "./open-hosts.js";
import type { Channel, EngineRequest } from "./protocol.js";

const file = new URL("../../../fixtures/models/mnist-cnn.onnx", import.meta.url);
const digit = (value: number) => ({
  x: { type: "float32" as const, dims: [1, 1, 28, 28], data: new Float32Array(784).fill(value) },
});
const hasBrowser = (await findBrowser()) !== null;

interface Place {
  readonly name: string;
  readonly target: "cpu" | "wasm" | "webgpu";
  readonly engine: RegExp;
  readonly browser: boolean;
}

const places: readonly Place[] = [
  {
    name: "cpu in a child process",
    target: "cpu",
    engine: /^onnxruntime-node \d+\.\d+\.\d+ \(Node \d+\)$/,
    browser: false,
  },
  {
    name: "wasm in a child process",
    target: "wasm",
    engine: /^onnxruntime-web \d+\.\d+\.\d+ \(Node \d+\)$/,
    browser: false,
  },
  {
    name: "wasm in a browser",
    target: "wasm",
    engine: /^onnxruntime-web \d+\.\d+\.\d+ \((Chromium|Chrome|Edge) \d+\)$/,
    browser: true,
  },
  {
    name: "webgpu in a browser",
    target: "webgpu",
    engine: /^onnxruntime-web \d+\.\d+\.\d+ \(WebGPU: .+, (Chromium|Chrome|Edge) \d+\)$/,
    browser: true,
  },
];

let browser: EngineBrowser | undefined;
afterAll(() => browser?.dispose());

function open({ target, browser: inBrowser }: Place): Promise<EngineHost> {
  if (target === "cpu" || !inBrowser)
    return EngineHost.start(target, () => openNodeChannel(target === "webgpu" ? "wasm" : target));
  return EngineHost.start(target, async () =>
    (browser ??= await EngineBrowser.launch()).openChannel(target),
  );
}

describe.each(places)("$name", (place) => {
  let host: EngineHost;
  let model: Artifact;
  let expected: readonly number[];
  let session: Session;
  beforeAll(async () => {
    if (place.browser && !hasBrowser) return;
    host = await open(place);
    model = onnxArtifact(await readFile(file));
    const cpu = await EngineHost.start("cpu", () => openNodeChannel("cpu"));
    const outputs = await cpu.run(await cpu.load(model), digit(0.5));
    expected = Array.from(outputs["logits"]?.data ?? [], Number);
    await cpu.dispose();
    // One for all that only run it: an emulated GPU takes seconds to load a model.
    session = await executor(host).load(model);
  }, 60_000);
  afterAll(() => host?.dispose());

  it.skipIf(place.browser && !hasBrowser)(
    "says which engine it is, and agrees with the CPU engine",
    async () => {
      expect(host.engine).toMatch(place.engine);
      const { logits } = await session.run(digit(0.5));
      expect(logits?.dims).toEqual([1, 10]);
      Array.from(logits?.data ?? [], Number).forEach((value, index) =>
        expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 4),
      );
    },
  );

  it.skipIf((place.browser && !hasBrowser) || place.target !== "wasm")(
    "multiplies pairs of integers without saturating, so that weights may have all eight bits",
    async () => {
      const pairs = await readFile(
        new URL("../../../runtime/test-models/saturating-pairs.onnx", import.meta.url),
      );
      const other = await executor(host).load(onnxArtifact(pairs));
      const x = { type: "uint8", dims: [1, 64], data: new Uint8Array(64).fill(255) } as const;
      expect(Number((await other.run({ x })).y?.data[0])).toBe(64 * 255 * 127);
      await other.dispose();
    },
  );

  it.skipIf(place.browser && !hasBrowser)(
    "reduces the outputs of many samples as it would one by one, and sends none of them",
    async () => {
      const values = Array.from({ length: 9 }, (_, index) => index / 10);
      const reductions = (["histogram", "min", "max", "ends", "sum"] as const).map((by) => ({
        output: "logits",
        by,
      }));
      const reducer = new Reducer(reductions);
      for (const value of values) reducer.add(await session.run(digit(value)));
      const run = vi.spyOn(host, "run");
      const done: number[] = [];
      const samples = async function* samples(): AsyncGenerator<Tensors> {
        for (const value of values) yield digit(value);
      };
      const reduced = await reduceOutputs(session, samples(), reductions, {
        onSamples: (count) => done.push(count),
      });
      // Exactly: sums are taken in the samples' order, however they were sent.
      expect(reduced).toEqual(reducer.reduced);
      expect(run).not.toHaveBeenCalled();
      expect(done.at(-1)).toBe(9);
    },
  );

  it.skipIf(place.browser && !hasBrowser)(
    "says what is wrong with feeds, and goes on",
    async () => {
      await expect(session.run({ y: new Float32Array(1) })).rejects.toMatchObject({
        code: "INPUT",
      });
      await expect(session.run(digit(0))).resolves.toHaveProperty("logits");
      await session.dispose(); // the last that runs it
    },
  );

  it.skipIf((place.browser && !hasBrowser) || place.target === "webgpu")(
    "starts again after its engine is gone",
    async () => {
      const loaded = await host.load(model);
      const stop = new AbortController();
      const running = host
        .warmUp([loaded], [digit(0)], 60_000, { signal: stop.signal })
        .then(() => host.warmUp([loaded], [digit(0)], 60_000, { signal: stop.signal }));
      stop.abort();
      await expect(running).rejects.toMatchObject({ code: "ABORTED" });
      const again = await host.load(model);
      await expect(host.run(again, digit(1))).resolves.toHaveProperty("logits");
    },
  );

  it.skipIf((place.browser && !hasBrowser) || place.target === "webgpu")(
    "measures a cold start and its memory",
    async () => {
      const { startupMs, memoryBytes } = await host.coldStart(model, digit(1));
      expect(startupMs).toBeGreaterThan(0);
      expect(memoryBytes).toBeGreaterThan(4e6);
    },
  );
});

/** A channel to an engine in Node that tells what is asked of it. A reduction may take as long as it does on a busy machine. */
async function told(target: "cpu" | "wasm", asked: EngineRequest["kind"][]): Promise<Channel> {
  const channel = await openNodeChannel(target);
  return {
    get alive() {
      return channel.alive;
    },
    dispose: () => channel.dispose(),
    call: (request, signal) => {
      asked.push(request.kind);
      const quick = request.kind === "reduce" ? { ...request, maxMs: 1e6 } : request;
      return channel.call(quick, signal);
    },
  };
}

describe("a reduction", async () => {
  const model = onnxArtifact(await readFile(file));

  it("takes one message and one answer where samples are small and quick", async () => {
    const asked: EngineRequest["kind"][] = [];
    const host = await EngineHost.start("cpu", () => told("cpu", asked));
    try {
      const session = await executor(host).load(model);
      // As many as fit: one over that needs another message.
      for (const [count, messages] of [
        [0, 1],
        [60, 1],
        [65, 2],
      ] as const) {
        asked.length = 0;
        const digits = async function* digits(): AsyncGenerator<Tensors> {
          for (let index = 0; index < count; index += 1) yield digit(index / count);
        };
        const [reduced] = await reduceOutputs(session, digits(), [{ output: "logits", by: "sum" }]);
        expect(reduced).toMatchObject({ by: "sum", numbers: count === 0 ? null : { length: 10 } });
        expect(asked).toEqual(Array.from({ length: messages }, () => "reduce"));
      }
    } finally {
      await host.dispose();
    }
  });

  it("is answered every now and then where samples are slow, and loses none", async () => {
    let now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now);
    const server = new EngineServer(
      engineOf(async (feeds) => {
        now += 10;
        return feeds;
      }),
    );
    await server.answer({ kind: "load", id: 1, artifact: model, threads: 1 });
    const ask = async (values: readonly number[], last: boolean) => {
      const samples = values.map((x) => ({
        ref: 0,
        feeds: { x: { type: "float32" as const, dims: [1], data: Float32Array.of(x) } },
      }));
      const reductions = [{ output: "x", by: "sum" as const }];
      const request = { kind: "reduce", id: 1, reduction: 7, samples, reductions, last } as const;
      const reply = await server.answer({ ...request, maxMs: 1 });
      return reply.ok ? reply.value : reply;
    };
    expect(await ask([1, 2], false)).toEqual({ done: 1, waiting: 1, reduced: null });
    expect(await ask([4], true)).toEqual({ done: 1, waiting: 1, reduced: null });
    const reduced = [{ by: "sum", numbers: Float64Array.of(7) }];
    expect(await ask([], true)).toEqual({ done: 1, waiting: 0, reduced });
    const samples = [1, 2, 3].map((x) => ({
      ref: 0,
      feeds: { x: { type: "float32" as const, dims: [1], data: Float32Array.of(x) } },
    }));
    const run = { kind: "run", id: 1, samples } as const;
    const ran = async (request: EngineRequest) => {
      const reply = await server.answer(request);
      const value = reply.ok ? reply.value : null;
      return isRecord(value) && Array.isArray(value["outputs"]) ? value["outputs"].length : null;
    };
    expect(await ran({ ...run, maxMs: 15 })).toBe(2);
    expect(await ran(run)).toBe(3);
    // What began and was left ends with its model.
    await ask([1], false);
    await server.answer({ kind: "unload", id: 1 });
    await server.answer({ kind: "load", id: 1, artifact: model, threads: 1 });
    const once = [{ by: "sum", numbers: Float64Array.of(2) }];
    expect(await ask([2], true)).toEqual({ done: 1, waiting: 0, reduced: once });
    vi.restoreAllMocks();
  });
});

it("starts its engine before the first model where it is told to, and for a cold start with that", async () => {
  const model = onnxArtifact(await readFile(file));
  const asked: EngineRequest["kind"][] = [];
  const host = await EngineHost.start("wasm", () => told("wasm", asked));
  try {
    await host.prepare();
    await host.load(model);
    expect(asked).toEqual(["probe", "start", "load"]);
    asked.length = 0;
    await host.coldStart(model, digit(0));
    expect(asked).toEqual(["probe", "load", "run", "memory"]);
  } finally {
    await host.dispose();
  }
});

describe("without a browser", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("runs wasm in Node, and skips webgpu with the reason and what to install", async () => {
    vi.stubEnv("PARE_CHROMIUM", "/nowhere/chromium");
    const open = await openHosts(["wasm", "webgpu"]);
    expect(open.hosts.get("wasm")?.engine).toMatch(/Node/);
    expect(open.notes).toEqual([expect.stringMatching(/in Node: No Chromium/)]);
    expect(open.skipped).toEqual([
      { target: "webgpu", reason: expect.stringMatching(/No Chromium.* Install/) },
    ]);
    await open.dispose();
  });
});

describe("a crash", () => {
  it("is reported with the reason, and loses no more than the call", async () => {
    const channel = await openNodeChannel("cpu");
    const host = await EngineHost.start("cpu", async () => channel);
    await channel.dispose();
    await expect(channel.call({ kind: "memory" })).rejects.toMatchObject({
      code: "ENGINE_CRASHED",
      message: expect.stringMatching(/SIGKILL/),
    });
    await host.dispose();
  });

  it("is what a hang is taken for, after the time that an answer may take", async () => {
    const forever = new URL("../../../runtime/test-models/loop-forever.onnx", import.meta.url);
    const host = await EngineHost.start("cpu", () => openNodeChannel("cpu"));
    try {
      const hung = await host.load(onnxArtifact(await readFile(forever)), { limitMs: 20_000 });
      const feeds = Object.fromEntries(
        hung.inputs.map(({ name, type, dims }) => [
          name,
          { type, dims: dims.map(Number), data: new Float32Array(4) },
        ]),
      );
      await expect(host.run(hung, feeds, { limitMs: 300 })).rejects.toMatchObject({
        code: "ENGINE_CRASHED",
        message: expect.stringMatching(/did not answer within 0\.3 s/),
      });
      const model = await host.load(onnxArtifact(await readFile(file)));
      expect((await host.run(model, digit(0), { limitMs: 20_000 })).logits?.dims).toEqual([1, 10]);
    } finally {
      await host.dispose();
    }
  });

  it("between two calls is one of the second, and the engine starts again", async () => {
    const channels: Awaited<ReturnType<typeof openNodeChannel>>[] = [];
    const host = await EngineHost.start("cpu", async () => {
      const channel = await openNodeChannel("cpu");
      channels.push(channel);
      return channel;
    });
    try {
      const source = onnxArtifact(await readFile(file));
      const model = await host.load(source);
      await channels[0]?.dispose();
      await expect(host.run(model, digit(0))).rejects.toMatchObject({ code: "ENGINE_CRASHED" });
      const again = await host.load(source);
      expect((await host.run(again, digit(0)))["logits"]?.dims).toEqual([1, 10]);
    } finally {
      await host.dispose();
    }
  });

  it("between two candidates loses the samples that the engine held, and the next one runs on them all", async () => {
    const channels: Awaited<ReturnType<typeof openNodeChannel>>[] = [];
    const host = await EngineHost.start("cpu", async () => {
      const channel = await openNodeChannel("cpu");
      channels.push(channel);
      return channel;
    });
    const samples: SampleSet = {
      size: 3,
      labelled: false,
      info: async (index) => ({ id: String(index), label: null, group: null }),
      sample: async (index) => ({
        ...(await samples.info(index)),
        feeds: digit(index / 3),
      }),
    };
    const answers = async (model: LoadedModel): Promise<Tensors[]> => {
      const outputs: Tensors[] = [];
      await host.runSamples(model, samples, [0, 1, 2], (each) => void outputs.push(each));
      return outputs;
    };
    try {
      const source = onnxArtifact(await readFile(file));
      const first = await host.load(source);
      const expected = await answers(first);
      await channels[0]?.dispose();
      await expect(answers(first)).rejects.toMatchObject({ code: "ENGINE_CRASHED" });
      expect(await answers(await host.load(source))).toEqual(expected);
      expect(channels).toHaveLength(2);
    } finally {
      await host.dispose();
    }
  });
});

it("leaves nothing of onnxruntime-node's own in the temporary folder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "engine-"));
  vi.stubEnv("TMPDIR", folder);
  try {
    const opened = await openHosts(["cpu"]);
    await opened.dispose();
    expect(opened.hosts.size).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  } finally {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  }
});

it("opens no engines for who cancels meanwhile, and leaves nothing of theirs", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pare-cancelled-"));
  vi.stubEnv("TMPDIR", folder);
  const controller = new AbortController();
  const opening = openHosts(["cpu", "wasm"], { signal: controller.signal });
  const rejected = expect(opening).rejects.toMatchObject({ code: "ABORTED" });
  // The browser is on its way by then, where there is one.
  if ((await findBrowser()) !== null)
    await expect.poll(() => readdir(folder), { timeout: 30_000 }).not.toEqual([]);
  controller.abort();
  await rejected;
  vi.unstubAllEnvs();
  expect(await readdir(folder)).toEqual([]);
  await rm(folder, { recursive: true });
});
