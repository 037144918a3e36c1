import { type Dim, dim, isStatic } from "../../ir/index.js";
import { normalAxis } from "../families/indexing.js";
import { type Cut, cut, sliced } from "../families/slice.js";
import type { Every } from "../schema/cells.js";
import type { sliceSchemas } from "../schema/slice.js";
import { integersOf, isAbsent, numbersOf, tensorOf } from "./inferred.js";
import { movedElements } from "./moved-elements.js";
import type { InferContext, ShapeRule } from "./rule.js";

function inferCuts(context: InferContext, shape: readonly Dim[]): readonly Cut[] | undefined {
  const starts = integersOf(context, 1, "starts");
  const ends = integersOf(context, 2, "ends");
  const axes = isAbsent(context, 3, "axes")
    ? [...(starts ?? shape).keys()]
    : numbersOf(context, 3, "axes");
  if (axes === undefined) return undefined;
  const given = isAbsent(context, 4, "steps") ? axes.map(() => 1) : numbersOf(context, 4, "steps");
  return axes.map((axis, index) => {
    const at = normalAxis(axis, shape.length);
    const size = shape[at] ?? dim.unknown();
    const [start, end, step] = [starts?.[index], ends?.[index], given?.[index]];
    if (start === undefined || end === undefined || step === undefined || step === 0) {
      return { axis: at, start: dim.unknown(), step: 1, count: dim.unknown() };
    }
    return cut(at, size, start, end, step);
  });
}

export const sliceShapes: Every<typeof sliceSchemas, ShapeRule> = {
  Slice(context) {
    const shape = context.shape(0);
    if (shape === undefined) return tensorOf(context.dtype(0), undefined);
    const cuts = inferCuts(context, shape);
    if (cuts === undefined)
      return tensorOf(
        context.dtype(0),
        shape.map(() => dim.unknown()),
      );
    const result = shape.map(
      (size, axis) => cuts.find((found) => found.axis === axis)?.count ?? size,
    );
    const isKnown = isStatic(cuts.flatMap((found) => [found.start, found.count]));
    return tensorOf(
      context.dtype(0),
      result,
      isKnown ? movedElements(context, result, (dims) => sliced(dims, cuts)) : undefined,
    );
  },
};
