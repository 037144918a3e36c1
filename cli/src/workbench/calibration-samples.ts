import type { CalibrationSamples, Examples } from "@pare/compiler";

/** What calibration sees of examples: no labels. */
export function calibrationOn(examples: Examples): CalibrationSamples {
  return {
    executor: examples.executor,
    count: examples.count,
    async *samples() {
      for await (const { feeds } of examples.read()) yield feeds;
    },
  };
}
