import {
  describeValue,
  type Dtype,
  dtypeArray,
  elementCount,
  floatsToHalves,
  PareError,
  nestingLimit,
  type Tensor,
  type TypedArray,
  type ValueInfo,
} from "@pare/runtime/format";
import { resolveDims } from "./fit-feeds.js";

/**
 * JSON (nested arrays, a flat array, or one value) as a tensor of the input's type. A missing batch axis of one is
 * put in front.
 * @throws PareError DATA_MISMATCH for ragged arrays, other types than the input's, or dims that do not fit
 */
export function jsonTensor(value: unknown, info: ValueInfo, where: string): Tensor {
  const fail = (
    what: string,
    hint = "Write nested arrays as the input's dims say, without its batch axis if you like.",
  ): PareError =>
    new PareError(
      "DATA_MISMATCH",
      `${where}, "${info.name}" ${what}; the model takes ${describeValue(info)}.`,
      { where: `${where}, "${info.name}"`, hint },
    );
  const dims: number[] = [];
  for (let level = value; Array.isArray(level); level = level[0])
    if (dims.push(level.length) > nestingLimit) throw fail(`has more than ${nestingLimit} levels`);
  const flat: unknown[] = [];
  if (!flatten(value, dims, 0, flat))
    throw fail("is not a regular array: its rows differ in length");
  const fitted = fitDims(dims, info.dims, flat.length);
  if (fitted === null) throw fail(`has dims [${dims.join(", ")}]`);
  if (info.type === "string") {
    if (!flat.every((each) => typeof each === "string")) throw fail("holds other things than text");
    return { type: "string", dims: fitted, data: flat };
  }
  if (unread.test(info.type))
    throw fail(
      `is ${info.type}, of which engines take no inputs`,
      "Let the model take another type, as float32, and cast it within.",
    );
  const data = arrayFrom(flat, info.type);
  if (data !== null) return { type: info.type, dims: fitted, data };
  if (isWhole64(info.type) && flat.some(isRounded))
    throw fail(
      "holds whole numbers beyond 2^53, which JSON rounds",
      'Write these as text: "9007199254740993".',
    );
  throw fail(`holds values that are not ${info.type}`);
}

/** What JSON has no numbers for, or engines no inputs. */
const unread = /^(bfloat16|u?int[24]|float[48]e.*|complex.*)$/;

function flatten(value: unknown, dims: readonly number[], depth: number, into: unknown[]): boolean {
  if (!Array.isArray(value)) {
    into.push(value);
    return depth === dims.length;
  }
  return (
    value.length === dims[depth] && value.every((each) => flatten(each, dims, depth + 1, into))
  );
}

function fitDims(
  dims: readonly number[],
  expected: ValueInfo["dims"],
  count: number,
): readonly number[] | null {
  if (dims.length === expected.length) return dims;
  const [batch] = expected;
  if (
    dims.length === expected.length - 1 &&
    batch !== undefined &&
    (typeof batch !== "number" || batch === 1)
  )
    return [1, ...dims];
  const resolved = dims.length <= 1 ? resolveDims(expected, count) : null;
  return resolved !== null && elementCount(resolved) === count ? resolved : null;
}

function arrayFrom(values: readonly unknown[], type: Exclude<Dtype, "string">): TypedArray | null {
  try {
    switch (type) {
      case "int64":
      case "uint64": {
        const array = new dtypeArray[type](values.length);
        for (const [index, value] of values.entries()) {
          const whole = bigOf(value);
          array[index] = whole;
          if (array[index] !== whole) return null;
        }
        return array;
      }
      case "float16":
        return floatsToHalves(values.map(numberOf));
      case "bool":
      case "float32":
      case "float64":
      case "int8":
      case "uint8":
      case "int16":
      case "uint16":
      case "int32":
      case "uint32": {
        const array = new dtypeArray[type](values.length);
        for (const [index, value] of values.entries()) {
          const number = type === "bool" ? truthOf(value) : numberOf(value);
          array[index] = number;
          if (!type.startsWith("float") && array[index] !== number) return null;
        }
        return array;
      }
      default:
        return null;
    }
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError) return null;
    throw error;
  }
}

function isWhole64(type: Dtype): boolean {
  return type === "int64" || type === "uint64";
}

/** Where a whole number in JSON may have been another before it was read. */
function isRounded(value: unknown): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

function bigOf(value: unknown): bigint {
  if (typeof value === "string") return /^[+-]?\d+$/.test(value) ? BigInt(value) : notOf();
  return typeof value === "number" && !isRounded(value) ? BigInt(value) : notOf();
}

function truthOf(value: unknown): number {
  const isTruth = typeof value === "boolean" || value === 0 || value === 1;
  return isTruth ? Number(value) : notOf();
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : notOf();
}

function notOf(): never {
  throw new RangeError("not a value of this type");
}
