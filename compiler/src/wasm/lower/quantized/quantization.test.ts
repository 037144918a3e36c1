import { expect, it } from "vitest";
import { attribute, type ValueId } from "../../../ir/index.js";
import { type Builder, graphOf } from "../../../rules/rule-case.test.support.js";
import { mostOf } from "./quantization.js";
import { expectAgreement, integers } from "./quantized-case.test.support.js";

it.each([0, 30, 200])("bounds bytes by a highest of 30 and a lowest of %i", async (lowest) => {
  for (const isReadTwice of [false, true]) {
    const graph = graphOf({ x: ["float32", 2, 5] }, (input, b) => {
      const steps = [b.floats([0.02]), integers(b, "uint8", [90])];
      const q = b.add("QuantizeLinear", [input("x"), ...steps]);
      const bounds = [lowest, 30].map((byte) => integers(b, "uint8", [byte]));
      const y = b.add("DequantizeLinear", [b.add("Clip", [q, ...bounds]), ...steps]);
      return isReadTwice ? { y, z: b.add("DequantizeLinear", [q, ...steps]) } : { y };
    });
    await expectAgreement(graph, 0);
  }
});

/** The largest byte of what is made of bytes below 100. */
function mostAfter(build: (b: Builder, x: ValueId) => ValueId): number {
  const graph = graphOf({ x: ["uint8", 2] }, (input, b) => ({
    y: build(b, b.add("Clip", [input("x"), null, integers(b, "uint8", [99])])),
  }));
  const [y] = graph.main.outputs;
  return y === undefined ? 0 : mostOf(graph, y);
}

const joined = (b: Builder, ...parts: readonly ValueId[]): ValueId =>
  b.add("Concat", parts, { axis: attribute.int(0) });

it("knows the largest byte that there can be, however often the same bytes are joined", () => {
  const byte = (b: Builder, value: number) => integers(b, "uint8", [value]);
  expect(mostAfter((_, x) => x)).toBe(99);
  expect(mostAfter((b, x) => b.add("Pad", [x, b.ints([1, 0]), byte(b, 120)]))).toBe(120);
  expect(mostAfter((b, x) => joined(b, x, b.add("Clip", [x, byte(b, 7), byte(b, 5)])))).toBe(99);
  const often = (times: number) => (b: Builder, x: ValueId) => {
    let y = x;
    for (let at = 0; at < times; at += 1) y = b.add("Slice", [joined(b, y, y), b.ints([0]), b.ints([2])]); // prettier-ignore
    return y;
  };
  expect(mostAfter(often(30))).toBe(99);
  expect(mostAfter(often(40))).toBe(255);
});
