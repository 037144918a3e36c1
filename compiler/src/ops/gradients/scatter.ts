import { attribute, type ValueId } from "../../ir/index.js";
import type { Some } from "../schema/cells.js";
import type { scatterSchemas } from "../schema/scatter.js";
import type { Backward } from "./backward.js";
import type { Gradient } from "./gradient.js";

/** What was put somewhere gets the cotangent of there; what it was put over, nothing, unless it was added. */
function scattered(
  backward: Backward,
  put: (into: ValueId, updates: ValueId) => ValueId,
  take: (from: ValueId) => ValueId,
): readonly (ValueId | null)[] {
  const { emit, attributes } = backward;
  const reduction = attributes.string("reduction", "none");
  if (reduction !== "none" && reduction !== "add")
    throw backward.unsupported(`its reduction is ${reduction}`);
  const dY = backward.cotangent();
  return [
    backward.where(0, () => (reduction === "add" ? dY : put(dY, emit.zeros(backward.dims(2), dY)))),
    null,
    backward.where(2, () => take(dY)),
  ];
}

function elements(backward: Backward): readonly (ValueId | null)[] {
  const { emit } = backward;
  const axis = { axis: attribute.int(backward.attributes.int("axis", 0)) };
  const indices = backward.input(1);
  return scattered(
    backward,
    (into, updates) => emit.node("ScatterElements", [into, indices, updates], axis),
    (from) => emit.node("GatherElements", [from, indices], axis),
  );
}

export const scatterGradients: Some<typeof scatterSchemas, Gradient> = {
  ScatterElements: elements,
  Scatter: elements,
  ScatterND(backward) {
    const { emit } = backward;
    const indices = backward.input(1);
    return scattered(
      backward,
      (into, updates) => emit.node("ScatterND", [into, indices, updates]),
      (from) => emit.node("GatherND", [from, indices]),
    );
  },
  OneHot: "none",
};
