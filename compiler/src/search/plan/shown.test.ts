import { expect, it } from "vitest";
import type { Gain } from "../../targets/gains.js";
import { measuredGains } from "../../targets/tables/measured-gains.js";
import { way } from "./planned.test.support.js";
import { correlation, ShownGains } from "./shown.js";

const expected: Gain = { latency: 0.9, latencySpread: 0.3, size: 0.3, accepted: 0.6 };

const mixed = way("cpu", "int8-mixed", "quantize-static", expected);
const likeIt = way("cpu", "int8-static", "quantize-static", expected);
const elsewhere = way("wasm", "int8-mixed", "quantize-static", expected);
const other = way("cpu", "int8-dynamic", "quantize-dynamic", expected);

it("expects of ways like one that was tried what that showed, and most on the same target", () => {
  const shown = new ShownGains();
  shown.note(mixed, 0.5, false);
  const [same, far, none] = [likeIt, elsewhere, other].map((one) => shown.expected(one, expected));
  expect(same?.latency).toBeLessThan(far?.latency ?? 0);
  expect(far?.latency).toBeLessThan(0.9);
  expect(same?.latency).toBeGreaterThan(0.5);
  expect(same?.latencySpread).toBeLessThan(far?.latencySpread ?? 0);
  expect(none).toEqual(expected);
});

it("expects little of what rounds the same weights where they lost alone", () => {
  const shown = new ShownGains();
  shown.note(way("cpu", "int8-weights", "quantize-weights", expected), 1, true);
  const accepted = [
    mixed,
    elsewhere,
    other,
    way("wasm", "int8-weights", "quantize-weights", expected),
  ].map((one) => shown.expected(one, expected).accepted);
  for (const one of accepted) expect(one).toBeCloseTo(0.06, 6);
  const half = way("cpu", "fp16-weights", "fp16-weights", expected);
  expect(shown.expected(half, expected).accepted).toBe(0.6);
});

it("is as surprised elsewhere as it was here, in standard deviations", () => {
  const shown = new ShownGains();
  // Two of its own.
  shown.note(mixed, 0.9 * Math.exp(2 * 0.3), false);
  const wide: Gain = { ...expected, latencySpread: 0.6 };
  const { latency } = shown.expected(elsewhere, wide);
  expect(Math.log(latency / 0.9)).toBeCloseTo(0.7 * 2 * 0.6, 10);
});

it("trusts a way less where one like it lost too much on its target", () => {
  const shown = new ShownGains();
  shown.note(mixed, null, true);
  expect(shown.expected(likeIt, expected)).toEqual({ ...expected, accepted: 0.15 });
  expect(shown.expected(elsewhere, expected)).toEqual(expected);
});

it("takes correlations from the table of gains", () => {
  const ways = new Map<string, Map<string, number>>();
  for (const [place, name, , model, latency] of measuredGains) {
    if (!/^int8-(static|mixed)/.test(name) || place === "cpu saturating") continue;
    const way = ways.get(`${place} ${name}`) ?? new Map<string, number>();
    ways.set(`${place} ${name}`, way.set(model, Math.log(latency)));
  }
  const seen: Record<"sameTarget" | "otherTarget", number[]> = { sameTarget: [], otherTarget: [] };
  const all = [...ways];
  for (const [index, [one, a]] of all.entries())
    for (const [other, b] of all.slice(index + 1)) {
      const same = one.startsWith("cpu") === other.startsWith("cpu");
      seen[same ? "sameTarget" : "otherTarget"].push(pearson(a, b));
    }
  const mean = (of: readonly number[]): number => of.reduce((sum, x) => sum + x, 0) / of.length;
  expect(Math.abs(mean(seen.sameTarget) - correlation.sameTarget)).toBeLessThan(0.1);
  expect(Math.abs(mean(seen.otherTarget) - correlation.otherTarget)).toBeLessThan(0.1);
});

function pearson(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  const pairs = [...a].flatMap(([model, x]) => {
    const y = b.get(model);
    return y === undefined ? [] : [[x, y] as const];
  });
  const [meanX, meanY] = [0, 1].map(
    (at) => pairs.reduce((sum, pair) => sum + (pair[at] ?? 0), 0) / pairs.length,
  );
  let [xy, xx, yy] = [0, 0, 0];
  for (const [x, y] of pairs) {
    const [dx, dy] = [x - (meanX ?? 0), y - (meanY ?? 0)];
    [xy, xx, yy] = [xy + dx * dy, xx + dx * dx, yy + dy * dy];
  }
  return xy / Math.sqrt(xx * yy);
}
