import { type Dim, dim } from "../../ir/index.js";
import { isStatic } from "../../ir/index.js";
import { normalAxis, sourceIndices, stridesOf } from "../families/indexing.js";
import { givenNumbers, integersOf, isAbsent, numbersOf, tensorOf } from "../shape/inferred.js";
import { type Movement, movedElements } from "./movement.js";
import type { InferContext, OperatorRow } from "../shape/rule.js";
import { parameters } from "../schema/operator.js";
import { isNonNegative } from "../families/bounds.js";
import { larger, smaller } from "../families/symbolic.js";
import { take } from "../elements/take.js";

/** Beyond this a bound means "to the end": exporters write the largest int32 or int64. */
const endless = 2 ** 31 - 1;

/** One axis of a slice: the start and the number of elements. */
interface Cut {
  readonly axis: number;
  readonly start: Dim;
  readonly step: number;
  readonly count: Dim;
}

/** Where a bound falls on an axis of `size`: negative ones count from the end, all are held between the ends. */
function bound(value: Dim, size: Dim, low: Dim, high: Dim): Dim {
  if (typeof value === "number" && value >= endless) return high;
  if (typeof value === "number" && value <= -endless) return low;
  const isFromEnd = typeof value === "number" ? value < 0 : isNonNegative(dim.subtract(-1, value));
  return smaller(larger(isFromEnd ? dim.add(value, size) : value, low), high);
}

function cut(axis: number, size: Dim, start: Dim, end: Dim, step: number): Cut {
  if (typeof size !== "number" && !isNonNegative(size)) {
    // A size is never negative, even where its expression could be.
    const opaque = dim.unknown();
    const back = new Map([...dim.symbolsOf(opaque)].map((name) => [name, size]));
    const found = cut(axis, opaque, start, end, step);
    return {
      ...found,
      start: dim.substitute(found.start, back),
      count: dim.substitute(found.count, back),
    };
  }
  const last = dim.subtract(size, 1);
  const from = step > 0 ? bound(start, size, 0, size) : bound(start, size, 0, last);
  const to = step > 0 ? bound(end, size, 0, size) : bound(end, size, -1, last);
  const span = step > 0 ? dim.subtract(to, from) : dim.subtract(from, to);
  return { axis, start: from, step, count: dim.ceilDiv(larger(span, 0), Math.abs(step)) };
}

function sliced(dims: readonly number[], cuts: readonly Cut[]): Movement {
  const strides = stridesOf(dims);
  const parts = dims.map((size, axis) => {
    const found = cuts.find((candidate) => candidate.axis === axis);
    const [start, step, count] =
      found === undefined ? [0, 1, size] : [Number(found.start), found.step, Number(found.count)];
    return Array.from({ length: count }, (_, i) => (start + i * step) * (strides[axis] ?? 1));
  });
  return { dims: parts.map((part) => part.length), indices: sourceIndices(parts) };
}

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

const sliceRow: OperatorRow = {
  name: "Slice",
  domain: "",
  inputs: parameters("data", "starts", "ends", "axes?", "steps?"),
  outputs: parameters("output"),
  attributes: [],
  infer(context) {
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
  evaluate(context) {
    const from = context.input(0);
    const { dims } = from;
    const starts = givenNumbers(context, 1, "starts") ?? [];
    const ends = givenNumbers(context, 2, "ends") ?? [];
    const axes = givenNumbers(context, 3, "axes") ?? [...starts.keys()];
    const strides = givenNumbers(context, 4, "steps") ?? [];
    const cuts = axes.map((axis, index) => {
      const at = normalAxis(axis, dims.length);
      return cut(at, dims[at] ?? 1, starts[index] ?? 0, ends[index] ?? 0, strides[index] ?? 1);
    });
    const moved = sliced(dims, cuts);
    return [take(from, moved.indices, moved.dims)];
  },
};

export const sliceRows: readonly OperatorRow[] = [sliceRow];
