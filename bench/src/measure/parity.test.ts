import type { Tensor, Tensors } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { ParityMeter } from "./parity.js";

const floats = (...values: number[]): Tensor => ({
  type: "float32",
  dims: [1, values.length],
  data: Float32Array.from(values),
});

function parityOf(...pairs: readonly (readonly [got: Tensors, expected: Tensors])[]) {
  const meter = new ParityMeter();
  for (const [got, expected] of pairs) meter.add(got, expected);
  return meter.result();
}

describe("parity", () => {
  it("is the worst output, each over its own largest value", () => {
    expect(
      parityOf(
        [
          { boxes: floats(100, 640), score: floats(0.5) },
          { boxes: floats(100, 640), score: floats(1) },
        ],
        [{ score: floats(1) }, { score: floats(1) }],
      ),
    ).toEqual({ n: 2, maxError: 0.5, flips: 0 });
  });

  it("tells little of a sample where an output is next to nothing", () => {
    const [empty, full] = [floats(1e-7), floats(1)];
    const found = parityOf([{ y: floats(2e-7) }, { y: empty }], [{ y: full }, { y: full }]);
    expect(found?.maxError).toBeCloseTo(1e-7, 9);
  });

  it("counts samples whose best class is another", () => {
    expect(parityOf([{ y: floats(1, 2) }, { y: floats(2, 1) }])).toMatchObject({ flips: 1 });
  });

  it("reads bfloat16 as numbers, and not as their bits", () => {
    const bfloats = (...bits: number[]): Tensors => ({
      y: { type: "bfloat16", dims: [1, bits.length], data: Uint16Array.from(bits) },
    });
    expect(parityOf([bfloats(0x3f80), bfloats(0x4000)])).toMatchObject({ maxError: 0.5 });
  });

  it("is without bound for an output that is not there, and for another text", () => {
    expect(parityOf([{}, { y: floats(1) }])).toMatchObject({ maxError: Infinity });
    const text = (data: string): Tensors => ({ y: { type: "string", dims: [1], data: [data] } });
    expect(parityOf([text("a"), text("b")])).toMatchObject({ maxError: Infinity });
    expect(parityOf([text("a"), text("a")])).toMatchObject({ maxError: 0 });
  });

  it("is none of no sample", () => {
    expect(parityOf()).toBeNull();
  });
});
