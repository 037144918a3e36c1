import { dim, isStatic } from "../../ir/index.js";
import { byAxis, padded } from "../families/pad.js";
import type { Every } from "../schema/cells.js";
import type { padSchemas } from "../schema/pad.js";
import { integersOf, isAbsent, numbersOf, tensorOf } from "./inferred.js";
import { movedElements } from "./moved-elements.js";
import type { ShapeRule } from "./rule.js";

export const padShapes: Every<typeof padSchemas, ShapeRule> = {
  Pad(context) {
    const shape = context.shape(0);
    if (shape === undefined) return tensorOf(context.dtype(0), undefined);
    const pads = integersOf(context, 1, "pads");
    const axes = isAbsent(context, 3, "axes") ? [...shape.keys()] : numbersOf(context, 3, "axes");
    if (pads === undefined || axes === undefined)
      return tensorOf(
        context.dtype(0),
        shape.map(() => dim.unknown()),
      );
    const found = byAxis(pads, axes, shape.length);
    const result = shape.map((size, axis) => {
      const pad = found.find((candidate) => candidate.axis === axis);
      return pad === undefined ? size : dim.add(size, pad.before, pad.after);
    });
    const mode = context.attributes.string("mode", "constant");
    const isKnown = isStatic(pads) && (mode !== "constant" || pads.every((pad) => pad <= 0));
    return tensorOf(
      context.dtype(0),
      result,
      isKnown ? movedElements(context, result, (dims) => padded(dims, found, mode)) : undefined,
    );
  },
};
