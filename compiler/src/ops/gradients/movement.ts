import type { ValueId } from "../../ir/index.js";
import { permutationOf } from "../families/movement.js";
import type { Some } from "../schema/cells.js";
import type { movementSchemas } from "../schema/movement.js";
import type { Backward } from "./backward.js";
import type { Gradient } from "./gradient.js";

/** The same node on the cotangent: what it does is its own adjoint. */
function again(backward: Backward): readonly ValueId[] {
  const { emit, node } = backward;
  const [, ...others] = node.inputs;
  const attributes = Object.fromEntries(node.attributes);
  return [emit.node(node.op, [backward.cotangent(), ...others], attributes)];
}

export const movementGradients: Some<typeof movementSchemas, Gradient> = {
  Transpose(backward) {
    const { emit, attributes } = backward;
    const permutation = permutationOf(attributes.ints("perm"), backward.dims(0).length);
    const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
    return [emit.transpose(backward.cotangent(), inverse)];
  },
  // [r · d] seen as [r, d], summed over the repeats.
  Tile(backward) {
    const { emit } = backward;
    const dims = backward.dims(0);
    const repeats = backward.integers(1) ?? [];
    const apart = emit.reshape(
      backward.cotangent(),
      dims.flatMap((size, axis) => [repeats[axis] ?? 1, size]),
    );
    const summed = emit.sum(
      apart,
      dims.map((_, axis) => 2 * axis),
    );
    return [emit.reshape(summed, dims)];
  },
  Trilu: again,
  ReverseSequence: again,
};
