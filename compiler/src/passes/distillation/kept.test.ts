import { expect, it } from "vitest";
import type { Graph } from "../../ir/index.js";
import { applyGroup } from "../../pipeline/apply-step.js";
import type { PassContext } from "../../pipeline/pass.js";
import { randomOf } from "../../pipeline/random.js";
import { type Cache, memoryCache } from "../../pipeline/services.js";
import { bars, examplesOf, network, weightsOf } from "../../train/small-networks.test.support.js";
import { passes } from "../index.js";

const samples = bars(64);
const epochs = 3;
const perEpoch = 4;

/** Steps that a run took, and what it learned. */
interface Run {
  readonly steps: number;
  readonly weights: readonly number[];
}

/** @param stopAfter so many steps */
async function run(
  cache: Cache,
  {
    graph = network(),
    stopAfter = Infinity,
    with: given = {},
    ...other
  }: Partial<PassContext> & {
    readonly graph?: Graph;
    readonly stopAfter?: number;
    readonly with?: Readonly<Record<string, unknown>>;
  } = {},
): Promise<Run> {
  const stop = new AbortController();
  let steps = 0;
  const context: PassContext = {
    examples: examplesOf(samples),
    random: (name) => randomOf(4, name),
    kept: { cache, setting: "here" },
    signal: stop.signal,
    onProgress: (fraction) => {
      // An epoch is told once more at its end.
      if (fraction > 0) steps += 1;
      if (steps === stopAfter) stop.abort();
    },
    ...other,
  };
  const step = { use: "distill", with: { epochs, batch: 16, rate: 0.02, ...given } };
  const applied = await applyGroup(graph, { steps: [step] }, context, passes);
  return { steps, weights: await weightsOf(applied.graph) };
}

const all = epochs * (perEpoch + 1);

it("does not do again what came to its end, and learns the same", async () => {
  const cache = memoryCache();
  const first = await run(cache);
  expect(first.steps).toBe(all);
  const again = await run(cache);
  expect(again).toEqual({ steps: 0, weights: first.weights });
});

it("goes on where it was interrupted", async () => {
  const cache = memoryCache();
  const whole = await run(memoryCache());
  await expect(run(cache, { stopAfter: 7 })).rejects.toMatchObject({ code: "ABORTED" });
  const rest = await run(cache);
  expect(rest.weights).toEqual(whole.weights);
  expect(rest.steps).toBe(all - 7);
});

it("begins anew where anything differs, and where an entry holds something else", async () => {
  const cache = memoryCache();
  await run(cache);
  const others: Parameters<typeof run>[1][] = [
    { with: { rate: 0.01 } },
    { with: { batch: 8 } },
    { graph: network({ seed: 9 }) },
    { examples: examplesOf(bars(64, 5)) },
    { random: (name) => randomOf(5, name) },
    { kept: { cache, setting: "elsewhere" } },
    { teacher: network({ width: 6, seed: 8 }) },
  ];
  for (const other of others) expect((await run(cache, other)).steps).toBeGreaterThanOrEqual(all);
  const damaged: Cache = { get: async () => Uint8Array.of(1, 2, 3), put: async () => {} };
  expect((await run(damaged)).steps).toBe(all);
});
