import { describe, expect, it } from "vitest";
import { attribute, codeOfDtype, type Graph, type ValueId } from "../ir/index.js";
import { type Builder, graphOf } from "../rules/rule-case.test.support.js";
import { answersOf } from "./answers.js";

const axis = (at: number) => ({ axis: attribute.int(at) });

/** Boxes in pixels, [1, 4, 6], and a share for each of 3 classes. */
function boxesAndScores(
  end: (boxes: ValueId, scores: ValueId, b: Builder) => Readonly<Record<string, ValueId>>,
): Graph {
  return graphOf({ x: ["float32", 1, 5, 6] }, (input, b) => {
    const head = (channels: number) => b.add("MatMul", [b.weights(1, channels, 5), input("x")]);
    return end(b.add("Mul", [head(4), b.floats([160])]), b.add("Sigmoid", [head(3)]), b);
  });
}

/** What gives each value that is learned. */
function learned(student: Graph, teacher: Graph = student): readonly string[] {
  return answersOf(student, teacher).map(({ value }) => {
    const found = [...student.allValues()].find(({ name }) => name === value);
    return found === undefined ? "nothing" : (student.producer(found.id)?.op ?? "input");
  });
}

describe("what of a teacher's outputs is learned", () => {
  it("are the parts of what is put together, under whatever shape and order", () => {
    const one = boxesAndScores((boxes, scores, b) => ({
      y: b.add("Transpose", [b.add("Concat", [boxes, scores], axis(1))], {
        perm: attribute.ints([0, 2, 1]),
      }),
    }));
    expect(learned(one)).toEqual(["Mul", "Sigmoid"]);
  });

  it("is a stack of many as it is, and an output that is to stay whole", () => {
    const stack = boxesAndScores((boxes, _, b) => ({
      y: b.add(
        "Concat",
        Array.from({ length: 17 }, () => b.add("Neg", [boxes])),
        axis(1),
      ),
    }));
    expect(learned(stack)).toEqual(["Concat"]);
    const joined = boxesAndScores((boxes, scores, b) => ({
      y: b.add("Concat", [boxes, scores], axis(1)),
    }));
    expect(answersOf(joined, joined, () => true).map(({ value }) => value)).toEqual(["y"]);
  });

  it("is what is doubled many times over as it is, at once", () => {
    const doubled = boxesAndScores((boxes, _, b) => ({
      y: Array.from({ length: 60 }).reduce<ValueId>((x) => b.add("Concat", [x, x], axis(1)), boxes),
    }));
    expect(learned(doubled)).toEqual(["Concat"]);
  });

  it("is what boxes are selected from, and once only", () => {
    const selecting = boxesAndScores((boxes, scores, b) => {
      const all = b.add("Concat", [boxes, scores], axis(1));
      const [from, to] = [b.ints([0]), b.ints([4])];
      const corners = b.add("Transpose", [b.add("Slice", [all, from, to, b.ints([1])])], {
        perm: attribute.ints([0, 2, 1]),
      });
      const classes = b.add("Slice", [all, to, b.ints([7]), b.ints([1])]);
      const limits = [b.ints([5], [1]), b.floats([0.5], [1]), b.floats([0.1], [1])];
      const found = b.add("NonMaxSuppression", [corners, classes, ...limits]);
      const place = b.add("Gather", [found, b.ints([2], [])], axis(1));
      return { y: b.add("Gather", [corners, place], axis(1)) };
    });
    expect(learned(selecting)).toEqual(["Mul", "Sigmoid"]);
  });

  it("is what integers come from, where no output is a float", () => {
    const classOf = (withScores: boolean): Graph =>
      boxesAndScores((_, scores, b) => ({
        y: b.add("Cast", [b.add("ArgMax", [scores], axis(1))], {
          to: attribute.int(codeOfDtype("uint8")),
        }),
        ...(withScores && { scores }),
      }));
    expect(learned(classOf(false))).toEqual(["Sigmoid"]);
    expect(learned(classOf(true))).toEqual(["Sigmoid"]);
  });

  it("is the outputs as they are where teacher and student are put together otherwise", () => {
    const plain = boxesAndScores((boxes, _, b) => ({ y: b.add("Neg", [boxes]) }));
    const joined = boxesAndScores((boxes, scores, b) => ({
      y: b.add("Concat", [boxes, scores], axis(1)),
    }));
    expect(answersOf(plain, joined)).toEqual([{ value: "y", teacher: "y" }]);
  });
});
