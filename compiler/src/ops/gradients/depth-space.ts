import { attribute } from "../../ir/index.js";
import type { Some } from "../schema/cells.js";
import type { depthSpaceSchemas } from "../schema/depth-space.js";
import type { Gradient } from "./gradient.js";

export const depthSpaceGradients: Some<typeof depthSpaceSchemas, Gradient> = {
  /** SpaceToDepth brings back what was depth first (DCR); columns, rows, depth (CRD) are permuted. */
  DepthToSpace(backward) {
    const { emit, attributes } = backward;
    const size = attributes.int("blocksize", 1);
    const dims = backward.dims(0);
    const dY = backward.cotangent();
    if (attributes.string("mode", "DCR") !== "CRD")
      return [emit.node("SpaceToDepth", [dY], { blocksize: attribute.int(size) })];
    const [batch = 1, channels = 1, rows = 1, columns = 1] = dims;
    const apart = emit.reshape(dY, [batch, channels / size / size, rows, size, columns, size]);
    return [emit.reshape(emit.transpose(apart, [0, 1, 3, 5, 2, 4]), dims)];
  },
  SpaceToDepth(backward) {
    const size = attribute.int(backward.attributes.int("blocksize", 1));
    return [backward.emit.node("DepthToSpace", [backward.cotangent()], { blocksize: size })];
  },
};
