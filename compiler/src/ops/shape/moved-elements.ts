import { type Dim, isStatic } from "../../ir/index.js";
import type { Movement } from "../families/movement.js";
import { isShort } from "./integers.js";
import type { InferContext } from "./rule.js";

/** The integers of input 0 after a movement to `result`; undefined where they or the movement are not known. */
export function movedElements(
  context: InferContext,
  result: readonly Dim[],
  movement: (dims: readonly number[]) => Movement,
): readonly Dim[] | undefined {
  const elements = context.elements(0);
  const shape = context.shape(0);
  if (elements === undefined || shape === undefined || !isStatic(shape) || !isShort(result)) {
    return undefined;
  }
  const moved = Array.from(movement(shape).indices, (at) => elements[at]);
  return moved.every((value) => value !== undefined) ? moved : undefined;
}
