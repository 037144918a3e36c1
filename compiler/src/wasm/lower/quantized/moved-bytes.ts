/** Operators that only move what they read, and are lowered for bytes as they are for floats. */
export const movesStoredBytes: ReadonlySet<string> = new Set([
  "Identity",
  "Reshape",
  "Flatten",
  "Squeeze",
  "Unsqueeze",
  "Transpose",
  "DepthToSpace",
  "SpaceToDepth",
  "Slice",
  "Split",
  "Gather",
  "Expand",
  "Tile",
]);
