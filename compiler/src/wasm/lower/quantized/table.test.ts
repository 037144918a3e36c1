import { expect, it } from "vitest";
import type { ValueId } from "../../../ir/index.js";
import { type Builder, graphOf } from "../../../rules/rule-case.test.support.js";
import { expectAgreement, type How, rounded } from "./quantized-case.test.support.js";

const how: How = { type: "uint8", scale: Math.fround(0.02), zeroPoint: 90, bits: 8 };

/** Of a function of bytes that is so many steps, each made of the one before. */
async function kernelsOf(
  count: number,
  step: (b: Builder, x: ValueId, at: number) => ValueId,
): Promise<readonly string[]> {
  const graph = graphOf({ x: ["float32", 1, 3, 4, 4] }, (input, b) => {
    let y = rounded(b, input("x"), how);
    for (let at = 0; at < count; at += 1) y = step(b, y, at);
    return { y: rounded(b, y, how) };
  });
  return expectAgreement(graph, how.scale);
}

const inTurn = (b: Builder, x: ValueId, at: number): ValueId =>
  b.add(at % 2 === 0 ? "Sin" : "Tanh", [x]);
const twice = (b: Builder, x: ValueId): ValueId =>
  b.add("Mul", [b.add("Sin", [x]), b.add("Cos", [x])]);

it("makes a table of a function of 24 nodes, also of those that read the same twice", async () => {
  expect(await kernelsOf(24, inTurn)).not.toContain("map");
  expect(await kernelsOf(8, twice)).not.toContain("map");
});

it("computes a longer function in floats, and looks no further than 24 nodes back", async () => {
  expect(await kernelsOf(100, inTurn)).toContain("map");
  expect(await kernelsOf(40, twice)).toContain("map");
});
