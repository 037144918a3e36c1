import { deviceMemoryBytes } from "#platform";
import { hasSimd } from "../backends/relaxed-simd.js";
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

/** Of the others only a backend's probe knows. */
const tests: { readonly [F in DeviceFeature]?: () => boolean } = {
  simd: () => typeof WebAssembly !== "undefined" && hasSimd(),
  threads: () =>
    typeof SharedArrayBuffer !== "undefined" && (globalThis.crossOriginIsolated ?? true),
};
