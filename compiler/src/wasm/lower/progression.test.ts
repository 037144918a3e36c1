import { expect, it } from "vitest";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { compare } from "../run-model.test.support.js";

it("counts in steps of every type, more numbers than a file would keep", async () => {
  const graph = graphOf({ x: ["float32", 2, 300], n: ["int64", 2] }, (input, b) => {
    const steps = b.add("Range", [b.ints([0], []), b.ints([300], []), b.ints([1], [])]);
    const isInside = b.add("Less", [
      b.add("Unsqueeze", [steps, b.ints([0])]),
      b.add("Unsqueeze", [input("n"), b.ints([1])]),
    ]);
    return {
      masked: b.add("Where", [isInside, input("x"), b.floats([0], [])]),
      down: b.add("Range", [b.ints([7], []), b.ints([-900], []), b.ints([-3], [])]),
      tenths: b.add("Range", [b.floats([-1], []), b.floats([29.95], []), b.floats([0.1], [])]),
    };
  });
  expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(1e-6);
});
