import { deviceMemoryBytes } from "#platform";
import type { DeviceFeature, Requirements } from "../format/engine/requirements.js";

/** The smallest module with one function of these instructions, which gives a vector. */
function moduleOf(...code: readonly number[]): Uint8Array<ArrayBuffer> {
  const { length } = code;
  const head = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0];
  return Uint8Array.of(...head, 10, length + 4, 1, length + 2, 0, ...code, 11);
}

/** What of `required` the device lacks, given what the backend's probe found. */
export function missingFeatures(
  required: readonly DeviceFeature[],
  probed: readonly DeviceFeature[] = [],
): DeviceFeature[] {
  return required.filter((feature) => !probed.includes(feature) && !hasFeature(feature));
}

/** Said of a device whose whole memory is known to be less than the engine took where it was measured. */
export function lackingMemory({ memoryBytes = 0 }: Requirements): string[] {
  const present = deviceMemoryBytes();
  return present === undefined || memoryBytes <= present ? [] : [`${memoryBytes} bytes of memory`];
}

function hasFeature(feature: DeviceFeature): boolean {
  switch (feature) {
    case "simd":
      return runs(65, 0, 253, 15, 253, 98); // i8x16.popcnt
    case "relaxed-simd":
      // i32x4.relaxed_dot_i8x16_i7x16_add_s
      return runs(65, 1, 253, 15, 65, 2, 253, 15, 65, 3, 253, 15, 253, 147, 2);
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

function runs(...code: readonly number[]): boolean {
  return typeof WebAssembly !== "undefined" && WebAssembly.validate(moduleOf(...code));
}
