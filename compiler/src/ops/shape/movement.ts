import { dim, isStatic } from "../../ir/index.js";
import { permutationOf, tiled, transposed } from "../families/movement.js";
import type { Every } from "../schema/cells.js";
import type { movementSchemas } from "../schema/movement.js";
import { sameAsInput, tensorOf } from "./inferred.js";
import { movedElements } from "./moved-elements.js";
import type { ShapeRule } from "./rule.js";

export const movementShapes: Every<typeof movementSchemas, ShapeRule> = {
  Transpose(context) {
    const shape = context.shape(0);
    const given = context.attributes.ints("perm");
    if (shape === undefined)
      return tensorOf(
        context.dtype(0),
        given?.map(() => dim.unknown()),
      );
    const permutation = permutationOf(given, shape.length);
    const result = permutation.map((axis) => shape[axis] ?? dim.unknown());
    return tensorOf(
      context.dtype(0),
      result,
      movedElements(context, result, (dims) => transposed(dims, permutation)),
    );
  },
  Tile(context) {
    const shape = context.shape(0);
    const repeats = context.elements(1);
    const result = shape?.map((size, axis) => {
      const times = repeats?.[axis];
      return times === undefined ? dim.unknown() : dim.multiply(size, times);
    });
    const elements =
      repeats !== undefined && isStatic(repeats) && result !== undefined
        ? movedElements(context, result, (dims) => tiled(dims, repeats))
        : undefined;
    return tensorOf(context.dtype(0), result, elements);
  },
  Trilu: sameAsInput,
  ReverseSequence: sameAsInput,
};
