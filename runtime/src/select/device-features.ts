import type { DeviceFeature } from "../format/engine/requirements.js";

// Smallest modules that use one instruction each: i8x16.popcnt, and i32x4.relaxed_dot_i8x16_i7x16_add_s.
const simd = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15,
  253, 98, 11,
];
const relaxedSimd = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 1, 253, 15,
  65, 2, 253, 15, 65, 3, 253, 15, 253, 147, 2, 11,
];

/** What of `required` the device lacks, given what the backend's probe found. */
export function missingFeatures(
  required: readonly DeviceFeature[],
  probed: readonly DeviceFeature[] = [],
): DeviceFeature[] {
  return required.filter((feature) => !probed.includes(feature) && !hasFeature(feature));
}

function hasFeature(feature: DeviceFeature): boolean {
  switch (feature) {
    case "simd":
      return runs(simd);
    case "relaxed-simd":
      return runs(relaxedSimd);
    case "threads":
      return typeof SharedArrayBuffer !== "undefined" && (globalThis.crossOriginIsolated ?? true);
    case "shader-f16":
    case "webgpu":
    case "webnn":
      return false; // only a backend's probe knows
    default:
      return feature satisfies never;
  }
}

function runs(module: readonly number[]): boolean {
  return typeof WebAssembly !== "undefined" && WebAssembly.validate(Uint8Array.from(module));
}
