import type { Node } from "../../ir/index.js";
import { keyOf, schemas } from "./schemas.js";

/** The name of an input that a node's operator must have, at opset 21, and that is not there; null where none is missing. */
export function missingInput(node: Node): string | null {
  const inputs = schemas.get(keyOf(node))?.inputs ?? [];
  const missing = inputs.find(
    ({ arity }, index) => arity === "one" && (node.inputs[index] ?? null) === null,
  );
  return missing?.name ?? null;
}
