import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { arrayOver, checkTensor, isTypedArray, type Tensor } from "./tensor.js";

describe("an array over bytes", () => {
  const floats = Float32Array.of(1.5, -2, 3);
  const bytes = new Uint8Array(floats.buffer);

  it("is a view where they are aligned", () => {
    expect(arrayOver("float32", bytes).buffer).toBe(floats.buffer);
  });

  it("is a copy where they are not, also of a subclass whose slice is a view, as Node's Buffer", () => {
    class Pool extends Uint8Array {
      override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
        return new Uint8Array(this.buffer, this.byteOffset).subarray(start, end);
      }
    }
    const pool = new Pool(13);
    pool.set(bytes, 1);
    expect(arrayOver("float32", pool.subarray(1))).toEqual(floats);
  });
});

describe("checking a tensor", () => {
  it.each([
    [
      "another array",
      { type: "int64", dims: [1], data: Float32Array.of(1) },
      /BigInt64Array, but got Float32Array/,
    ],
    [
      "too few values",
      { type: "float32", dims: [2, 2], data: new Float32Array(3) },
      /has 3 values, but dims \[2, 2\] need 4/,
    ],
    [
      "impossible dims",
      { type: "float32", dims: [-1], data: new Float32Array(1) },
      /impossible dims/,
    ],
    [
      "a part of an axis",
      { type: "float32", dims: [1.5, 2], data: new Float32Array(3) },
      /impossible dims/,
    ],
    ["a list in place of an array", { type: "float32", dims: [2], data: [1, 2] }, /got Array/],
    ["nothing in place of an array", { type: "float32", dims: [2], data: null }, /got Null/],
    ["numbers in place of text", { type: "string", dims: [2], data: ["a", 1] }, /string\[\]/],
    ["a text in place of texts", { type: "string", dims: [2], data: "ab" }, /got String/],
  ] as const)("refuses %s", (_, tensor, message) => {
    // As a caller in JavaScript would pass it.
    expect(() => checkTensor(tensor as Tensor, 'input "x"')).toThrow(message);
  });

  it("takes arrays of another realm, and tells what they are", () => {
    const other: unknown = runInNewContext("new Float32Array(2)");
    const tensor = { type: "float32", dims: [2], data: other } as Tensor;
    expect(() => checkTensor(tensor, 'input "x"')).not.toThrow();
    expect(() => checkTensor({ ...tensor, type: "int32" }, 'input "x"')).toThrow(
      "held in a Int32Array, but got Float32Array",
    );
    expect(isTypedArray(runInNewContext("new DataView(new ArrayBuffer(1))"))).toBe(false);
  });
});
