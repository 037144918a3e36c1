import { describe, expect, it } from "vitest";
import { attribute, type ValueId } from "../ir/index.js";
import { type Builder, graphOf } from "../rules/rule-case.test.support.js";
import { outputsWithShares } from "./shares.js";

const axis = (at: number) => ({ axis: attribute.int(at) });

function rowsOf(end: (boxes: ValueId, scores: ValueId, b: Builder) => ValueId): unknown {
  const graph = graphOf({ x: ["float32", 1, 5, 6] }, (input, b) => {
    const head = (channels: number) => b.add("MatMul", [b.weights(1, channels, 5), input("x")]);
    return { y: end(b.add("Mul", [head(2), b.floats([160])]), b.add("Sigmoid", [head(3)]), b) };
  });
  const { y } = outputsWithShares(graph);
  return y && `${y.axis}: ${y.rows.map((share) => (share ? "s" : "-")).join("")}`;
}

describe("outputs that hold shares beside other numbers", () => {
  it("say along which axis they lie, and where", () => {
    expect(rowsOf((boxes, scores, b) => b.add("Concat", [boxes, scores], axis(1)))).toBe(
      "1: --sss",
    );
    expect(
      rowsOf((boxes, scores, b) => {
        const turned = b.add("Transpose", [b.add("Concat", [boxes, scores, boxes], axis(-2))], {
          perm: attribute.ints([0, 2, 1]),
        });
        return b.add("Reshape", [turned, b.ints([1, 2, 3, 7])]);
      }),
    ).toBe("3: --sss--");
  });

  it("are of several maps, one behind the other, and shares times shares are shares", () => {
    expect(
      rowsOf((boxes, scores, b) => {
        const both = b.add("Mul", [scores, b.add("Sigmoid", [scores])]);
        const map = () => b.add("Concat", [boxes, both], axis(1));
        return b.add("Concat", [map(), map()], axis(2));
      }),
    ).toBe("1: --sss");
  });

  it("are none where all is of a kind, or what it is cannot be told", () => {
    expect(rowsOf((boxes, _, b) => b.add("Concat", [boxes, boxes], axis(1)))).toBeUndefined();
    expect(rowsOf((_, scores, b) => b.add("Concat", [scores, scores], axis(1)))).toBeUndefined();
    expect(rowsOf((boxes) => boxes)).toBeUndefined();
    expect(
      rowsOf((boxes, scores, b) => {
        const joined = b.add("Concat", [boxes, scores], axis(1));
        return b.add("Reshape", [joined, b.ints([1, 30])]);
      }),
    ).toBeUndefined();
  });

  it("are told at once of what is doubled many times over", () => {
    const doubled = (op: string, start: ValueId, b: Builder, attributes = {}) =>
      Array.from({ length: 200 }).reduce<ValueId>((x) => b.add(op, [x, x], attributes), start);
    expect(
      rowsOf((boxes, scores, b) => b.add("Concat", [boxes, doubled("Mul", scores, b)], axis(1))),
    ).toBe("1: --sss");
    expect(
      rowsOf((boxes, scores, b) =>
        doubled("Concat", b.add("Concat", [boxes, scores], axis(1)), b, axis(1)),
      ),
    ).toBeUndefined();
    expect(
      rowsOf((boxes, scores, b) => {
        const joined = b.add("Concat", [boxes, scores], axis(1));
        return Array.from({ length: 5000 }).reduce<ValueId>((x) => b.add("Identity", [x]), joined);
      }),
    ).toBeUndefined();
  });
});
