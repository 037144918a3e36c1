import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { IntegerFormat } from "./format.js";
import { integerRange } from "./format.js";
import { layoutOf } from "./layout.js";
import { pack, unpack } from "./pack.js";
import { chooseScales } from "./range.js";
import { dequantize, quantize, type QuantizedTensor } from "./round.js";
import { cases, slowGroup, slowQuantize, slowScale } from "./slow-reference.test.support.js";

const quantized = (
  values: Float32Array,
  dims: readonly number[],
  format: IntegerFormat,
): QuantizedTensor => quantize(values, dims, format, chooseScales(values, dims, format, "minmax"));

const tensor = (dtype: IntegerFormat["dtype"], symmetric = false): IntegerFormat => ({
  dtype,
  symmetric,
  granularity: { kind: "tensor" },
});

describe("quantize and dequantize", () => {
  it("do as a slow reference, in every dtype, granularity and shape", () => {
    fc.assert(
      fc.property(cases, ({ dims, values, format }) => {
        const { data, scales, zeroPoints, ...rest } = quantized(values, dims, format);
        const groups = new Map<string, number[]>();
        values.forEach((_, i) => {
          const group = slowGroup(i, dims, format.granularity);
          groups.set(group, [...(groups.get(group) ?? []), i]);
        });
        expect(scales).toHaveLength(groups.size);
        const back = dequantize({ data, scales, zeroPoints, ...rest });
        const expected = new Float64Array(values.length);
        const expectedBack = new Float32Array(values.length);
        for (const elements of groups.values()) {
          const [scale, zeroPoint] = slowScale(
            elements.map((i) => values[i] ?? NaN),
            format,
          );
          for (const i of elements) {
            const q = slowQuantize(values[i] ?? NaN, scale, zeroPoint, format);
            expected[i] = q;
            expectedBack[i] = Math.fround((q - zeroPoint) * scale) + 0;
          }
        }
        expect(Float64Array.from(data)).toEqual(expected);
        expect(back.map((x) => x + 0)).toEqual(expectedBack);
      }),
      { numRuns: 400 },
    );
  });

  it("err by half a step at most, never leave the range, and keep zero", () => {
    fc.assert(
      fc.property(cases, ({ dims, values, format }) => {
        values[0] = 0;
        const made = quantized(values, dims, format);
        const { min, max } = integerRange(format);
        const back = dequantize(made);
        const scaleOfElement = stepsOf(made);
        // One expectation for all elements: each takes longer than what it looks at.
        const wrong = [...values].flatMap((x, i) => {
          const q = made.data[i] ?? NaN;
          const { scale, zeroPoint } = scaleOfElement(i);
          // Rounding the zero point moves the range by up to half a step: what it leaves out is clipped.
          const held = [(min - zeroPoint) * scale, (max - zeroPoint) * scale] as const;
          const beyond = Math.max(held[0] - x, x - held[1], 0);
          const off = beyond === 0 ? Math.abs(x - (back[i] ?? NaN)) : 0;
          const isRight =
            q >= min &&
            q <= max &&
            (x !== 0 || back[i] === 0) &&
            beyond <= scale * 0.5001 &&
            off <= scale * 0.5001;
          return isRight ? [] : [{ i, x, q, back: back[i], scale, zeroPoint }];
        });
        expect(wrong).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it("make of blocks what they make of each slice by itself", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 4 }),
        cases,
        (rows, columns, size, { format }) => {
          const values = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * 3));
          const granularity = { kind: "block", axis: 1, size } as const;
          const whole = quantized(values, [rows, columns], { ...format, granularity });
          const alone = { ...format, granularity: { kind: "tensor" } } as const;
          const [scales, data]: [number[], number[]] = [[], []];
          for (let row = 0; row < rows; row += 1) {
            for (let from = 0; from < columns; from += size) {
              const end = row * columns + Math.min(columns, from + size);
              const slice = values.slice(row * columns + from, end);
              const one = quantized(slice, [slice.length], alone);
              scales.push(...one.scales);
              data.push(...one.data);
            }
          }
          expect([...whole.scales]).toEqual(scales);
          expect([...whole.data]).toEqual(data);
        },
      ),
    );
  });

  it("give the numbers of onnxruntime's Python quantizer", () => {
    const zeros = quantized(new Float32Array(3), [3], tensor("uint8"));
    expect(zeros).toMatchObject({ scales: Float32Array.of(1), zeroPoints: Int16Array.of(0) });
    const constant = quantized(Float32Array.of(3), [1], tensor("uint8"));
    expect(constant).toMatchObject({
      scales: Float32Array.of(3 / 255),
      zeroPoints: Int16Array.of(0),
      data: Uint8Array.of(255),
    });
    const ones = { scales: Float32Array.of(1), zeroPoints: Int16Array.of(0) };
    const ties = quantize(Float32Array.of(0.5, 1.5, 2.5, -0.5), [4], tensor("uint8"), ones);
    expect([...ties.data]).toEqual([0, 2, 2, 0]);
  });

  it("say how much was lost", () => {
    const values = Float32Array.of(-8, 7, 3, 0.5);
    const ones = { scales: Float32Array.of(1), zeroPoints: Int16Array.of(0) };
    const { sqnr } = quantize(values, [4], tensor("int4", true), ones);
    expect(sqnr).toBeCloseTo(10 * Math.log10((64 + 49 + 9 + 0.25) / 0.25), 10);
    expect(quantize(values.slice(0, 3), [3], tensor("int4", true), ones).sqnr).toBe(Infinity);
  });
});

describe("pack", () => {
  it("is undone by unpack, in every dtype, for odd counts too", () => {
    fc.assert(
      fc.property(cases, ({ dims, values, format }) => {
        const { data } = quantized(values, dims, format);
        const packed = pack(format.dtype, data);
        const bits = Number(/\d+/.exec(format.dtype)?.[0]);
        expect(packed).toHaveLength(Math.ceil((data.length * bits) / 8));
        expect(unpack(format.dtype, packed, data.length)).toEqual(data);
      }),
    );
  });

  it("puts the first element into the lowest bits, and zeros behind the last", () => {
    expect(pack("int4", Int8Array.of(-1, 2, -8))).toEqual(Uint8Array.of(0x2f, 0x08));
    expect(pack("uint4", Uint8Array.of(1, 15, 7))).toEqual(Uint8Array.of(0xf1, 0x07));
    expect(pack("int2", Int8Array.of(-1, 0, 1, -2, -2))).toEqual(
      Uint8Array.of(0b10_01_00_11, 0b10),
    );
    expect(pack("uint2", Uint8Array.of(0, 1, 2, 3, 3))).toEqual(Uint8Array.of(0b11_10_01_00, 3));
    expect(unpack("int4", Uint8Array.of(0x2f, 0xf8), 3)).toEqual(Int8Array.of(-1, 2, -8));
    expect(pack("int8", Int8Array.of(-3))).toEqual(Int8Array.of(-3));
  });
});

/** For an element of a rounded tensor, its scale and zero point. */
function stepsOf({ dims, format, scales, zeroPoints }: QuantizedTensor) {
  const keys = new Map<string, number>();
  const { scaleDims } = layoutOf(dims, format.granularity);
  const count = scaleDims.reduce((product, size) => product * size, 1);
  return (element: number): { scale: number; zeroPoint: number } => {
    const key = slowGroup(element, dims, format.granularity);
    // Elements come in row-major order, and so do the first elements of groups, of channels and of blocks alike.
    const group = keys.get(key) ?? keys.size;
    keys.set(key, group);
    if (group >= count) throw new Error(`element ${element} is of group ${group} of ${count}`);
    return { scale: scales[group] ?? NaN, zeroPoint: zeroPoints[group] ?? NaN };
  };
}
