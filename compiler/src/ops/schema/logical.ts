import { operator } from "./operator.js";

export const logicalSchemas = {
  Equal: operator("A B -> C"),
  Less: operator("A B -> C"),
  Greater: operator("A B -> C"),
  LessOrEqual: operator("A B -> C"),
  GreaterOrEqual: operator("A B -> C"),
  And: operator("A B -> C"),
  Or: operator("A B -> C"),
  Xor: operator("A B -> C"),
  Where: operator("condition X Y -> output"),
};
