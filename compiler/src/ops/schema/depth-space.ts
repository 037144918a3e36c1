import { operator } from "./operator.js";

export const depthSpaceSchemas = {
  DepthToSpace: operator("input -> output", "blocksize mode"),
  SpaceToDepth: operator("input -> output", "blocksize"),
};
