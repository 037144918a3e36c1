import { operator } from "./operator.js";

export const movementSchemas = {
  Transpose: operator("data -> transposed", "perm"),
  Tile: operator("input repeats -> output"),
  Trilu: operator("input k? -> output", "upper"),
  ReverseSequence: operator("input sequence_lens -> Y", "batch_axis time_axis"),
};
