import { elementCount, PareError } from "@pare/runtime/format";
import { dtypeOfCode } from "../../ir/index.js";
import { integers, isWide, pack, unpack, unpackNumbers, workingArray } from "../elements/arrays.js";
import { convert } from "../elements/convert.js";
import { take } from "../elements/take.js";
import { constantOf, filling, resident } from "../families/creation.js";
import type { Some } from "../schema/cells.js";
import type { creationSchemas } from "../schema/creation.js";
import type { Evaluation } from "./evaluation.js";

export const creationReferences: Some<typeof creationSchemas, Evaluation> = {
  Constant({ attributes }) {
    const found = constantOf(attributes);
    if (found === undefined)
      throw new PareError(
        "UNSUPPORTED_OP",
        "A sparse constant, or one of bytes that are no text, cannot be evaluated.",
      );
    return [resident(found)];
  },
  ConstantOfShape({ input, attributes }) {
    const fill = filling(attributes);
    const dims = integers(input(0));
    return [take(fill, new Int32Array(elementCount(dims)), dims)];
  },
  /** start, start + delta, … below (or above) limit. */
  Range({ input }) {
    const { type } = input(0);
    const [start = 0, limit = 0, delta = 0] = [0, 1, 2].map((index) => unpack(input(index))[0]);
    // The distance of two 64-bit integers is told before it is rounded to a number.
    const inType = type === "float32" ? Math.fround : Number;
    const span = typeof limit === "bigint" ? limit - BigInt(start) : inType(limit - Number(start));
    const count = Math.max(0, Math.ceil(Number(span) / Number(delta)));
    if (!Number.isSafeInteger(count))
      throw new PareError("MODEL_SHAPE", `A range in steps of ${delta} does not end.`);
    const to = workingArray(type, count);
    if (isWide(to))
      for (let i = 0; i < count; i += 1) to[i] = BigInt(start) + BigInt(i) * BigInt(delta);
    else {
      // Summed up in the type itself, as onnxruntime does, which drifts; ONNX has it start + i × delta.
      to[0] = Number(start);
      for (let i = 1; i < count; i += 1) to[i] = (to[i - 1] ?? 0) + Number(delta);
    }
    return [pack(type, [count], to)];
  },
  NonZero({ input }) {
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
  EyeLike({ input, attributes }) {
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
