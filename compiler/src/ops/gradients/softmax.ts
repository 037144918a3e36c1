import type { Some } from "../schema/cells.js";
import type { softmaxSchemas } from "../schema/softmax.js";
import { normalAxis } from "../families/indexing.js";
import type { Backward } from "./backward.js";
import type { Gradient } from "./gradient.js";

function axisOf(backward: Backward): readonly number[] {
  return [normalAxis(backward.attributes.int("axis", -1), backward.dims(0).length)];
}

export const softmaxGradients: Some<typeof softmaxSchemas, Gradient> = {
  // y · (dY − Σ dY · y)
  Softmax(backward) {
    const { emit } = backward;
    const y = backward.output(0);
    const weighted = emit.multiply(backward.cotangent(), y);
    const sum = emit.sum(weighted, axisOf(backward), true);
    return [emit.subtract(weighted, emit.multiply(y, sum))];
  },
  // dY − e^y · Σ dY
  LogSoftmax(backward) {
    const { emit } = backward;
    const dY = backward.cotangent();
    const sum = emit.sum(dY, axisOf(backward), true);
    const shares = emit.node("Exp", [backward.output(0)]);
    return [emit.subtract(dY, emit.multiply(shares, sum))];
  },
  Hardmax: "none",
};
