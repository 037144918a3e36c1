import type { Tensor as Dense } from "@pare/runtime/format";
import { convert } from "../elements/convert.js";
import { take } from "../elements/take.js";
import { byAxis, padded } from "../families/pad.js";
import type { Some } from "../schema/cells.js";
import type { padSchemas } from "../schema/pad.js";
import { type Evaluation, givenNumbers } from "./evaluation.js";

export const padReferences: Some<typeof padSchemas, Evaluation> = {
  Pad(context) {
    const { inputs, attributes } = context;
    const from = context.input(0);
    const pads = givenNumbers(context, 1, "pads") ?? [];
    const axes = givenNumbers(context, 3, "axes") ?? [...from.dims.keys()];
    const mode = attributes.string("mode", "constant");
    const moved = padded(from.dims, byAxis(pads, axes, from.dims.length), mode);
    // Before opset 11 the value is an attribute.
    const value: Dense = {
      type: "float32",
      dims: [],
      data: Float32Array.of(attributes.float("value", 0)),
    };
    const fill = inputs[2] ?? (attributes.has("value") ? convert(value, from.type) : null);
    return [take(from, moved.indices, moved.dims, fill)];
  },
};
