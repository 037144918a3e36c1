import { normalAxis } from "../families/indexing.js";
import type { Some } from "../schema/cells.js";
import type { concatSplitSchemas } from "../schema/concat-split.js";
import type { Gradient } from "./gradient.js";

export const concatSplitGradients: Some<typeof concatSplitSchemas, Gradient> = {
  Concat(backward) {
    const { emit, node, attributes } = backward;
    const axis = normalAxis(attributes.int("axis", 0), backward.dims(0).length);
    const sizes = node.inputs.map((_, index) => backward.dims(index)[axis] ?? 0);
    return emit.split(backward.cotangent(), axis, sizes);
  },
  Split(backward) {
    const { emit, node, attributes } = backward;
    const axis = normalAxis(attributes.int("axis", 0), backward.dims(0).length);
    const parts = node.outputs.map((output, index) =>
      backward.hasCotangent(index)
        ? backward.cotangent(index)
        : emit.zeros(emit.shape(output ?? backward.output(index)), backward.input(0)),
    );
    return [emit.concat(parts, axis), null];
  },
};
