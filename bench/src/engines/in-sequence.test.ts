import fc from "fast-check";
import type { SampleSet, Tensors } from "@pare/runtime/format";
import { PareError } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { engineOf } from "./engine-of.test.support.js";
import { EngineServer } from "./engine-server.js";
import { EngineHost } from "./host.js";
import { inSequence, singly } from "./in-sequence.js";
import type { Channel } from "./protocol.js";

/** A model that adds x to its state, in an engine of this process. */
async function adder(): Promise<{ host: EngineHost; runs: () => number }> {
  let runs = 0;
  const server = new EngineServer(
    engineOf(async ({ x, state }) => {
      runs += 1;
      return { sum: one(Number(x?.data[0]) + Number(state?.data[0])) };
    }),
  );
  const channel: Channel = {
    alive: true,
    dispose: async () => {},
    async call(request) {
      const reply = await server.answer(request);
      if (!reply.ok) throw new PareError("ENGINE", reply.message);
      return reply.value as never;
    },
  };
  return { host: await EngineHost.start("cpu", async () => channel), runs: () => runs };
}

function one(value: number): Tensors[string] {
  return { type: "float64", dims: [1], data: Float64Array.of(value) };
}

/** x is 1, 2, 3, … over all samples; a sequence's first state is 1000. */
function samplesOf(lengths: readonly number[]): SampleSet & { readonly starts: readonly number[] } {
  const starts: number[] = [];
  for (const length of lengths) {
    const start = starts.length;
    for (let step = 0; step < length; step += 1) starts.push(start);
  }
  const info = async (index: number) => ({ id: String(index), label: null, group: null });
  return {
    starts,
    size: starts.length,
    labelled: false,
    sequences: { state: { sum: "state" }, startOf: (index) => starts[index] ?? index },
    info,
    sample: async (index) => ({
      ...(await info(index)),
      feeds: { x: one(index + 1), state: one(1000) },
    }),
  };
}

const lengths = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 });

it("carries each sequence's state from step to step, whichever samples are asked for, in any order", async () => {
  await fc.assert(
    fc.asyncProperty(
      lengths,
      fc.nat(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (own, seed, share) => {
        const samples = samplesOf(own);
        const all = [...samples.starts.keys()];
        const asked = all
          .map((index) => ({ index, key: Math.sin(index * 12.9898 + seed) }))
          .sort((a, b) => a.key - b.key)
          .map(({ index }) => index)
          .slice(0, Math.ceil(share * all.length));
        const { host, runs } = await adder();
        const model = await host.load({ files: [] } as never);
        const made = new Map<number, number>();
        const done = await host.runSamples(model, samples, asked, ({ sum }, { id }, position) => {
          expect(id).toBe(String(asked[position]));
          made.set(asked[position] ?? -1, Number(sum?.data[0]));
        });
        expect(done).toBe(asked.length);
        for (const index of asked) {
          let expected = 1000;
          for (let step = samples.starts[index] ?? 0; step <= index; step += 1)
            expected += step + 1;
          expect(made.get(index)).toBe(expected);
        }
        expect(runs()).toBeLessThanOrEqual(all.length);
      },
    ),
    { numRuns: 60 },
  );
});

it("runs each step as its feeds have it where that is asked for", async () => {
  const samples = singly(samplesOf([3]));
  const { host } = await adder();
  const model = await host.load({ files: [] } as never);
  const sums: unknown[] = [];
  await host.runSamples(model, samples, [0, 1, 2], ({ sum }) => void sums.push(sum?.data[0]));
  expect(sums).toEqual([1001, 1002, 1003]);
});

it("runs what leads to a step, and no step twice", () => {
  expect(inSequence([4, 1], samplesOf([2, 4]))).toEqual({
    indexes: [0, 1, 2, 3, 4],
    positions: [null, 1, null, null, 0],
  });
});
