import { expect, it } from "vitest";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { planOf } from "../compile.js";
import { compare } from "../run-model.test.support.js";

/** A product over 800 elements of 13 rows, a bias added, and what follows. */
const long = (followers: readonly string[]) =>
  graphOf({ x: ["float32", 1, 13, 800], r: ["float32", 1, 13, 10] }, (input, b) => {
    const product = b.add("MatMul", [input("x"), b.weights(800, 10)]);
    let y = b.add("Add", [product, b.weights(10)]);
    for (const op of followers) y = b.add(op, op === "Add" ? [y, input("r")] : [y]);
    return { y };
  });

it.each([
  { followers: [], parts: 3 },
  { followers: ["Sigmoid"], parts: 3 },
  { followers: ["Add"], parts: 3 },
  { followers: ["Add", "Relu"], parts: 3 },
  // What is added to the last part is done to a result that is not a sum any more.
  { followers: ["Relu", "Add"], parts: 1 },
])("makes a long sum in $parts parts before $followers", async ({ followers, parts }) => {
  const { steps } = await planOf(long(followers));
  expect(steps.filter(({ kernel }) => kernel === "matrix")).toHaveLength(parts);
  expect(await compare(long(followers), { poisoned: true, reference: true })).toBeLessThan(2e-5);
});
