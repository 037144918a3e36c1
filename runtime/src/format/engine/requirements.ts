export const deviceFeatures = [
  "simd",
  "relaxed-simd",
  "threads",
  "shader-f16",
  "webgpu",
  "webnn",
] as const;
export type DeviceFeature = (typeof deviceFeatures)[number];

/** What a device must have for an artifact to run there. */
export interface Requirements {
  readonly features: readonly DeviceFeature[];
  /** Peak bytes of the engine while the model was loaded and run, where it was measured. */
  readonly memoryBytes?: number;
}
