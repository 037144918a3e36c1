import type { Node } from "../../ir/index.js";
import { operatorOf } from "../../ops/index.js";

/** Does an operator only move what it is given, so that a number behind it is as large, and as exact, as before? */
export function carries(node: Node): boolean {
  return operatorOf(node)?.traits.dataMovement !== undefined;
}

/** Does it compute each element from those in its place? */
export function isElementwise(node: Node): boolean {
  return operatorOf(node)?.traits.elementwise === true;
}
