import type { SampleSet } from "@pare/runtime/format";
import { seeded } from "../statistics/random.js";

/** A hundred samples of noise for the digits' model, by index the same in every run. */
export function noise(label: (index: number) => unknown): SampleSet {
  return {
    size: 100,
    labelled: true,
    info: async (index) => ({ id: `s${index}`, label: label(index), group: null }),
    async sample(index) {
      const random = seeded(index);
      const data = Float32Array.from({ length: 784 }, () => (random() < 0.2 ? random() : 0));
      return {
        ...(await this.info(index)),
        feeds: { x: { type: "float32", dims: [1, 1, 28, 28], data } },
      };
    },
  };
}

const indexes = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

export const splits = { calibration: [], validation: indexes(0, 40), test: indexes(40, 100) };
