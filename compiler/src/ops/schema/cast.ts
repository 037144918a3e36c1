import { operator } from "./operator.js";

export const castSchemas = {
  Cast: operator("input -> output", "saturate to"),
  CastLike: operator("input target_type -> output", "saturate"),
};
