import { describe, expect, it } from "vitest";
import { decode, encode } from "./codec.js";

describe("codec", () => {
  it("gives back what it took, arrays of every kind and length included", () => {
    const value = {
      kind: "run",
      nested: [
        { a: Float32Array.of(1, -0, Number.NaN), b: BigInt64Array.of(-1n, 2n ** 62n) },
        Uint8Array.of(1, 2, 3),
        new Int16Array(0),
      ],
      text: ["a", "é🙂"],
      nothing: null,
      yes: true,
    };
    expect(decode(encode(value))).toEqual(value);
  });

  it("takes a Buffer for the bytes it is", () => {
    expect(decode(encode({ file: Buffer.from("abc") }))).toEqual({
      file: Uint8Array.of(97, 98, 99),
    });
  });

  it("gives back names as they were, also those that it could take for its own", () => {
    const array = Float32Array.of(1);
    const value = {
      "\0array": array,
      "\0\0array": { "\0": array, "a\0": 1 },
      array: [{ "\0array": [] }],
    };
    expect(decode(encode(value))).toEqual(value);
    expect(decode(encode({ "\0array": ["Float32Array", 0, 1] }))).toEqual({
      "\0array": ["Float32Array", 0, 1],
    });
  });

  it("carries a window on a larger buffer alone", () => {
    const large = new Float32Array(1000).fill(7);
    const bytes = encode({ part: large.subarray(10, 12) });
    expect(bytes.byteLength).toBeLessThan(100);
    expect(decode(bytes)).toEqual({ part: Float32Array.of(7, 7) });
  });
});
