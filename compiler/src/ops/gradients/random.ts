import type { ValueId } from "../../ir/index.js";
import type { Some } from "../schema/cells.js";
import type { randomSchemas } from "../schema/random.js";
import type { Backward } from "./backward.js";
import type { Gradient } from "./gradient.js";

/** In training what is kept is divided by the share that is kept: the node's own mask says what was. */
function dropout(backward: Backward): readonly (ValueId | null)[] {
  const { emit } = backward;
  const dY = backward.cotangent();
  if (!backward.has(2)) return [dY];
  const training = backward.constant(2)?.numbers()?.[0];
  if (training === 0) return [dY];
  const ratio = backward.has(1) ? backward.input(1) : emit.scalar(0.5, dY);
  const kept = emit.subtract(emit.scalar(1, ratio), ratio);
  const inTraining =
    training === undefined ? emit.where(backward.input(2), kept, emit.scalar(1, kept)) : kept;
  const share = emit.cast(inTraining, emit.dtype(dY));
  return [emit.divide(emit.masked(dY, backward.output(1)), share)];
}

export const randomGradients: Some<typeof randomSchemas, Gradient> = {
  Dropout: dropout,
  RandomNormal: "none",
  RandomUniform: "none",
  RandomNormalLike: "none",
  RandomUniformLike: "none",
  Bernoulli: "none",
  Multinomial: "none",
};
