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
  return required.filter((feature) => !probed.includes(feature) && !tests[feature]?.());
}

/** Said of a device whose whole memory is known to be less than the engine took where it was measured. */
export function lackingMemory({ memoryBytes = 0 }: Requirements): string[] {
  const present = deviceMemoryBytes();
  return present === undefined || memoryBytes <= present ? [] : [`${memoryBytes} bytes of memory`];
}

/** Of the others only a backend's probe knows. */
const tests: { readonly [F in DeviceFeature]?: () => boolean } = {
  simd: () => runs(65, 0, 253, 15, 253, 98), // i8x16.popcnt
  // i32x4.relaxed_dot_i8x16_i7x16_add_s
  "relaxed-simd": () => runs(65, 1, 253, 15, 65, 2, 253, 15, 65, 3, 253, 15, 253, 147, 2),
  threads: () =>
    typeof SharedArrayBuffer !== "undefined" && (globalThis.crossOriginIsolated ?? true),
};

function runs(...code: readonly number[]): boolean {
  return typeof WebAssembly !== "undefined" && WebAssembly.validate(moduleOf(...code));
}
