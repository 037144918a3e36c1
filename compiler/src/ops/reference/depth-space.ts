import type { Tensor as Dense } from "@pare/runtime/format";
import { reshaped, take } from "../elements/take.js";
import { transposed } from "../families/movement.js";
import type { Some } from "../schema/cells.js";
import type { depthSpaceSchemas } from "../schema/depth-space.js";
import type { Evaluation } from "./evaluation.js";

/** Reshape, transpose, reshape: how the depth-to-space family moves its blocks. */
function viaTranspose(
  from: Dense,
  split: readonly number[],
  permutation: readonly number[],
  dims: readonly number[],
): Dense {
  const moved = transposed(split, permutation);
  return reshaped(take(from, moved.indices, moved.dims), dims);
}

export const depthSpaceReferences: Some<typeof depthSpaceSchemas, Evaluation> = {
  DepthToSpace({ input, attributes }) {
    const b = attributes.int("blocksize", 1);
    const [n = 1, c = 1, h = 1, w = 1] = input(0).dims;
    const depth = c / (b * b);
    const dims = [n, depth, h * b, w * b];
    return attributes.string("mode", "DCR") === "CRD"
      ? [viaTranspose(input(0), [n, depth, b, b, h, w], [0, 1, 4, 2, 5, 3], dims)]
      : [viaTranspose(input(0), [n, b, b, depth, h, w], [0, 3, 4, 1, 5, 2], dims)];
  },
  SpaceToDepth({ input, attributes }) {
    const b = attributes.int("blocksize", 1);
    const [n = 1, c = 1, h = 1, w = 1] = input(0).dims;
    const split = [n, c, h / b, b, w / b, b];
    return [viaTranspose(input(0), split, [0, 3, 5, 1, 2, 4], [n, c * b * b, h / b, w / b])];
  },
};
