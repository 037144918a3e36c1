import { attribute } from "../../ir/index.js";
import type { Some } from "../schema/cells.js";
import type { selectionSchemas } from "../schema/selection.js";
import type { Gradient } from "./gradient.js";

export const selectionGradients: Some<typeof selectionSchemas, Gradient> = {
  ArgMax: "none",
  ArgMin: "none",
  /** The sum of all that come after, where it was of all before. */
  CumSum(backward) {
    const { emit, attributes } = backward;
    const reverse = attributes.int("reverse", 0) === 0 ? 1 : 0;
    return [
      emit.node("CumSum", [backward.cotangent(), backward.input(1)], {
        exclusive: attribute.int(attributes.int("exclusive", 0)),
        reverse: attribute.int(reverse),
      }),
      null,
    ];
  },
  /** To where the node says that its values came from; no place twice. */
  TopK(backward) {
    const { emit, attributes } = backward;
    const zeros = emit.zeros(backward.dims(0), backward.input(0));
    return [
      emit.node("ScatterElements", [zeros, backward.output(1), backward.cotangent()], {
        axis: attribute.int(attributes.int("axis", -1)),
      }),
      null,
    ];
  },
};
