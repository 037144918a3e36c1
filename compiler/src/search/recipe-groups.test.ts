import { type Artifact, byteSource, type Executor, PareError } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { describe, expect, it, vi } from "vitest";
import type { Graph } from "../ir/index.js";
import { decodeModel } from "../onnx/index.js";
import { inferNode } from "../ops/index.js";
import { passes } from "../passes/index.js";
import type { Examples } from "../pipeline/examples.js";
import { parseRecipe } from "../pipeline/recipe.js";
import { optimize } from "./optimize.js";
import { replay } from "./replay.js";
import type { Optimized } from "./request.js";
import { bytesOf, device, original, requestFor } from "./search-request.test.support.js";
import { type Said, type Simulated, simulatedMeasure } from "./simulated-measure.test.support.js";

const recipeOf = (...steps: readonly unknown[]) => parseRecipe({ steps }, "own", passes);
const isSmall = (artifact: Artifact): boolean => bytesOf(artifact) < 0.4 * bytesOf(original);

async function searched(
  steps: readonly unknown[],
  say: (artifact: Artifact) => Said | PareError = () => ({}),
  more: Parameters<typeof requestFor>[1] = {},
): Promise<Optimized> {
  const measure: Simulated = simulatedMeasure(say);
  return optimize(await requestFor(measure, { recipe: recipeOf(...steps), ...more }));
}

async function graphOf({ variants: [variant] }: Optimized): Promise<Graph> {
  const proto = byteSource(variant?.artifact.files[0].bytes ?? new Uint8Array());
  return decodeModel({ proto, external: new Map() }, { infer: inferNode });
}

const stepOf = ({ steps }: Optimized, use: string) =>
  steps.find(({ group }) => group?.includes(use));

describe("a group that is required", () => {
  const lower = { use: "lower-opset", with: { opset: 13 }, required: true };

  it("ends every file where its pass does, wherever it stands, and is told", async () => {
    const done = await searched(["simplify", lower, "quantize-weights"]);
    expect((await graphOf(done)).opset()).toBe(13);
    expect(isSmall(done.variants[0]?.artifact ?? original)).toBe(true);
    expect(stepOf(done, "lower-opset")).toMatchObject({
      verdict: "kept",
      reason: expect.stringMatching(/^required; equal within rounding/),
    });
    expect(done.lock.targets[0]?.groups.at(-1)).toMatchObject({
      steps: [{ use: "lower-opset", with: { opset: 13 } }],
      required: true,
    });
  });

  it("stays where it makes the model slower, and goes where it is not required", async () => {
    const slower = (artifact: Artifact): Said => (artifact === original ? {} : { ratio: 1.3 });
    const required = await searched(["simplify", lower], slower);
    expect((await graphOf(required)).opset()).toBe(13);
    expect(stepOf(required, "lower-opset")).toMatchObject({ verdict: "kept" });
    const free = await searched(["simplify", { ...lower, required: false }], slower);
    expect(free.variants[0]?.artifact).toBe(original);
    expect(stepOf(free, "lower-opset")).toMatchObject({ verdict: "reverted" });
  });

  it("is said to be impossible where the engine refuses what it makes", async () => {
    const refusing = (artifact: Artifact): Said | PareError =>
      artifact === original ? {} : new PareError("ENGINE", "No such opset.");
    const done = await searched(["simplify", lower], refusing);
    expect(stepOf(done, "lower-opset")).toMatchObject({
      verdict: "reverted",
      reason: expect.stringContaining("No such opset."),
    });
  });

  it("stays in the middle, slower or not, in all that is chosen after it", async () => {
    const steps = ["simplify", { use: "fp16-weights", required: true }, "quantize-dynamic"];
    const halved = (artifact: Artifact): Said =>
      isSmall(artifact)
        ? { drop: 0.5 }
        : bytesOf(artifact) < 0.9 * bytesOf(original)
          ? { ratio: 1.4 }
          : {};
    const done = await searched(steps, halved);
    expect(stepOf(done, "fp16-weights")).toMatchObject({ verdict: "kept" });
    expect(done.variants[0]?.precision).toBe("float16-weights");
    const chosen = done.candidates.filter(({ verdict }) => verdict === "chosen");
    expect(chosen).toHaveLength(1);
    expect(done.candidates.map(({ name }) => name)).not.toContain("float");
  });

  it("is judged where it may lose accuracy, even as the last, and goes where it is wrong", async () => {
    const steps = ["simplify", { use: "quantize-weights", required: true }];
    const wrong = await searched(steps, (artifact) => (isSmall(artifact) ? { drop: 0.3 } : {}));
    expect(stepOf(wrong, "quantize-weights")).toMatchObject({ verdict: "reverted" });
    expect(wrong.variants[0]?.name).toBe("float");
    const late = await searched(steps, (artifact) => (isSmall(artifact) ? { testDrop: 0.3 } : {}));
    expect(late.variants[0]?.name).toBe("float");
    const chosen = late.candidates.filter(({ verdict }) => verdict === "chosen");
    expect(chosen.map(({ name }) => name)).toEqual(["float"]);
  });

  it("is tried however little time there is", async () => {
    const steps = ["simplify", { use: "fp16-weights", required: true }, "quantize-weights"];
    const budget = {
      limits: () => ({ maxDrop: 0.01 }),
      prefer: "latency",
      timeBudgetMs: 1,
    } as const;
    const done = await searched(steps, () => ({}), { budget });
    expect(stepOf(done, "fp16-weights")).toMatchObject({ verdict: "kept" });
    expect(stepOf(done, "quantize-weights")).toBeUndefined();
  });

  it("carries on into what a target proposes", async () => {
    const recipe = {
      ...recipeOf("simplify", { use: "equalize", required: true }),
      propose: true,
    };
    const say = (artifact: Artifact): Said => (isSmall(artifact) ? { ratio: 0.5 } : {});
    const { lock } = await searched([], say, { recipe });
    const uses = lock.targets[0]?.groups.flatMap(({ steps }) => steps.map(({ use }) => use));
    expect(uses?.slice(0, 2)).toEqual(["simplify", "equalize"]);
    expect(uses?.length).toBeGreaterThan(2);
  });
});

describe("a group together", () => {
  const half = (artifact: Artifact): Said => (isSmall(artifact) ? { ratio: 0.5 } : { ratio: 1.1 });

  it("is measured, kept, told and locked as one, by the name that it gives itself", async () => {
    const group = { together: ["fp16-weights", "quantize-weights"], name: "stored small" };
    const done = await searched(["simplify", group], half);
    const told = done.steps.filter(({ name }) => name !== "simplify");
    expect(told).toMatchObject([
      { name: "own: stored small", group: group.together, verdict: "kept" },
    ]);
    const again = await replay(
      await requestFor(simulatedMeasure(() => ({}))),
      JSON.parse(JSON.stringify(done.lock)),
    );
    expect(again.variants.map(({ files }) => files)).toEqual(
      done.variants.map(({ files }) => files),
    );
    const untimed = ({ variants }: Optimized) =>
      variants.map(({ shares }) => shares.map((share) => ({ ...share, tookMs: undefined })));
    expect(untimed(again)).toEqual(untimed(done));
    expect(again.steps).toMatchObject([
      { name: "simplify", verdict: "kept", reason: "as the lock says" },
      { name: "stored small", verdict: "kept", group: group.together },
    ]);
    const sizes = ({ steps }: Optimized) =>
      steps.map(({ nodesAfter, bytesAfter, shares = [] }) => [
        nodesAfter,
        bytesAfter,
        shares.map(({ use }) => use),
      ]);
    expect(sizes(again)).toEqual(sizes(done));
  });

  it("turns down what its steps cannot reach with this model, and goes on", async () => {
    const tooFar = { use: "prune", with: { keepFlops: 0.01 } };
    const done = await searched(["simplify", { together: [tooFar, "quantize-weights"] }], half);
    expect(stepOf(done, "quantize-weights")).toMatchObject({
      reason: expect.stringMatching(/^it cannot be made: prune\.keepFlops 0\.01 cannot be met/),
    });
    expect(done.variants).toHaveLength(1);
  });

  it("tells what each of its steps did, in what was written and in what was turned down", async () => {
    const prune = { use: "prune", with: { keepFlops: 0.5 } };
    const group = { together: [prune, "quantize-weights"] };
    const passesOf = ["prune", "quantize-weights"];
    const kept = await searched(["simplify", group], half);
    const uses = (shares: readonly { readonly use: string }[] = []) => shares.map(({ use }) => use);
    const [variant] = kept.variants;
    expect(uses(variant?.shares)).toEqual(["simplify", ...passesOf]);
    expect(stepOf(kept, "quantize-weights")?.shares).toEqual(variant?.shares.slice(1));
    expect(stepOf(kept, "simplify")?.shares).toEqual(variant?.shares.slice(0, 1));
    const [simplified, pruned, quantized] = variant?.shares ?? [];
    const [whole = 0, cut = 0, small = 0] = [simplified, pruned, quantized].map(
      (share) => share?.constantBytes.after,
    );
    expect(pruned).toMatchObject({
      constantBytes: { before: whole },
      account: { kind: "pruning", measure: "macs", keep: 0.5 },
    });
    expect(pruned?.macs?.after).toBeLessThanOrEqual(0.5 * (pruned?.macs?.before ?? 0));
    expect(cut).toBeLessThan(whole);
    expect(quantized?.constantBytes.before).toBe(cut);
    expect(quantized?.macs).toEqual({ before: pruned?.macs?.after, after: pruned?.macs?.after });
    expect(small).toBeLessThan(0.3 * cut);
    expect(quantized).not.toHaveProperty("account");
    const wrong = await searched(["simplify", group], (file) =>
      isSmall(file) ? { drop: 0.5 } : {},
    );
    expect(uses(stepOf(wrong, "quantize-weights")?.shares)).toEqual(passesOf);
    expect(uses(wrong.variants[0]?.shares)).not.toContain("quantize-weights");
    const lower = { use: "lower-opset", with: { opset: 13 }, required: true };
    const ended = await searched(["simplify", lower, group], half);
    expect(uses(stepOf(ended, "quantize-weights")?.shares)).toEqual(passesOf);
    expect(uses(stepOf(ended, "lower-opset")?.shares)).toEqual(["lower-opset"]);
    expect(uses(ended.variants[0]?.shares)).toEqual(["simplify", ...passesOf, "lower-opset"]);
  });

  it("comes in the recipe's order, cheap or dear", async () => {
    const steps = ["simplify", "quantize-static", "fp16-weights", "quantize-weights"];
    const { steps: told } = await searched(steps);
    expect(told.map(({ group }) => group?.[0])).toEqual(steps);
  });
});

describe("a group that learns", () => {
  /** Labelled noise: what is learned of it is no matter. */
  const examplesOf = (executor: Executor, rows = (_sample: number) => 28): Examples => ({
    executor,
    count: 8,
    async *read() {
      for (let sample = 0; sample < 8; sample += 1) {
        const data = Float32Array.from({ length: 784 }, (_, at) => ((at * (sample + 3)) % 97) / 97);
        const dims = [1, 1, rows(sample), 28];
        yield { feeds: { x: { type: "float32", dims, data } }, label: sample };
      }
    },
  });
  const taught = { use: "distill", with: { epochs: 1, batch: 4 } };

  it("is made once for all targets, and what these propose comes after it", async () => {
    const load = vi.fn<Executor["load"]>((...args) => cpu().load(...args));
    const devices = [device("cpu"), device("wasm")];
    /** The simplified model is what comes first. */
    const floats: Uint8Array[] = [];
    const say = (artifact: Artifact): Said => {
      if (isSmall(artifact)) return { ratio: 0.5 };
      if (artifact === original) return {};
      const [{ bytes }] = artifact.files;
      const [first = bytes] = floats;
      floats.push(bytes);
      return bytes.every((byte, at) => byte === first[at]) ? {} : { ratio: 0.9 };
    };
    const recipe = { ...recipeOf("simplify", taught), propose: true };
    const loads: number[] = [];
    for (const some of [devices.slice(0, 1), devices]) {
      load.mockClear();
      floats.length = 0;
      const { lock } = await searched([], say, {
        recipe,
        devices: some,
        examples: examplesOf({ load }),
      });
      loads.push(load.mock.calls.length);
      expect(lock.targets).toHaveLength(some.length);
      for (const { groups } of lock.targets) {
        const uses = groups.flatMap(({ steps }) => steps.map(({ use }) => use));
        expect(uses.slice(0, 2)).toEqual(["simplify", "distill"]);
        expect(uses.length).toBeGreaterThan(2);
      }
    }
    expect(loads[1]).toBe(loads[0]);
    expect(loads[0]).toBeGreaterThan(0);
  });

  it("is turned down where samples are of several sizes, and what is beside it is tried", async () => {
    const examples = examplesOf(cpu(), (sample) => (sample === 0 ? 28 : 27));
    const half = (artifact: Artifact): Said => (isSmall(artifact) ? { ratio: 0.5 } : {});
    const done = await searched(["simplify", taught, "quantize-weights"], half, { examples });
    expect(stepOf(done, "distill")).toMatchObject({
      verdict: "reverted",
      reason: expect.stringMatching(/^it cannot be made: .*: training takes samples of one size/),
    });
    expect(stepOf(done, "quantize-weights")?.verdict).toBe("kept");
  });

  it("is ended where it takes longer than was expected, and what it took is no time of what comes after it", async () => {
    const measure = simulatedMeasure((artifact) => (isSmall(artifact) ? { ratio: 0.5 } : {}));
    let runs = 0;
    const load: Executor["load"] = async (...args) => {
      const session = await cpu().load(...args);
      const run: typeof session.run = (...given) => {
        runs += 1;
        return session.run(...given);
      };
      return { ...session, run };
    };
    const epochs = 50;
    const done = await optimize(
      await requestFor(measure, {
        recipe: {
          ...recipeOf("simplify", { use: "distill", with: { epochs, batch: 4 } }),
          propose: true,
        },
        devices: [device("cpu"), device("wasm")],
        budget: { limits: () => ({ maxDrop: 0.01 }), prefer: "latency", timeBudgetMs: 60_000 },
        examples: examplesOf({ load }),
        clock: { now: () => measure.spentMs + 1000 * runs },
      }),
    );
    // Each of its hundred steps takes a second.
    expect(runs).toBeLessThan(20);
    const told = done.candidates.filter(({ reason }) => reason.startsWith("not tried: learning"));
    expect(told.map(({ target }) => target)).toEqual(["cpu", "wasm"]);
    for (const { reason } of told)
      expect(reason).toMatch(
        /^not tried: learning takes about 1\d\d s, and of 60 s too little was left$/,
      );
    for (const { artifact, groups } of done.variants) {
      expect(isSmall(artifact)).toBe(true);
      expect(groups.flatMap(({ steps }) => steps.map(({ use }) => use))).not.toContain("distill");
    }
  });

  it("is tried by what it takes, and told where there is no time for it", async () => {
    const budget = {
      limits: () => ({ maxDrop: 0.01 }),
      prefer: "latency",
      timeBudgetMs: 30_000,
    } as const;
    const long = { use: "distill", with: { epochs: 1_000_000 } };
    const done = await searched(["simplify", long], () => ({}), {
      budget,
      examples: examplesOf(cpu()),
    });
    expect(done.candidates.map(({ reason }) => reason)).toContainEqual(
      expect.stringMatching(/not tried: it takes about \d+ s/),
    );
  });
});
