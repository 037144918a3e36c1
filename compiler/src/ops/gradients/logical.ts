import type { ValueId } from "../../ir/index.js";
import type { logicalSchemas } from "../schema/logical.js";
import type { Some } from "../schema/cells.js";
import { unbroadcast } from "./broadcast.js";
import type { Gradient } from "./gradient.js";

export const logicalGradients: Some<typeof logicalSchemas, Gradient> = {
  Where(backward) {
    const { emit } = backward;
    const [condition, dY] = [backward.input(0), backward.cotangent()];
    const zero = emit.scalar(0, dY);
    const side = (index: number, chosen: () => ValueId) =>
      backward.where(index, () => unbroadcast(emit, chosen(), backward.dims(index)));
    return [
      null,
      side(1, () => emit.where(condition, dY, zero)),
      side(2, () => emit.where(condition, zero, dY)),
    ];
  },
  Equal: "none",
  Less: "none",
  Greater: "none",
  LessOrEqual: "none",
  GreaterOrEqual: "none",
  And: "none",
  Or: "none",
  Xor: "none",
};
