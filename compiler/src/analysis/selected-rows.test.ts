import { describe, expect, it } from "vitest";
import { attribute, type ValueId } from "../ir/index.js";
import { type Builder, graphOf } from "../rules/rule-case.test.support.js";
import { outputsOfSelectedRows } from "./selected-rows.js";

interface Detector {
  /** [8, 4] */
  readonly boxes: ValueId;
  /** [8] */
  readonly scores: ValueId;
  readonly b: Builder;
}

function groupsOf(
  build: (detector: Detector) => Readonly<Record<string, ValueId>>,
  batch: number | string = 1,
): unknown {
  const graph = graphOf({ x: ["float32", batch, 8, 3] }, (input, b) => {
    const head = (width: number) => b.add("MatMul", [input("x"), b.weights(3, width)]);
    const boxes = b.add("Reshape", [head(4), b.ints([-1, 4])]);
    return build({
      boxes,
      scores: b.add("Reshape", [b.add("Sigmoid", [head(1)]), b.ints([-1])]),
      b,
    });
  });
  return outputsOfSelectedRows(graph);
}

/** Which boxes suppression keeps. */
function kept({ boxes, scores, b }: Detector): ValueId {
  const rows = b.add("NonMaxSuppression", [
    b.add("Unsqueeze", [boxes, b.ints([0])]),
    b.add("Unsqueeze", [scores, b.ints([0, 1])]),
    b.ints([5]),
  ]);
  return b.add("Gather", [rows, b.ints([2], [])], { axis: attribute.int(1) });
}

describe("outputs of selected rows", () => {
  it("are boxes and what belongs to them, as many of each", () => {
    expect(
      groupsOf((detector) => {
        const { boxes, scores, b } = detector;
        const places = kept(detector);
        const ownScores = b.add("Gather", [scores, places]);
        const scaled = b.add("Mul", [b.add("Gather", [boxes, places]), b.floats([160], [])]);
        return { boxes: scaled, scores: ownScores, raw: b.add("Relu", [boxes]) };
      }),
    ).toEqual([{ boxes: 0, scores: 0 }]);
  });

  it("are the best of all, and those that are padded to a fixed number", () => {
    const best = (detector: Detector) => {
      const { boxes, scores, b } = detector;
      const [, places = boxes] = b.many("TopK", 2, [scores, b.ints([6])]);
      const rows = b.add("Concat", [b.add("Gather", [boxes, places]), b.add("Unsqueeze", [b.add("Gather", [scores, places]), b.ints([1])])], { axis: attribute.int(1) }); // prettier-ignore
      return { y: b.add("Unsqueeze", [rows, b.ints([0])]) };
    };
    expect(groupsOf(best)).toEqual([{ y: 1 }]);
    expect(
      groupsOf((detector) => {
        const { boxes, b } = detector;
        const rows = b.add("Gather", [boxes, kept(detector)]);
        const missing = b.add("Sub", [
          b.ints([20]),
          b.add("Shape", [rows], { end: attribute.int(1) }),
        ]);
        const pads = b.add("Concat", [b.ints([0, 0]), missing, b.ints([0])], { axis: attribute.int(0) }); // prettier-ignore
        return { y: b.add("Reshape", [b.add("Pad", [rows, pads]), b.ints([1, 20, 4])]) };
      }),
    ).toEqual([{ y: 1 }]);
  });

  it("are behind a batch of free size, too", () => {
    expect(
      groupsOf(({ boxes, scores, b }) => {
        const [, places = boxes] = b.many("TopK", 2, [b.add("Reshape", [scores, b.ints([-1, 8])]), b.ints([6])]); // prettier-ignore
        const index = b.add("Expand", [
          b.add("Unsqueeze", [places, b.ints([2])]),
          b.ints([1, 1, 4]),
        ]);
        const all = b.add("Reshape", [boxes, b.ints([-1, 8, 4])]);
        return { y: b.add("GatherElements", [all, index], { axis: attribute.int(1) }) };
      }, "n"),
    ).toEqual([{ y: 1 }]);
  });

  it("are not scores alone, what is computed across rows, or the numbers of the best", () => {
    expect(
      groupsOf((detector) => {
        const { boxes, scores, b } = detector;
        const [values = boxes, places = boxes] = b.many("TopK", 2, [scores, b.ints([6])]);
        const looked = b.add("Gather", [boxes, places]);
        const turned = b.add("Transpose", [looked], { perm: attribute.ints([1, 0]) });
        return {
          values,
          places,
          scores: b.add("Gather", [scores, kept(detector)]),
          mixed: b.add("MatMul", [turned, b.weights(6, 7)]),
        };
      }),
    ).toEqual([]);
  });
});
