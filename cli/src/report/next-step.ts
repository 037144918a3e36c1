import type { Optimized } from "@pare/compiler";
import type { ValueInfo } from "@pare/runtime/format";
import type { Material } from "../prepare/material.js";

/** The cheapest thing that would make the result better or surer: one sentence, or null. */
export function nextStep(
  inputs: readonly ValueInfo[],
  material: Material,
  optimized: Optimized,
): string | null {
  const { evidence, report } = material;
  if (evidence === "none") {
    return takesImages(inputs)
      ? "50 images in a folder let int8 be checked: --data ./images"
      : "50 samples let int8 be checked: pare data <model> writes a module to fill in";
  }
  if (report.validation === 0 || report.calibration === 0)
    return "More samples: with fewer than ten, there is nothing to calibrate and search on.";
  if (evidence === "unlabelled")
    return "Labels would show accuracy, not only agreement with the float model: put images into one subfolder per label, or add `label` to the samples.";
  const undecided = optimized.variants.some(
    ({ measurement: { accuracy } }) =>
      accuracy?.dropInterval &&
      accuracy.drop !== null &&
      accuracy.dropInterval[1] > optimized.lock.maxDrop,
  );
  if (undecided)
    return `More test samples: with ${report.test}, a drop of ${optimized.lock.maxDrop} is within what chance does.`;
  return null;
}

function takesImages(inputs: readonly ValueInfo[]): boolean {
  const [info] = inputs;
  return (
    inputs.length === 1 &&
    info !== undefined &&
    info.dims.length === 4 &&
    (info.type === "float32" || info.type === "uint8")
  );
}
