import type { castSchemas } from "../schema/cast.js";
import type { Some } from "../schema/cells.js";
import type { Backward } from "./backward.js";
import type { Gradient } from "./gradient.js";

/** Between floats; through integers nothing is asked for. */
function cast(backward: Backward) {
  const { emit } = backward;
  return [emit.cast(backward.cotangent(), emit.dtype(backward.input(0))), null];
}

export const castGradients: Some<typeof castSchemas, Gradient> = {
  Cast: cast,
  CastLike: cast,
};
