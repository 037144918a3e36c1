import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Graph } from "../ir/index.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { pruningAccount } from "./account.js";
import { planPruning, type PrunePlan, type PruneWish } from "./prune.js";

const wish: PruneWish = {
  keep: 0.5,
  where: "prune",
  scope: "global",
  multiple: 1,
  measure: "macs",
  importance: "magnitude",
};

/** Convolutions of so many channels, one after the other: of 8 and more, a few are less than the least share asked for. */
function chain(...widths: readonly number[]): Graph {
  return graphOf({ x: ["float32", 1, 3, 4, 4] }, (input, b) => {
    let [last, channels] = [input("x"), 3];
    for (const width of [...widths, 2]) {
      last = b.add("Relu", [b.add("Conv", [last, b.weights(width, channels, 1, 1)])]);
      channels = width;
    }
    return { y: last };
  });
}

/** What `plan` cuts of a group, as its account must say. */
function goneOf(plan: PrunePlan, at: number): readonly number[] {
  const cut = plan.cuts.find(({ group }) => group === plan.groups[at]);
  return [...(cut?.gone ?? [])].sort((a, b) => a - b);
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe("what a plan cuts, as data", () => {
  it("is each group with its channels' importance, those that were kept before those that were not", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 8, max: 90 }), { minLength: 1, maxLength: 3 }),
        fc.double({ min: 0.3, max: 0.95, noNaN: true }),
        async (widths, keep) => {
          const graph = chain(...widths);
          const plan = await planPruning(graph, { ...wish, keep });
          const { groups } = pruningAccount(graph, plan, { ...wish, keep });
          expect(groups.map(({ units }) => units)).toEqual(widths);
          for (const [at, told] of groups.entries()) {
            const gone = goneOf(plan, at);
            const scores = [...(plan.scores[at] ?? [])];
            expect(told.kept).toBe(told.units - gone.length);
            const left = scores.filter((_, unit) => !gone.includes(unit));
            const lost = scores.filter((_, unit) => gone.includes(unit));
            const kept = told.importance.slice(0, told.importanceKept);
            const cut = told.importance.slice(told.importanceKept);
            expect(kept.length > 0).toBe(left.length > 0);
            expect(cut.length > 0).toBe(lost.length > 0);
            expect(told.importance.length).toBeLessThanOrEqual(32);
            expect(told.importance).toEqual([...told.importance].sort((a, b) => b - a));
            if (told.units <= 32) {
              const exact = [...left, ...lost].map((score) => Number(score.toPrecision(4)));
              expect(told.importance).toEqual(exact.sort((a, b) => b - a));
            }
            // Runs differ in length by one at most, so that their mean is nearly that of all.
            expect(Math.abs(mean(kept) - mean(left))).toBeLessThan(0.1);
            if (lost.length > 0) expect(Math.abs(mean(cut) - mean(lost))).toBeLessThan(0.1);
            const numbers = told.cut.flatMap(([first, last]) =>
              Array.from({ length: last - first + 1 }, (_, index) => first + index),
            );
            expect(numbers).toEqual(gone.slice(0, numbers.length));
            if (told.cut.length < 32) expect(numbers).toEqual(gone);
          }
        },
      ),
      // Both shares of the 32 figures end in a half: neither may be rounded up beside the other.
      { numRuns: 40, examples: [[[64, 8], 0.3]] },
    );
  });

  it("says why the rest stays, with how many channels of how many layers", async () => {
    const graph = graphOf({ x: ["float32", 1, 3, 4, 4] }, (input, b) => {
      const small = b.add("Conv", [input("x"), b.floats(Array(12).fill(0.01), [4, 3, 1, 1])]);
      const [a, c] = [b.add("Relu", [small]), b.weights(6, 4, 1, 1)];
      const out = b.add("Conv", [a, c]);
      return { y: out, z: b.add("Conv", [a, b.weights(5, 4, 1, 1)]) };
    });
    const plan = await planPruning(graph, { ...wish, keep: 1 });
    const { left, groups } = pruningAccount(graph, plan, wish);
    expect(groups.map(({ kept, units }) => [kept, units])).toEqual([[4, 4]]);
    expect(left).toEqual([
      { reason: "they go to an output", layers: 2, channels: 11 },
      { reason: "others matter less", layers: 1, channels: 4 },
    ]);
  });

  it("stays small however many groups, channels and reasons there are", async () => {
    const graph = chain(4000, 40);
    const plan = await planPruning(graph, wish);
    const [wide] = plan.groups;
    const [blocked] = plan.blocked;
    if (wide === undefined || blocked === undefined) throw new Error("The chain has both.");
    const many: PrunePlan = {
      ...plan,
      groups: Array.from({ length: 300 }, () => ({ ...wide })),
      cuts: [],
      scores: Array.from({ length: 300 }, () => plan.scores[0] ?? new Float64Array()),
      blocked: Array.from({ length: 50 }, (_, at) => ({
        ...blocked,
        reason: { why: `reason ${at}`, node: "" },
      })),
    };
    const lost = many.groups.slice(190, 200).map((group) => ({
      group,
      gone: Array.from({ length: 2000 }, (_, unit) => 2 * unit),
    }));
    const account = pruningAccount(graph, { ...many, cuts: lost }, wish);
    expect(account.groups).toHaveLength(100);
    expect(account.moreGroups).toBe(200);
    expect(account.groups.filter(({ kept }) => kept === 2000)).toHaveLength(10);
    expect(account.left).toHaveLength(21);
    expect(account.left.at(-1)).toMatchObject({ reason: "other reasons", layers: 31 });
    expect(account.left.reduce((sum, { layers }) => sum + layers, 0)).toBe(340);
    expect(JSON.stringify(account).length).toBeLessThan(60_000);
  });
});
