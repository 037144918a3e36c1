import { expect, it } from "vitest";
import { graphOf } from "../rules/rule-case.test.support.js";
import { demandTrainable } from "./parameters.js";

it("sends nobody to a float32 model where there are no weights at all, as in trees", () => {
  const graph = graphOf({ x: ["float32", 1, 4] }, (input, b) => ({
    y: b.add("Relu", [input("x")]),
  }));
  expect(() => demandTrainable(graph, [])).toThrow(
    expect.objectContaining({ hint: expect.stringMatching(/^Trees .* have none/) }),
  );
});
