import { describe, expect, it } from "vitest";
import { parseGraph } from "../ir/index.js";
import type { Activations, Wanted } from "../pipeline/activations.js";
import { memoryCache } from "../pipeline/services.js";
import { KeptActivations } from "./kept-activations.js";

const graph = parseGraph(
  "graph main opset 21 (x: float32[2, 3]) -> (z) {\n  %1 = Relu(x) : float32[2, 3]\n  %2 = Neg(%1) : float32[2, 3]\n  return %2\n}\n",
);
const [relu, neg] = graph.order().flatMap(({ outputs }) => outputs[0] ?? []);
if (relu === undefined || neg === undefined) throw new Error("two values are expected");
const format = { dtype: "int8", symmetric: true, granularity: { kind: "tensor" } } as const;
const range = { kind: "range", method: "minmax", format } as const;
const means = { kind: "channel-means", axis: 1 } as const;

/** Counts what it is asked. */
function asked(): { activations: Activations; wanted: Wanted[] } {
  const wanted: Wanted[] = [];
  const activations: Activations = {
    async observe(_, more) {
      wanted.push(...more);
      return {
        ranges: new Map(
          more.map(({ value }) => [
            value,
            { min: -1, max: 1 + value, sqnr: value === neg ? 30 : null },
          ]),
        ),
        channelMeans: new Map(
          more.map(({ value }) => [value, new Map([[1, Float32Array.of(0.1, value)]])]),
        ),
      };
    },
  };
  return { activations, wanted };
}

describe("activations that are kept", () => {
  const all: Wanted[] = [
    { value: relu, statistic: range },
    { value: neg, statistic: range },
    { value: neg, statistic: means },
  ];

  it("are observed once, and the same in a later run", async () => {
    const cache = memoryCache();
    const first = asked();
    const observed = await new KeptActivations(first.activations, cache, "here").observe(
      graph,
      all,
      { pass: "test" },
    );
    expect(observed.ranges.get(neg)).toEqual({ min: -1, max: 1 + neg, sqnr: 30 });
    expect(observed.channelMeans.get(neg)?.get(1)).toEqual(Float32Array.of(0.1, neg));
    const later = asked();
    const kept = new KeptActivations(later.activations, cache, "here");
    expect(await kept.observe(graph, all, { pass: "test" })).toEqual(observed);
    expect(later.wanted).toEqual([]);
    const more = { value: relu, statistic: means } as const;
    await kept.observe(graph, [...all, more], { pass: "test" });
    // Engines fuse by what is observed together: all of it is asked anew, and what was known stays what it was.
    expect(later.wanted).toEqual([...all, more]);
    expect(await kept.observe(graph, all, { pass: "test" })).toEqual(observed);
    expect(later.wanted).toHaveLength(4);
  });

  it("are those of the same setting only", async () => {
    const cache = memoryCache();
    await new KeptActivations(asked().activations, cache, "here").observe(graph, all, {
      pass: "test",
    });
    const other = asked();
    await new KeptActivations(other.activations, cache, "there").observe(graph, all, {
      pass: "test",
    });
    expect(other.wanted).toHaveLength(3);
  });

  it.each(["", "[]", '{"a":[null]}', '{"a":1}', "nul"])(
    "are observed again where the cache holds %j",
    async (text) => {
      const cache = memoryCache();
      const damaged = {
        ...cache,
        get: async () => new TextEncoder().encode(text),
      };
      const { activations, wanted } = asked();
      await new KeptActivations(activations, damaged, "here").observe(graph, all, {
        pass: "test",
      });
      expect(wanted).toHaveLength(3);
    },
  );
});
