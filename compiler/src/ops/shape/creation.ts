import { type Dim, dim, dtypeOfCode, isStatic, product } from "../../ir/index.js";
import { unpackNumbers } from "../elements/arrays.js";
import { constantOf, filling } from "../families/creation.js";
import { larger } from "../families/symbolic.js";
import type { Every } from "../schema/cells.js";
import type { creationSchemas } from "../schema/creation.js";
import { tensorOf, unknownDims } from "./inferred.js";
import { elementLimit, integersIn, isItself } from "./integers.js";
import type { InferContext, ShapeRule } from "./rule.js";

export const creationShapes: Every<typeof creationSchemas, ShapeRule> = {
  Constant({ attributes }) {
    const found = constantOf(attributes);
    return found === undefined ? [] : tensorOf(found.dtype, found.dims, integersIn(found));
  },
  ConstantOfShape(context) {
    const fill = filling(context.attributes);
    const shape = context.elements(0) ?? unknownDims(context, 0);
    const count = shape === undefined ? undefined : product(shape);
    const [value] = fill.type === "string" ? [] : unpackNumbers(fill);
    const isShort =
      typeof count === "number" &&
      count <= elementLimit &&
      value !== undefined &&
      Number.isSafeInteger(value);
    return tensorOf(
      fill.type,
      shape,
      isShort ? Array.from({ length: count }, () => value) : undefined,
    );
  },
  Range(context) {
    const dtype = context.dtype(0);
    if (dtype === "float32") return tensorOf(dtype, [termsOf(context)]);
    const [start, limit, delta] = [0, 1, 2].map((input) => context.elements(input)?.[0]);
    if (
      start === undefined ||
      limit === undefined ||
      typeof delta !== "number" ||
      delta === 0 ||
      ![start, limit, delta].every(isItself)
    )
      return tensorOf(dtype, [dim.unknown()]);
    const span = delta > 0 ? dim.subtract(limit, start) : dim.subtract(start, limit);
    const steps = dim.ceilDiv(span, Math.abs(delta));
    const count = larger(steps, 0);
    const isShort = typeof count === "number" && count <= elementLimit;
    const elements = isShort
      ? Array.from({ length: count }, (_, i) => dim.add(start, i * delta))
      : undefined;
    return tensorOf(dtype, [count], elements);
  },
  NonZero(context) {
    const rank = context.shape(0)?.length;
    const elements = context.elements(0);
    const count =
      rank === 1 && elements !== undefined && isStatic(elements)
        ? elements.filter((value) => value !== 0).length
        : dim.unknown();
    return tensorOf("int64", [rank ?? dim.unknown(), count]);
  },
  EyeLike: (context) =>
    tensorOf(dtypeOfCode(context.attributes.int("dtype")) ?? context.dtype(0), context.shape(0)),
};

/** How many numbers a Range of floats has, where they are constant; as onnxruntime counts them. */
function termsOf(context: InferContext): Dim {
  const [start, limit, delta] = [0, 1, 2].map((input) => context.constant(input)?.numbers()?.[0]);
  if (start === undefined || limit === undefined || delta === undefined) return dim.unknown();
  const count = Math.ceil(Math.fround(limit - start) / delta);
  return Number.isSafeInteger(count) ? Math.max(0, count) : dim.unknown();
}
