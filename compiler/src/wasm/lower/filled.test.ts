import { expect, it } from "vitest";
import { attribute, Tensor } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { compare } from "../run-model.test.support.js";

it("fills tensors of every type with one number, which is read and given out", async () => {
  const graph = graphOf({ x: ["float32", 2, 3, 5], i: ["int64", 3, 5] }, (input, b) => {
    const made = (value: Tensor) =>
      b.add("ConstantOfShape", [b.ints([3, 5])], { value: attribute.tensor(value) });
    return {
      floats: made(Tensor.float32([1], [0.1])),
      integers: made(Tensor.int64([-7], [1])),
      zeros: b.add("ConstantOfShape", [b.ints([2])]),
      sum: b.add("Add", [input("x"), made(Tensor.float32([1], [2.5]))]),
      chosen: b.add("Where", [
        made(Tensor.of("bool", [1], Uint8Array.of(1))),
        input("x"),
        made(Tensor.float32([1], [3])),
      ]),
      product: b.add("Mul", [input("i"), made(Tensor.int64([3], [1]))]),
    };
  });
  expect(await compare(graph, { poisoned: true, reference: true })).toBe(0);
});
