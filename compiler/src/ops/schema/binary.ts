import { operator } from "./operator.js";

export const binarySchemas = {
  Add: operator("A B -> C"),
  Sub: operator("A B -> C"),
  Mul: operator("A B -> C"),
  Div: operator("A B -> C"),
  Mod: operator("A B -> C", "fmod"),
  Pow: operator("A B -> C"),
  PRelu: operator("A B -> C"),
  BitwiseAnd: operator("A B -> C"),
  BitwiseOr: operator("A B -> C"),
  BitwiseXor: operator("A B -> C"),
  BitShift: operator("A B -> C", "direction"),
};
