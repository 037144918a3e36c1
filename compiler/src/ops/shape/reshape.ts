import { elementCount } from "@pare/runtime/format";
import { type Dim, dim, product } from "../../ir/index.js";
import { integers } from "../elements/arrays.js";
import { broadcastDims, broadcastShapes } from "../families/broadcast.js";
import { broadcastIndices, normalAxis } from "../families/indexing.js";
import { elementLimit, isShort } from "./integers.js";
import { givenNumbers, isAbsent, numbersOf, tensorOf } from "./inferred.js";
import type { InferContext, OperatorRow } from "./rule.js";
import { parameters } from "../schema/operator.js";
import { reshaped, take } from "../elements/take.js";

const identityRow: OperatorRow = {
  name: "Identity",
  domain: "",
  inputs: parameters("input"),
  outputs: parameters("output"),
  attributes: [],
  infer(context) {
    const type = context.type(0);
    return type === undefined ? [] : [{ type, elements: context.elements(0) }];
  },
  evaluate: ({ input }) => [input(0)],
};

const shapeRow: OperatorRow = {
  name: "Shape",
  domain: "",
  inputs: parameters("data"),
  outputs: parameters("shape"),
  attributes: ["start", "end"],
  infer(context) {
    const { attributes } = context;
    const shape = context.shape(0);
    if (shape === undefined) return tensorOf("int64", [dim.unknown()]);
    const kept = shape.slice(attributes.int("start", 0), attributes.int("end", shape.length));
    return tensorOf("int64", [kept.length], kept);
  },
  evaluate({ input, attributes }) {
    const { dims } = input(0);
    const kept = dims.slice(attributes.int("start", 0), attributes.int("end", dims.length));
    return [{ type: "int64", dims: [kept.length], data: BigInt64Array.from(kept, BigInt) }];
  },
};

const sizeRow: OperatorRow = {
  name: "Size",
  domain: "",
  inputs: parameters("data"),
  outputs: parameters("size"),
  attributes: [],
  infer(context) {
    const shape = context.shape(0);
    return tensorOf("int64", [], shape && [product(shape)]);
  },
  evaluate: ({ input }) => [
    { type: "int64", dims: [], data: BigInt64Array.of(BigInt(elementCount(input(0).dims))) },
  ],
};

/** What a Reshape to `target` gives: 0 copies a dim (unless `allowZero`), −1 is what is left. */
export function reshapedShape(
  shape: readonly Dim[] | undefined,
  target: readonly Dim[],
  allowZero: boolean,
): readonly Dim[] {
  const result = target.map((size, axis) =>
    size === 0 && !allowZero ? (shape?.[axis] ?? dim.unknown()) : size,
  );
  const open = target.indexOf(-1);
  if (open < 0) return result;
  const rest = product(result.filter((_, axis) => axis !== open));
  result[open] =
    shape === undefined || rest === 0 ? dim.unknown() : dim.floorDiv(product(shape), rest);
  return result;
}

const reshapeRow: OperatorRow = {
  name: "Reshape",
  domain: "",
  inputs: parameters("data", "shape"),
  outputs: parameters("reshaped"),
  attributes: ["allowzero"],
  infer(context) {
    const dtype = context.dtype(0);
    const target = context.elements(1) ?? context.attributes.ints("shape");
    if (target === undefined) return tensorOf(dtype, unknownDims(context, 1));
    const shape = reshapedShape(
      context.shape(0),
      target,
      context.attributes.int("allowzero", 0) !== 0,
    );
    return tensorOf(dtype, shape, context.elements(0));
  },
  evaluate(context) {
    const from = context.input(0);
    const target = givenNumbers(context, 1, "shape") ?? [];
    const dims = reshapedShape(from.dims, target, context.attributes.int("allowzero", 0) !== 0);
    return [reshaped(from, dims.map(Number))];
  },
};

function squeezed<D extends Dim>(shape: readonly D[], axes: readonly number[] | undefined): D[] {
  const dropped = new Set(axes?.map((axis) => normalAxis(axis, shape.length)));
  return shape.filter((size, axis) => (axes === undefined ? size !== 1 : !dropped.has(axis)));
}

const squeezeRow: OperatorRow = {
  name: "Squeeze",
  domain: "",
  inputs: parameters("data", "axes?"),
  outputs: parameters("squeezed"),
  attributes: [],
  infer(context) {
    const dtype = context.dtype(0);
    const shape = context.shape(0);
    const all = isAbsent(context, 1, "axes");
    const axes = numbersOf(context, 1, "axes");
    // Without axes, a dim that may or may not be 1 leaves even the rank open.
    if (
      shape === undefined ||
      (all ? shape.some((size) => typeof size !== "number") : axes === undefined)
    ) {
      return tensorOf(dtype, undefined, context.elements(0));
    }
    return tensorOf(dtype, squeezed(shape, axes), context.elements(0));
  },
  evaluate(context) {
    const from = context.input(0);
    return [reshaped(from, squeezed(from.dims, givenNumbers(context, 1, "axes")))];
  },
};

function unsqueezed<D extends Dim>(shape: readonly D[], axes: readonly number[]): (D | 1)[] {
  const rank = shape.length + axes.length;
  const added = new Set(axes.map((axis) => normalAxis(axis, rank)));
  let at = 0;
  return Array.from({ length: rank }, (_, axis) => {
    if (added.has(axis)) return 1;
    at += 1;
    return shape[at - 1] ?? 1;
  });
}

const unsqueezeRow: OperatorRow = {
  name: "Unsqueeze",
  domain: "",
  inputs: parameters("data", "axes"),
  outputs: parameters("expanded"),
  attributes: [],
  infer(context) {
    const shape = context.shape(0);
    const axes = numbersOf(context, 1, "axes");
    const known = shape === undefined || axes === undefined ? undefined : unsqueezed(shape, axes);
    return tensorOf(context.dtype(0), known, context.elements(0));
  },
  evaluate(context) {
    const from = context.input(0);
    const axes = givenNumbers(context, 1, "axes") ?? [];
    return [reshaped(from, unsqueezed(from.dims, axes))];
  },
};

function flattened(shape: readonly Dim[], axis: number): Dim[] {
  const at = axis < 0 ? axis + shape.length : axis;
  return [product(shape.slice(0, at)), product(shape.slice(at))];
}

const flattenRow: OperatorRow = {
  name: "Flatten",
  domain: "",
  inputs: parameters("input"),
  outputs: parameters("output"),
  attributes: ["axis"],
  infer(context) {
    const shape = context.shape(0);
    const axis = context.attributes.int("axis", 1);
    const result = shape === undefined ? [dim.unknown(), dim.unknown()] : flattened(shape, axis);
    return tensorOf(context.dtype(0), result, context.elements(0));
  },
  evaluate({ input, attributes }) {
    return [reshaped(input(0), flattened(input(0).dims, attributes.int("axis", 1)).map(Number))];
  },
};

const expandRow: OperatorRow = {
  name: "Expand",
  domain: "",
  inputs: parameters("input", "shape"),
  outputs: parameters("output"),
  attributes: [],
  infer(context) {
    const from = context.shape(0);
    const target = context.elements(1) ?? unknownDims(context, 1);
    const shape = broadcastShapes([from, target]);
    return tensorOf(context.dtype(0), shape, spread(context, shape));
  },
  evaluate({ input }) {
    const dims = broadcastDims(input(0).dims, integers(input(1)));
    return [take(input(0), broadcastIndices(input(0).dims, dims), dims)];
  },
};

/** The integers of a scalar-like input, once for each element of a small static shape. */
function spread(
  context: InferContext,
  shape: readonly Dim[] | undefined,
): readonly Dim[] | undefined {
  const elements = context.elements(0);
  if (elements === undefined || shape === undefined || !isShort(shape)) return undefined;
  const count = Number(product(shape));
  if (elements.length === count) return elements;
  const [first] = elements;
  return elements.length === 1 && first !== undefined
    ? Array.from({ length: count }, () => first)
    : undefined;
}

/** Unknown dims, as many as an input that holds a shape has elements. */
export function unknownDims(context: InferContext, input: number): readonly Dim[] | undefined {
  const rank = context.shape(input)?.[0];
  if (typeof rank !== "number" || rank > elementLimit) return undefined;
  return Array.from({ length: rank }, () => dim.unknown());
}

export const shapeRows: readonly OperatorRow[] = [
  identityRow,
  shapeRow,
  sizeRow,
  reshapeRow,
  squeezeRow,
  unsqueezeRow,
  flattenRow,
  expandRow,
];
