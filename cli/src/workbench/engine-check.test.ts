import { readFile } from "node:fs/promises";
import { openHosts } from "@pare/bench";
import {
  build,
  encodeModel,
  type Graph,
  importModel,
  inferNode,
  newHeader,
  parseGraph,
  Tensor,
  tensorType,
} from "@pare/compiler";
import { byteSource, PareError } from "@pare/runtime/format";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { modelInputs } from "../platform/open-model.js";
import { type CheckLimits, checkLimits, checkText, EngineChecker } from "./engine-check.js";

// On the engine itself, in the process that the verbs ask.

let checker: EngineChecker;
beforeAll(() => {
  checker = new EngineChecker();
});
afterAll(() => checker.dispose());

const x = "(x: float32[2]) -> (y)";
const graphs = {
  relu: parseGraph(`graph main opset 21 ${x} {\n  %1 = Relu(x) : float32[2]\n  return %1\n}\n`),
  /** Loads, and fails in a run: there is no element 7. */
  outside: parseGraph(
    `graph main opset 21 ${x} {\n  %1 = NonZero(x) : int64[1, ?1]\n  %2 = Mul(%1, const int64[] 0) : int64[1, ?1]\n  %3 = Add(%2, const int64[] 7) : int64[1, ?1]\n  %4 = Gather(x, %3) : float32[1, ?1]\n  return %4\n}\n`,
  ),
  /** Rows by places, of a table of one. */
  single: parseGraph(
    "graph main opset 21 (at: int64[64]) -> (y) {\n  %1 = Gather(const float32[1] [2.0], at) : float32[64]\n  return %1\n}\n",
  ),
  /** No engine has such an operator. */
  unknown: parseGraph(
    `graph main opset 21 ${x} {\n  %1 = Unheard(x) : float32[2]\n  return %1\n}\n`,
  ),
  /** More elements than are made up. */
  wide: parseGraph(
    `graph main opset 21 (x: float32[40000000]) -> (y) {\n  %1 = Shape(x) : int64[1]\n  return %1\n}\n`,
  ),
  huge: parseGraph(
    `graph main opset 21 (x: float32[1]) -> (y) {\n  %1 = Expand(x, const int64[1] [1000000000]) : float32[1000000000]\n  %2 = ReduceSum(%1) : float32[1]\n  return %2\n}\n`,
  ),
};

const encoded = async (graph: Graph): Promise<Uint8Array> => (await encodeModel(graph)).proto;

/** What is said of one graph that was made of another. */
async function check(
  made: Graph,
  given: Graph = made,
  limits: CheckLimits = checkLimits,
  signal = new AbortController().signal,
  by = checker,
) {
  const read = async () => ({ bytes: await encoded(given), sha256: "" });
  const model = {
    graph: made,
    get inputs() {
      return modelInputs(made);
    },
    read,
  };
  return by.check(model, await encoded(made), signal, limits);
}

describe("what is about to be written", () => {
  it("is loaded and run", async () => {
    const said = await check(graphs.relu);
    expect(said).toEqual({
      status: "ran",
      engine: expect.stringMatching(/^onnxruntime-node \d+\./),
    });
    expect(checkText(said)).toMatch(/^runs on onnxruntime-node/);
  });

  it("is not shown to an engine that may need more memory than there is", async () => {
    const weights = Tensor.lazy("float32", [2 ** 20, 2 ** 20], () => Promise.reject(new Error()));
    const graph = build(newHeader(21), inferNode, (editor) => {
      const input = editor.addInput("x", tensorType("float32", [1, 2 ** 20]));
      editor.addOutput(editor.add1("MatMul", [input, editor.constant("w", weights)]));
    });
    const read = (): Promise<never> => Promise.reject(new Error("It is not to be read."));
    const model = { graph, inputs: modelInputs(graph), read };
    const said = await checker.check(model, Uint8Array.of(0), new AbortController().signal);
    expect(said).toEqual({
      status: "not checked",
      reason: expect.stringMatching(
        /^the engine may need \S+ [TG]B of memory for it, .* are free$/,
      ),
    });
  });

  it("is run on the engine that is open, which stays open", async () => {
    const { hosts, dispose } = await openHosts(["cpu"]);
    try {
      const host = hosts.get("cpu");
      if (host === undefined) throw new Error("no engine");
      const load = vi.spyOn(host, "load");
      const other = new EngineChecker(host);
      const said = await check(graphs.relu, graphs.relu, checkLimits, undefined, other);
      expect(said).toEqual({ status: "ran", engine: host.engine });
      expect(load).toHaveBeenCalledOnce();
      await other.dispose();
      expect(await host.peakBytes()).toBeGreaterThan(0);
    } finally {
      await dispose();
    }
  });

  it.each([
    ["does not load", graphs.unknown],
    ["does not run", graphs.outside],
  ])("is refused where it %s and what was given does", async (_, made) => {
    await expect(check(made, graphs.relu)).rejects.toMatchObject({
      code: "PASS_FAILED",
      hint: expect.stringContaining("--no-check"),
    });
  });

  it("is refused where what was given loads alone, and it is said that this may be broken", async () => {
    await expect(check(graphs.unknown, graphs.outside)).rejects.toMatchObject({
      code: "PASS_FAILED",
      hint: expect.stringMatching(/does not run on made-up inputs either.*may be broken itself/),
    });
  });

  it("is run with places that all have, where others are beyond what there is", async () => {
    expect(await check(graphs.single)).toMatchObject({ status: "ran" });
  });

  it("is refused where it ends the engine, whose bug that is", async () => {
    const { hosts, dispose } = await openHosts(["cpu"]);
    try {
      const host = hosts.get("cpu");
      if (host === undefined) throw new Error("no engine");
      const crash = new PareError("ENGINE_CRASHED", "It was ended by SIGSEGV.");
      vi.spyOn(host, "load").mockRejectedValueOnce(crash);
      const other = new EngineChecker(host);
      await expect(
        check(graphs.relu, graphs.relu, checkLimits, undefined, other),
      ).rejects.toMatchObject({
        code: "ENGINE_CRASHED",
        message: expect.stringMatching(/takes the model that was given.*SIGSEGV/),
        hint: expect.stringMatching(/the bug is the engine's own.*--no-check/),
      });
    } finally {
      await dispose();
    }
  });

  it("is written unchecked where the engine refuses what was given, too", async () => {
    const said = await check(graphs.unknown);
    expect(said).toMatchObject({
      status: "not checked",
      reason: expect.stringMatching(/Unheard.*, and so for the model as it was given$/),
    });
    expect(checkText(said)).toMatch(/^not checked: /);
    expect(await check(graphs.outside)).toMatchObject({
      status: "loaded",
      reason: expect.stringMatching(/Gather.*, and so for the model as it was given$/),
    });
    expect(await check(graphs.outside, graphs.unknown)).toMatchObject({ status: "loaded" });
  });

  it.each(["MODEL_LIMIT", "NO_MEMORY"] as const)(
    "is written unchecked where what was given cannot be asked of the engine: %s",
    async (code) => {
      const model = {
        graph: graphs.unknown,
        inputs: modelInputs(graphs.unknown),
        read: () => Promise.reject(new PareError(code, "It is too large.")),
      };
      const made = await encoded(graphs.unknown);
      expect(await checker.check(model, made, new AbortController().signal)).toEqual({
        status: "not checked",
        reason: expect.stringMatching(/Unheard.*, and the model as it was given is too large/),
      });
    },
  );

  it("is loaded where nothing can be made up to run it on", async () => {
    expect(await check(graphs.wide)).toMatchObject({
      status: "loaded",
      reason: "its inputs cannot be made up",
    });
  });

  it("is not shown to the engine where a value in it would fill the memory", async () => {
    expect(await check(graphs.huge)).toEqual({
      status: "not checked",
      reason: "one value in it takes 4.00 GB",
    });
  });

  it("may take longer than anyone waits: the engine is ended, and the next model runs", async () => {
    const file = new URL("../../../fixtures/hostile/loop-forever.onnx", import.meta.url);
    const main = byteSource(await readFile(file));
    const forever = await importModel({ name: "loop-forever.onnx", main, beside: new Map() });
    const limits = { ...checkLimits, runMs: 300 };
    expect(await check(forever, graphs.relu, limits)).toMatchObject({
      status: "loaded",
      reason: expect.stringMatching(/did not answer within 0\.3 s \(run\), and was ended$/),
    });
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 300);
    await expect(check(forever, forever, checkLimits, stop.signal)).rejects.toMatchObject({
      code: "ABORTED",
    });
    expect(await check(graphs.relu)).toMatchObject({ status: "ran" });
  });
});
