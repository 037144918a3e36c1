import { elementCount, PareError, type Tensor as Dense } from "@pare/runtime/format";
import { dim, dtypeOfCode, isStatic, product, type Tensor } from "../../ir/index.js";
import { integers, isWide, pack, unpack, unpackNumbers, workingArray } from "../elements/arrays.js";
import { convert } from "../elements/convert.js";
import { elementLimit, integersIn } from "../shape/integers.js";
import { tensorOf } from "../shape/inferred.js";
import type { AttributeReader, OperatorRow } from "../shape/rule.js";
import { unknownDims } from "../shape/reshape.js";
import { parameters } from "../schema/operator.js";
import { isNonNegative } from "../families/bounds.js";
import { larger } from "../families/symbolic.js";
import { take } from "../elements/take.js";

/** A resident tensor as evaluation takes it. @throws PareError UNSUPPORTED_OP when it is not resident */
export function denseOf(tensor: Tensor): Dense {
  if (tensor.data === undefined)
    throw new PareError("UNSUPPORTED_OP", "The tensor is not in memory.");
  return { type: tensor.dtype, dims: tensor.dims, data: tensor.data };
}

/** What a Constant node holds, in whichever attribute; undefined for a sparse one. */
function constantOf(attributes: AttributeReader): Dense | undefined {
  for (const name of [
    "value",
    "value_float",
    "value_floats",
    "value_int",
    "value_ints",
    "value_string",
    "value_strings",
  ]) {
    const found = attributes.get(name);
    switch (found?.type) {
      case "tensor":
        return denseOf(found.value);
      case "float":
        return { type: "float32", dims: [], data: Float32Array.of(found.value) };
      case "floats":
        return {
          type: "float32",
          dims: [found.value.length],
          data: Float32Array.from(found.value),
        };
      case "int":
        return { type: "int64", dims: [], data: BigInt64Array.of(found.value) };
      case "ints":
        return { type: "int64", dims: [found.value.length], data: BigInt64Array.from(found.value) };
      case "string":
        return { type: "string", dims: [], data: [textOf(found.value)] };
      case "strings":
        return { type: "string", dims: [found.value.length], data: found.value.map(textOf) };
      default:
    }
  }
  return undefined;
}

const textOf = (text: string | Uint8Array): string =>
  typeof text === "string" ? text : String.fromCharCode(...text);

const constantRow: OperatorRow = {
  name: "Constant",
  domain: "",
  inputs: [],
  outputs: parameters("output"),
  attributes: [
    "value",
    "sparse_value",
    "value_float",
    "value_floats",
    "value_int",
    "value_ints",
    "value_string",
    "value_strings",
  ],
  infer({ attributes }) {
    const value = attributes.get("value");
    if (value?.type === "tensor")
      return tensorOf(value.value.dtype, value.value.dims, integersIn(value.value));
    const found = constantOf(attributes);
    if (found === undefined) return [];
    return tensorOf(found.type, found.dims, found.type === "int64" ? integers(found) : undefined);
  },
  evaluate({ attributes }) {
    const found = constantOf(attributes);
    if (found === undefined)
      throw new PareError("UNSUPPORTED_OP", "A sparse constant cannot be evaluated.");
    return [found];
  },
};

/** float32 zero where the attribute is left out. */
function filling(attributes: AttributeReader): Dense {
  const value = attributes.get("value");
  return value?.type === "tensor"
    ? denseOf(value.value)
    : { type: "float32", dims: [1], data: Float32Array.of(0) };
}

const constantOfShapeRow: OperatorRow = {
  name: "ConstantOfShape",
  domain: "",
  inputs: parameters("input"),
  outputs: parameters("output"),
  attributes: ["value"],
  infer(context) {
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
  evaluate({ input, attributes }) {
    const fill = filling(attributes);
    const dims = integers(input(0));
    return [take(fill, new Int32Array(elementCount(dims)), dims)];
  },
};

/** start, start + delta, … below (or above) limit. */
const rangeRow: OperatorRow = {
  name: "Range",
  domain: "",
  inputs: parameters("start", "limit", "delta"),
  outputs: parameters("output"),
  attributes: [],
  infer(context) {
    const dtype = context.dtype(0);
    const [start, limit, delta] = [0, 1, 2].map((input) => context.elements(input)?.[0]);
    if (start === undefined || limit === undefined || typeof delta !== "number" || delta === 0) {
      return tensorOf(dtype, [dim.unknown()]);
    }
    const span = delta > 0 ? dim.subtract(limit, start) : dim.subtract(start, limit);
    const steps = dim.ceilDiv(span, Math.abs(delta));
    const count = isNonNegative(steps) ? steps : larger(steps, 0);
    const isShort = typeof count === "number" && count <= elementLimit;
    const elements = isShort
      ? Array.from({ length: count }, (_, i) => dim.add(start, i * delta))
      : undefined;
    return tensorOf(dtype, [count], elements);
  },
  evaluate({ input }) {
    const { type } = input(0);
    const [start, limit, delta] = [0, 1, 2].map((index) => unpackNumbers(input(index))[0] ?? 0);
    const count = Math.max(0, Math.ceil(((limit ?? 0) - (start ?? 0)) / (delta ?? 1)));
    const to = workingArray(type, count);
    const first = unpack(input(0))[0] ?? 0;
    const step = unpack(input(2))[0] ?? 0;
    if (isWide(to))
      for (let i = 0; i < count; i += 1) to[i] = BigInt(first) + BigInt(i) * BigInt(step);
    else for (let i = 0; i < count; i += 1) to[i] = Number(first) + i * Number(step);
    return [pack(type, [count], to)];
  },
};

const nonZeroRow: OperatorRow = {
  name: "NonZero",
  domain: "",
  inputs: parameters("X"),
  outputs: parameters("Y"),
  attributes: [],
  infer(context) {
    const rank = context.shape(0)?.length;
    const elements = context.elements(0);
    const count =
      rank === 1 && elements !== undefined && isStatic(elements)
        ? elements.filter((value) => value !== 0).length
        : dim.unknown();
    return tensorOf("int64", [rank ?? dim.unknown(), count]);
  },
  evaluate({ input }) {
    const { dims } = input(0);
    const found: number[] = [];
    unpackNumbers(input(0)).forEach((value, at) => {
      if (value !== 0) found.push(at);
    });
    const data = new BigInt64Array(dims.length * found.length);
    let stride = 1;
    for (let axis = dims.length - 1; axis >= 0; axis -= 1) {
      const size = dims[axis] ?? 1;
      found.forEach(
        (at, i) => (data[axis * found.length + i] = BigInt(Math.floor(at / stride) % size)),
      );
      stride *= size;
    }
    return [{ type: "int64", dims: [dims.length, found.length], data }];
  },
};

const eyeLikeRow: OperatorRow = {
  name: "EyeLike",
  domain: "",
  inputs: parameters("input"),
  outputs: parameters("output"),
  attributes: ["dtype", "k"],
  infer: (context) =>
    tensorOf(dtypeOfCode(context.attributes.int("dtype")) ?? context.dtype(0), context.shape(0)),
  evaluate({ input, attributes }) {
    const { dims, type } = input(0);
    const [rows = 0, columns = 0] = dims;
    const ones = new Float32Array(rows * columns);
    const k = attributes.int("k", 0);
    for (let row = Math.max(0, -k); row < rows && row + k < columns; row += 1)
      ones[row * columns + row + k] = 1;
    return [
      convert({ type: "float32", dims, data: ones }, dtypeOfCode(attributes.int("dtype")) ?? type),
    ];
  },
};

export const creationRows: readonly OperatorRow[] = [
  constantRow,
  constantOfShapeRow,
  rangeRow,
  nonZeroRow,
  eyeLikeRow,
];
