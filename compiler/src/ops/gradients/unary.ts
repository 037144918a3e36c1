import type { ValueId } from "../../ir/index.js";
import type { AttributeReader } from "../schema/attributes.js";
import type { Some } from "../schema/cells.js";
import type { unarySchemas } from "../schema/unary.js";
import type { Emitter } from "./emitter.js";
import type { Gradient, GradientRule } from "./gradient.js";

/** A function of each element by itself: y of x. */
interface Element {
  readonly emit: Emitter;
  readonly x: ValueId;
  readonly y: ValueId;
  readonly dY: ValueId;
  readonly attributes: AttributeReader;
}

function elementwise(gradient: (element: Element) => ValueId): GradientRule {
  return (backward) => {
    const { emit, attributes } = backward;
    const element = {
      emit,
      x: backward.input(0),
      y: backward.output(0),
      dY: backward.cotangent(),
      attributes,
    };
    return [gradient(element)];
  };
}

/** dY times the slope. */
function times(slope: (element: Element) => ValueId): GradientRule {
  return elementwise((element) => element.emit.multiply(element.dY, slope(element)));
}

export const unaryGradients: Some<typeof unarySchemas, Gradient> = {
  // 1 where y is not 0: of bool, a cast is cheaper than a comparison.
  Relu: elementwise(({ emit, y, dY }) => emit.masked(dY, emit.cast(y, "bool"))),
};
void times;
