import { expect, it } from "vitest";
import type { Gain } from "../targets/gains.js";
import type { Planned } from "./candidate.js";
import { ShownGains } from "./shown.js";

const expected: Gain = { latency: 0.9, latencySpread: 0.3, size: 0.3, accepted: 0.6 };

function way(target: "cpu" | "wasm", name: string, use: string, gain: Gain = expected): Planned {
  return {
    target,
    name,
    precision: "int8",
    group: { steps: [{ use }], required: false },
    session: {},
    first: false,
    needsData: true,
    asBefore: false,
    expected: gain,
    prefer: "latency",
    extraMs: 0,
  };
}
const mixed = way("cpu", "int8-mixed", "quantize-static");
const likeIt = way("cpu", "int8-static", "quantize-static");
const elsewhere = way("wasm", "int8-mixed", "quantize-static");
const other = way("cpu", "int8-dynamic", "quantize-dynamic");

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
  expect(shown.expected(likeIt, expected)).toEqual({ ...expected, accepted: 0.3 });
  expect(shown.expected(elsewhere, expected)).toEqual(expected);
});
