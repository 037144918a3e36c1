import { permutationOf } from "../families/movement.js";
import type { Some } from "../schema/cells.js";
import type { movementSchemas } from "../schema/movement.js";
import type { Gradient } from "./gradient.js";

export const movementGradients: Some<typeof movementSchemas, Gradient> = {
  Transpose(backward) {
    const { emit, attributes } = backward;
    const permutation = permutationOf(attributes.ints("perm"), backward.dims(0).length);
    const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
    return [emit.transpose(backward.cotangent(), inverse)];
  },
};
