import { dim, type Dim, tensorType } from "../../ir/index.js";
import { evenParts, section } from "../families/concat-split.js";
import { normalAxis } from "../families/indexing.js";
import type { Every } from "../schema/cells.js";
import type { concatSplitSchemas } from "../schema/concat-split.js";
import { tensorOf } from "./inferred.js";
import { movedElements } from "./moved-elements.js";
import type { ShapeRule } from "./rule.js";

/** The shape of parts behind one another, as far as theirs are known; undefined where they have no such axis. */
export function joinedShape(
  shapes: readonly (readonly Dim[] | undefined)[],
  along: number,
): readonly Dim[] | undefined {
  const known = shapes.find((shape) => shape !== undefined);
  if (known === undefined) return undefined;
  const axis = normalAxis(along, known.length);
  if (!(axis >= 0 && axis < known.length)) return undefined;
  const sizes = shapes.map((shape) => shape?.[axis] ?? dim.unknown());
  // Off the axis all agree: a number says more than a symbol.
  return known.map((size, at) => {
    if (at === axis) return dim.add(...sizes);
    return shapes.map((other) => other?.[at]).find((other) => typeof other === "number") ?? size;
  });
}

export const concatSplitShapes: Every<typeof concatSplitSchemas, ShapeRule> = {
  Concat(context) {
    const inputs = [...context.node.inputs.keys()];
    const shapes = inputs.map((input) => context.shape(input));
    const dtype = inputs.map((input) => context.dtype(input)).find((found) => found !== undefined);
    const axis = context.attributes.int("axis", 0);
    const shape = joinedShape(shapes, axis);
    if (shape === undefined) return tensorOf(dtype, undefined);
    const parts = inputs.map((input) => context.elements(input));
    const elements =
      normalAxis(axis, shape.length) === 0 && parts.every((part) => part !== undefined)
        ? parts.flat()
        : undefined;
    return tensorOf(dtype, shape, elements);
  },
  Split(context) {
    const { node, attributes } = context;
    const dtype = context.dtype(0);
    const shape = context.shape(0);
    if (shape === undefined)
      return node.outputs.map(() => ({ type: tensorType(dtype, undefined) }));
    const axis = normalAxis(attributes.int("axis", 0), shape.length);
    const given = context.elements(1) ?? attributes.ints("split");
    const isGiven = (node.inputs[1] ?? null) !== null;
    const sizes =
      given ??
      (isGiven
        ? node.outputs.map(() => dim.unknown())
        : evenParts(
            shape[axis] ?? dim.unknown(),
            node.outputs.length,
            attributes.int("num_outputs", node.outputs.length),
          ));
    let start: number | undefined = 0;
    return node.outputs.map((_, index) => {
      const size = sizes[index] ?? dim.unknown();
      const from = start;
      start = from === undefined || typeof size !== "number" ? undefined : from + size;
      const part = shape.map((extent, at) => (at === axis ? size : extent));
      const elements =
        from !== undefined && typeof size === "number"
          ? movedElements(context, part, (dims) => section(dims, axis, from, size))
          : undefined;
      return { type: tensorType(dtype, part), elements };
    });
  },
};
