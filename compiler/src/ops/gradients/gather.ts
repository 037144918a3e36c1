import { elementCount } from "@pare/runtime/format";
import { attribute, type ValueId } from "../../ir/index.js";
import { normalAxis } from "../families/indexing.js";
import type { gatherSchemas } from "../schema/gather.js";
import type { Some } from "../schema/cells.js";
import type { Backward } from "./backward.js";
import type { Gradient } from "./gradient.js";
import { placed } from "./placement.js";

const add = { reduction: attribute.string("add") };

/** Rows go back to where they came from; what was taken several times gets the sum. */
function gather(backward: Backward): readonly ValueId[] {
  const { emit } = backward;
  const dims = backward.dims(0);
  const axis = normalAxis(backward.attributes.int("axis", 0), dims.length);
  const size = dims[axis] ?? 1;
  const count = elementCount(backward.dims(1));
  const taken = emit.reshape(backward.cotangent(), [
    ...dims.slice(0, axis),
    count,
    ...dims.slice(axis + 1),
  ]);
  const positions = backward
    .constant(1)
    ?.numbers()
    ?.map((index) => normalAxis(index, size));
  if (positions !== undefined && new Set(positions).size === positions.length)
    return [placed(emit, taken, axis, positions, size)];
  // [before, taken, behind] → [taken, before · behind]: scattering goes along the first axis.
  const [before, behind] = [elementCount(dims.slice(0, axis)), elementCount(dims.slice(axis + 1))];
  const turned = (value: ValueId, from: readonly number[]): ValueId =>
    before === 1 ? value : emit.transpose(emit.reshape(value, from), [1, 0, 2]);
  const scattered = emit.node(
    "ScatterND",
    [
      emit.zeros([size, before * behind], taken),
      emit.reshape(emit.cast(backward.input(1), "int64"), [count, 1]),
      emit.reshape(turned(taken, [before, count, behind]), [count, before * behind]),
    ],
    add,
  );
  return [emit.reshape(turned(scattered, [size, before, behind]), dims)];
}

export const gatherGradients: Some<typeof gatherSchemas, Gradient> = {
  Gather: gather,
  GatherElements(backward) {
    const { emit, attributes } = backward;
    const zeros = emit.zeros(backward.dims(0), backward.input(0));
    return [
      emit.node("ScatterElements", [zeros, backward.input(1), backward.cotangent()], {
        axis: attribute.int(attributes.int("axis", 0)),
        ...add,
      }),
    ];
  },
  GatherND(backward) {
    const { emit, attributes } = backward;
    if (attributes.int("batch_dims", 0) !== 0) throw backward.unsupported("it has batch_dims");
    const zeros = emit.zeros(backward.dims(0), backward.input(0));
    return [emit.node("ScatterND", [zeros, backward.input(1), backward.cotangent()], add)];
  },
};
