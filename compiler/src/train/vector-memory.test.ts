import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VectorMemory } from "./vector-memory.js";

const floats = fc.float32Array({
  minLength: 1,
  maxLength: 40,
  noNaN: true,
  max: 2 ** 60,
  min: -(2 ** 60),
});

function held(arrays: readonly Float32Array[]): {
  readonly memory: VectorMemory;
  readonly own: readonly Float32Array[];
} {
  const memory = VectorMemory.for(arrays.map(({ length }) => length));
  const own = arrays.map((array) => {
    const taken = memory.take(array.length);
    taken.set(array);
    return taken;
  });
  return { memory, own };
}

describe("arrays in one memory", () => {
  it("have the norm of all their elements", () => {
    const property = fc.property(fc.array(floats, { minLength: 1, maxLength: 4 }), (arrays) => {
      const { memory, own } = held(arrays);
      const sum = arrays.reduce((all, array) => array.reduce((part, x) => part + x * x, all), 0);
      expect(Math.abs(memory.norm(own) - Math.sqrt(sum))).toBeLessThanOrEqual(
        1e-12 * Math.sqrt(sum),
      );
    });
    fc.assert(property, { numRuns: 100 });
  });

  it.each([Number.NaN, Infinity, -Infinity])("have no finite norm with %d among them", (wrong) => {
    for (let at = 0; at < 19; at += 1) {
      const array = new Float32Array(19).fill(1);
      array[at] = wrong;
      const { memory, own } = held([Float32Array.of(3, 4), array]);
      expect(Number.isFinite(memory.norm(own))).toBe(false);
      expect(memory.norm(own.slice(0, 1))).toBe(5);
    }
  });

  it("are blended as float32 numbers, and nothing beside them", () => {
    const weight = fc.float({ min: -2, max: 2, noNaN: true });
    const property = fc.property(floats, weight, weight, (array, kept, share) => {
      const other = array.map((x, at) => x / 3 + at);
      const { memory, own } = held([array, other, Float32Array.of(5)]);
      const [into, more, beside] = own;
      if (into === undefined || more === undefined) throw new Error("no arrays");
      memory.blend(into, kept, more, share);
      const { fround } = Math;
      const expected = array.map((x, at) =>
        fround(fround(kept * x) + fround(share * (other[at] ?? 0))),
      );
      expect(into).toEqual(expected);
      expect(more).toEqual(other);
      expect(beside).toEqual(Float32Array.of(5));
    });
    fc.assert(property, { numRuns: 100 });
  });

  it("are shared with threads where that is asked for", () => {
    expect(VectorMemory.for([3], true).take(3).buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(VectorMemory.for([3]).take(3).buffer).toBeInstanceOf(ArrayBuffer);
  });

  it("are an error where they are too many, and beyond what was asked for", () => {
    expect(() => VectorMemory.for([2 ** 30])).toThrowError(
      expect.objectContaining({ code: "NO_MEMORY", message: expect.stringContaining("4.0 GB") }),
    );
    expect(() => VectorMemory.for([4]).take(2 ** 16)).toThrow(RangeError);
  });
});
