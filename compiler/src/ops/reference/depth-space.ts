import type { Tensor as Dense } from "@pare/runtime/format";
import { dim } from "../../ir/index.js";
import { tensorOf } from "../shape/inferred.js";
import { transposed } from "./movement.js";
import type { OperatorRow } from "../shape/rule.js";
import { parameters } from "../schema/operator.js";
import { reshaped, take } from "../elements/take.js";

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

const depthToSpaceRow: OperatorRow = {
  name: "DepthToSpace",
  domain: "",
  inputs: parameters("input"),
  outputs: parameters("output"),
  attributes: ["blocksize", "mode"],
  infer(context) {
    const block = context.attributes.int("blocksize", 1);
    const [n, c, h, w] = context.shape(0) ?? [];
    if (n === undefined || c === undefined || h === undefined || w === undefined)
      return tensorOf(context.dtype(0), undefined);
    const shape = [
      n,
      dim.floorDiv(c, block * block),
      dim.multiply(h, block),
      dim.multiply(w, block),
    ];
    return tensorOf(context.dtype(0), shape);
  },
  evaluate({ input, attributes }) {
    const b = attributes.int("blocksize", 1);
    const [n = 1, c = 1, h = 1, w = 1] = input(0).dims;
    const depth = c / (b * b);
    const dims = [n, depth, h * b, w * b];
    return attributes.string("mode", "DCR") === "CRD"
      ? [viaTranspose(input(0), [n, depth, b, b, h, w], [0, 1, 4, 2, 5, 3], dims)]
      : [viaTranspose(input(0), [n, b, b, depth, h, w], [0, 3, 4, 1, 5, 2], dims)];
  },
};

const spaceToDepthRow: OperatorRow = {
  name: "SpaceToDepth",
  domain: "",
  inputs: parameters("input"),
  outputs: parameters("output"),
  attributes: ["blocksize"],
  infer(context) {
    const block = context.attributes.int("blocksize", 1);
    const [n, c, h, w] = context.shape(0) ?? [];
    if (n === undefined || c === undefined || h === undefined || w === undefined)
      return tensorOf(context.dtype(0), undefined);
    const shape = [
      n,
      dim.multiply(c, block * block),
      dim.floorDiv(h, block),
      dim.floorDiv(w, block),
    ];
    return tensorOf(context.dtype(0), shape);
  },
  evaluate({ input, attributes }) {
    const b = attributes.int("blocksize", 1);
    const [n = 1, c = 1, h = 1, w = 1] = input(0).dims;
    const split = [n, c, h / b, b, w / b, b];
    return [viaTranspose(input(0), split, [0, 3, 5, 1, 2, 4], [n, c * b * b, h / b, w / b])];
  },
};

export const depthSpaceRows: readonly OperatorRow[] = [depthToSpaceRow, spaceToDepthRow];
