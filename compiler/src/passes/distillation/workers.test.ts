import { type Executor, PareError } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { describe, expect, it } from "vitest";
import type { Graph } from "../../ir/index.js";
import { randomOf } from "../../pipeline/random.js";
import { payingWorkers } from "../../train/paying-workers.js";
import { bars, examplesOf, network, workersHere } from "../../train/small-networks.test.support.js";
import { distill } from "../distill.js";
import { distillGraph } from "./distill-graph.js";
import type { DistillServices } from "./teach.js";

const samples = bars(75);
const services: DistillServices = {
  examples: { ...examplesOf(samples), workers: workersHere(4) },
  random: (name) => randomOf(4, name),
};
/** Plain descent: a step is as long as its gradient, and no longer where that is nothing but rounding. */
const plain = { optimizer: "sgd", momentum: 0, nesterov: false, epochs: 3, rate: 0.05, batch: 15 };

async function numbersOf(graph: Graph, of = ""): Promise<readonly number[]> {
  const parts: number[] = [];
  for (const { constant, name } of graph.allValues())
    if (constant?.dtype === "float32" && name.startsWith(of))
      parts.push(...(await constant.readFloat32()));
  return parts;
}

describe("workers that share batches", () => {
  it.each<[string, Parameters<typeof network>[0], Readonly<Record<string, unknown>>]>([
    ["shares of unequal size", { norm: false }, { workers: 2 }],
    ["more of them than the batch has samples", { norm: false }, { workers: 4, batch: 3 }],
    ["clipping", { norm: false }, { workers: 3, clip: 0.5 }],
    ["a dropout, of which each drops its part", { norm: false, dropout: 0.5 }, { workers: 2 }],
    ["batch norms that are frozen", {}, { workers: 2, norms: "frozen" }],
    ["a teacher", { norm: false }, { workers: 2, temperature: 2 }],
    ["a teacher that is asked anew", { norm: false, dropout: 0.2 }, { workers: 2, alpha: 1 }],
  ])("come to what one comes to, within rounding: %s", async (what, form, given) => {
    const teacher = what.includes("teacher") ? { teacher: network({ width: 6, seed: 8 }) } : {};
    const keptBytes = what.includes("anew") ? 0 : undefined;
    const trained = async (workers: number): Promise<readonly number[]> => {
      const graph = network(form);
      const options = distill.parse({ ...plain, ...given, workers });
      const facts = await distillGraph(graph, options, { ...services, ...teacher, keptBytes });
      const figures = facts.history.flatMap(({ loss, accuracy }) => [loss, accuracy ?? -1]);
      return [...figures, ...(await numbersOf(graph))];
    };
    const [one, several] = [await trained(1), await trained(Number(given["workers"]))];
    expect(one.length).toBe(several.length);
    const far = Math.max(...one.map((value, at) => Math.abs(value - (several[at] ?? Number.NaN))));
    expect(far).toBeLessThan(1e-4);
    // Another seed is far: that near is no accident.
    const seeded = network(form);
    const other = { ...services, ...teacher, random: (name: string) => randomOf(5, name) };
    await distillGraph(seeded, distill.parse({ ...plain, ...given, workers: 1 }), other);
    const numbers = await numbersOf(seeded);
    const own = one.slice(-numbers.length);
    expect(
      Math.max(...own.map((value, at) => Math.abs(value - (numbers[at] ?? 0)))),
    ).toBeGreaterThan(1e-3);
  });

  it("count the whole batch's statistics, though each normalizes by its share", async () => {
    const statistics = async (workers: number): Promise<readonly number[]> => {
      const graph = network();
      const options = distill.parse({ ...plain, rate: 0, epochs: 1, batch: 25, workers });
      await distillGraph(graph, options, services);
      return [...(await numbersOf(graph, "norm.mean")), ...(await numbersOf(graph, "norm.var"))];
    };
    const [one, two] = [await statistics(1), await statistics(2)];
    expect(one.length).toBe(8);
    for (const [at, value] of one.entries()) expect(two[at]).toBeCloseTo(value, 6);
  });

  it("are said, with what batch norms see", async () => {
    const notes: string[] = [];
    const options = distill.parse({ ...plain, epochs: 1, batch: 32, workers: 2 });
    await distillGraph(network(), options, { ...services, onNote: (note) => notes.push(note) });
    expect(notes).toEqual([
      "2 workers share each batch of 32; --workers 1 trains on one alone. Batch norms normalize by the 16 that each of them sees.",
    ]);
  });

  it("are refused where there is but one engine", async () => {
    const alone = { ...services, examples: examplesOf(samples) };
    const training = distillGraph(network(), distill.parse({ ...plain, workers: 2 }), alone);
    await expect(training).rejects.toMatchObject({ code: "UNSUPPORTED_DEVICE" });
    const one = distill.parse({ ...plain, epochs: 1, workers: 1 });
    await distillGraph(network(), one, alone);
  });

  it("leave a checkpoint where one of them fails, and end as one error", async () => {
    let [runs, saved]: [number, Uint8Array | null] = [0, null];
    const failing = failingAt(() => (runs += 1) > 3);
    const open = { ...examplesOf(samples), workers: workersHere(2, failing) };
    const options = distill.parse({ ...plain, workers: 2 });
    const training = distillGraph(network(), options, {
      ...services,
      examples: open,
      onCheckpoint: (bytes) => void (saved = bytes),
    });
    await expect(training).rejects.toMatchObject({ code: "ENGINE", message: "Gone." });
    const [whole, halves] = [network(), network()];
    await distillGraph(whole, options, services);
    await distillGraph(halves, options, { ...services, resume: saved ?? undefined });
    expect(await numbersOf(halves)).toEqual(await numbersOf(whole));
  });
});

/** The engine, until a run. */
function failingAt(ends: () => boolean): Executor {
  const engine = cpu();
  return {
    async load(artifact, options) {
      const session = await engine.load(artifact, options);
      return {
        ...session,
        run: (feeds, signal) =>
          ends() ? Promise.reject(new PareError("ENGINE", "Gone.")) : session.run(feeds, signal),
      };
    },
  };
}

describe("how many workers pay", () => {
  const steps = { dims: { x: [1, 1, 8, 8] }, batch: 256, norms: "batch", most: 8 } as const;
  it.each<[string, number, { readonly batch?: number; readonly most?: number }, number]>([
    ["one, of a small network", 4, {}, 1],
    ["as the work goes round", 100, {}, 3],
    ["as the machine has cores", 800, {}, 8],
    ["as batch norms have enough to normalize by", 800, { batch: 128, most: 16 }, 8],
    ["one, where all that is learned is as much as what is computed", 800, { batch: 32 }, 1],
  ])("%s", (_, width, given, count) => {
    expect(payingWorkers(network({ width }), { ...steps, ...given })).toBe(count);
  });
});

it("sets of the engine what a training needs", async () => {
  const engine = cpu();
  const sessions: unknown[] = [];
  const executor: Executor = {
    ...engine,
    load(artifact, options) {
      sessions.push(artifact.session);
      return engine.load(artifact, options);
    },
  };
  await distillGraph(network(), distill.parse({ ...plain, epochs: 1 }), {
    ...services,
    examples: examplesOf(samples),
    executor,
  });
  // "all" brings layouts that pools at every step are taken to and from; spinning threads wait for the whole step.
  expect(sessions).toContainEqual({
    graphOptimizationLevel: "extended",
    spinning: false,
    memoryPattern: false,
  });
});
