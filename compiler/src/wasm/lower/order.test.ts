import { expect, it } from "vitest";
import { attribute } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { planOf } from "../compile.js";
import { compare } from "../run-model.test.support.js";
import { loweringOrder } from "./order.js";

/** x convolved to more channels, and x with as many added: the file has what is added behind the convolution. */
const widened = () =>
  graphOf({ x: ["float32", 1, 4, 6, 6] }, (input, b) => {
    const x = b.add("Relu", [input("x")]);
    const convolved = b.add("Conv", [x, b.weights(8, 4, 1, 1)]);
    const wider = b.add("Pad", [x, b.ints([0, 0, 0, 0, 0, 4, 0, 0])], {
      mode: attribute.string("constant"),
    });
    return { y: b.add("Relu", [b.add("Add", [convolved, wider])]) };
  });

it("puts what a convolution's result is added to before it, and every node behind what it reads", () => {
  const graph = widened();
  const order = loweringOrder(graph);
  expect(order.map(({ op }) => op)).toEqual(["Relu", "Pad", "Conv", "Add", "Relu"]);
  expect(new Set(order)).toEqual(new Set(graph.order()));
});

it("takes that into the convolution", async () => {
  const { steps } = await planOf(widened());
  expect(steps.at(-1)?.kernel).not.toBe("map");
  expect(await compare(widened(), { poisoned: true, reference: true })).toBeLessThan(1e-5);
});
