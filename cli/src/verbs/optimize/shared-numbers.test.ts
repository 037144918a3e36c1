import type { SampleSet, Tensors, ValueInfo } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { sharedNumbers } from "./shared-numbers.js";

const inputs: readonly ValueInfo[] = [
  { name: "sound", type: "float32", dims: [1] },
  { name: "rate", type: "int64", dims: [] },
  { name: "speaker", type: "int32", dims: [1] },
  { name: "ids", type: "int64", dims: [2] },
];
const samples: SampleSet = {
  size: 3,
  labelled: false,
  info: async (index) => ({ id: String(index), label: null, group: null }),
  async sample(index) {
    const feeds: Tensors = {
      sound: { type: "float32", dims: [1], data: Float32Array.of(1) },
      rate: { type: "int64", dims: [], data: BigInt64Array.of(16000n) },
      speaker: { type: "int32", dims: [1], data: Int32Array.of(index) },
      ids: { type: "int64", dims: [2], data: BigInt64Array.of(1n, 1n) },
    };
    return { ...(await samples.info(index)), feeds };
  },
};

it("are whole ones that stand alone and are the same in every sample", async () => {
  expect(await sharedNumbers(inputs, samples, [0, 1, 2])).toEqual({ rate: { values: [16000] } });
  expect(await sharedNumbers(inputs, samples, [])).toEqual({});
});
