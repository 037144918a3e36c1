import { expect, it } from "vitest";
import { attribute, captures, type Graph } from "../../../ir/index.js";
import { either, graphOf } from "../../../rules/rule-case.test.support.js";
import { quantizeStatic } from "../../quantize-static.js";
import { agreement, feedsOf, quantized, run } from "../engine-case.test.support.js";

/** Branches that read what a convolution gives, moved twice. */
function branching(): Graph {
  return graphOf({ x: ["float32", 1, 3, 4, 4], c: ["bool"] }, (input, b) => {
    const conv = b.add("Conv", [input("x"), b.weights(4, 3, 1, 1)]);
    const turned = b.add("Transpose", [conv], { perm: attribute.ints([0, 2, 3, 1]) });
    const rows = b.add("Reshape", [turned, b.ints([16, 4])]);
    return {
      y: either(
        b,
        input("c"),
        (then) => then.add("Sigmoid", [rows]),
        (otherwise) => otherwise.add("Neg", [rows]),
      ),
    };
  });
}

// The engine ends the process that opens such a model: what it would do is looked at first.
it.each(["engine", "float"])(
  "rounds anew what bodies read of what was moved (between: %s)",
  async (between) => {
    const float = branching();
    const graph = await quantized(quantizeStatic, float, { between });
    const read = [...graph.allBodies()]
      .filter((body) => body !== graph.main)
      .flatMap((body) => captures(graph, body));
    expect(new Set(read.map((value) => graph.producer(value)?.op))).toEqual(
      new Set(["DequantizeLinear"]),
    );
    const feeds = feedsOf(float);
    expect(agreement(await run(float, feeds), await run(graph, feeds))).toBeGreaterThan(30);
  },
);
