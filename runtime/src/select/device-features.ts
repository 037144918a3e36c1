import { deviceMemoryBytes } from "#platform";
import type { DeviceFeature, Requirements } from "../format/engine/requirements.js";

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

/** A module with a function that gives a vector: the i8x16.popcnt of zeros. */
// prettier-ignore
const simd = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
];

/** Of the others only a backend's probe knows. */
const tests: { readonly [F in DeviceFeature]?: () => boolean } = {
  simd: () => typeof WebAssembly !== "undefined" && WebAssembly.validate(Uint8Array.from(simd)),
  threads: () =>
    typeof SharedArrayBuffer !== "undefined" && (globalThis.crossOriginIsolated ?? true),
};
