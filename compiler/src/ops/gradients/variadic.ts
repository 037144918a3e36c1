import type { ValueId } from "../../ir/index.js";
import type { Some } from "../schema/cells.js";
import type { variadicSchemas } from "../schema/variadic.js";
import type { Backward } from "./backward.js";
import { unbroadcast } from "./broadcast.js";
import type { Gradient } from "./gradient.js";

/** Each operand gets dY, times a factor. */
function shared(backward: Backward, factor: number): readonly (ValueId | null)[] {
  const { emit } = backward;
  return backward.node.inputs.map((_, index) =>
    backward.where(index, () =>
      emit.scale(unbroadcast(emit, backward.cotangent(), backward.dims(index)), factor),
    ),
  );
}

/** All operands that are equal to the extremum share its cotangent. */
function extremum(backward: Backward): readonly (ValueId | null)[] {
  const { emit, node } = backward;
  const [y, dY] = [backward.output(0), backward.cotangent()];
  const equal = node.inputs.map((_, index) =>
    emit.cast(emit.node("Equal", [backward.input(index), y]), emit.dtype(y)),
  );
  const share = emit.divide(
    dY,
    equal.reduce((sum, mask) => emit.add(sum, mask)),
  );
  return equal.map((mask, index) =>
    backward.where(index, () =>
      unbroadcast(emit, emit.multiply(share, mask), backward.dims(index)),
    ),
  );
}

/** dY where x lies between the bounds; what is held at a bound goes to the bound. */
function clip(backward: Backward): readonly (ValueId | null)[] {
  const { emit } = backward;
  const [x, dY] = [backward.input(0), backward.cotangent()];
  const low = backward.has(1) ? backward.input(1) : undefined;
  const high = backward.has(2) ? backward.input(2) : undefined;
  const above = low === undefined ? [] : [emit.node("Greater", [x, low])];
  const below = high === undefined ? [] : [emit.node("Less", [x, high])];
  const [first, second] = [...above, ...below];
  const held = (inside: ValueId | undefined, bound: number): ValueId => {
    const outside = inside === undefined ? dY : emit.masked(dY, emit.node("Not", [inside]));
    return unbroadcast(emit, outside, backward.dims(bound));
  };
  return [
    backward.where(0, () => {
      if (first === undefined) return dY;
      return emit.masked(dY, second === undefined ? first : emit.node("And", [first, second]));
    }),
    backward.where(1, () => held(above[0], 1)),
    backward.where(2, () => held(below[0], 2)),
  ];
}

export const variadicGradients: Some<typeof variadicSchemas, Gradient> = {
  Sum: (backward) => shared(backward, 1),
  Mean: (backward) => shared(backward, 1 / backward.node.inputs.length),
  Max: extremum,
  Min: extremum,
  Clip: clip,
};
