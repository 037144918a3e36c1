import { dim } from "../../ir/index.js";
import type { Every } from "../schema/cells.js";
import type { depthSpaceSchemas } from "../schema/depth-space.js";
import { tensorOf } from "./inferred.js";
import type { ShapeRule } from "./rule.js";

export const depthSpaceShapes: Every<typeof depthSpaceSchemas, ShapeRule> = {
  DepthToSpace(context) {
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
  SpaceToDepth(context) {
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
};
