import { attribute, Tensor, type ValueId } from "../../ir/index.js";
import type { Translate, Translation } from "../translation.js";

/** Operators that are about sizes, and those that give elements other sizes. */
const shape = (at: Translation, value: ValueId): ValueId =>
  at.cast(at.add("Shape", [value]), "int32");

/** Several values along an axis of their own. */
const pack: Translate = (at) => {
  const axis = attribute.int(at.attributes.number("axis", 0));
  const [first] = at.inputs;
  const place = at.integers([at.attributes.number("axis", 0)]);
  const apart = at.inputs.map((value) => at.add("Unsqueeze", [value, place]));
  return first === undefined ? at.invalid("has no inputs") : at.add("Concat", apart, { axis });
};

const unpack: Translate = (at) => {
  const axis = at.attributes.number("axis", 0);
  const size = at.shapeOf(at.input(0))?.at(axis);
  const count = at.attributes.number("num", typeof size === "number" ? size : -1);
  if (count < 1) return at.refuse("how many it gives is known only when it runs");
  const parts = split(at, at.input(0), axis, Array<number>(at.checkedCount(count)).fill(1));
  const place = at.integers([axis]);
  return parts.map((part) => at.add("Squeeze", [part, place]));
};

function split(
  at: Translation,
  value: ValueId,
  axis: number,
  sizes: readonly number[],
): readonly ValueId[] {
  if (sizes.length === 1) return [value];
  return at.addAll("Split", [value, at.integers(sizes)], sizes.length, {
    axis: attribute.int(axis),
  });
}

const equalParts: Translate = (at) => {
  const [axis, value] = [at.number(0, "axis"), at.input(1)];
  const count = at.checkedCount(at.attributes.number("num_split", 1));
  const size = at.shapeOf(value)?.at(axis);
  if (count === 1) return [value];
  if (typeof size === "number")
    return split(at, value, axis, Array<number>(count).fill(size / count));
  return at.addAll("Split", [value], count, {
    axis: attribute.int(axis),
    num_outputs: attribute.int(count),
  });
};

const unequalParts: Translate = (at) => {
  const [value, sizes, axis] = [at.input(0), at.numbers(1, "sizes"), at.number(2, "axis")];
  const whole = at.shapeOf(value)?.at(axis);
  const others = sizes.reduce((sum, size) => sum + Math.max(0, size), 0);
  if (!sizes.includes(-1)) return split(at, value, axis, sizes);
  if (typeof whole !== "number") return at.refuse("what is left for one part is not known");
  return split(
    at,
    value,
    axis,
    sizes.map((size) => (size === -1 ? whole - others : size)),
  );
};

/** @param first whether the axis comes before what is joined */
const join =
  (first: boolean): Translate =>
  (at) => {
    const count = at.inputs.length;
    const axis = at.number(first ? 0 : count - 1, "axis");
    const parts = first ? at.inputs.slice(1) : at.inputs.slice(0, -1);
    return at.add("Concat", parts, { axis: attribute.int(axis) });
  };

const squeeze: Translate = (at) => {
  const axes = at.attributes.numbers("squeeze_dims") ?? at.attributes.numbers("axis") ?? [];
  return at.add("Squeeze", [at.input(0), ...(axes.length === 0 ? [] : [at.integers(axes)])]);
};

const filledLike =
  (number: number): Translate =>
  (at) => {
    const value = at.input(0);
    const dtype = at.dtypeOf(value);
    if (dtype !== "float32" && dtype !== "int32" && dtype !== "bool")
      return at.refuse("the type of what it reads is not known");
    const data = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[dtype].of(number);
    return at.add("ConstantOfShape", [at.add("Shape", [value])], {
      value: attribute.tensor(Tensor.of(dtype, [1], data)),
    });
  };

export const sizes: Readonly<Record<string, Translate>> = {
  BroadcastTo: (at) => at.add("Expand", [at.input(0), at.sizes(1)]),
  Cast: (at) => {
    const dtype = at.attributes.dtype("DstT") ?? at.invalid("says no type");
    return at.cast(at.input(0), dtype);
  },
  Concat: join(true),
  ConcatV2: join(false),
  EnsureShape: (at) => at.input(0),
  ExpandDims: (at) => at.add("Unsqueeze", [at.input(0), at.sizes(1)]),
  Fill: (at) => at.add("Expand", [at.input(1), at.sizes(0)]),
  OnesLike: filledLike(1),
  Pack: pack,
  Range: (at) => at.add("Range", at.inputs),
  Rank: (at) => at.constant(Tensor.of("int32", [], Int32Array.of(at.rank(at.input(0))))),
  Reshape: (at) => at.add("Reshape", [at.input(0), at.sizes(1)], { allowzero: attribute.int(1) }),
  Shape: (at) => shape(at, at.input(0)),
  ShapeN: (at) => at.inputs.map((value) => shape(at, value)),
  Size: (at) => at.cast(at.add("Size", [at.input(0)]), "int32"),
  Split: equalParts,
  SplitV: unequalParts,
  Squeeze: squeeze,
  Tile: (at) => at.add("Tile", [at.input(0), at.sizes(1)]),
  Unpack: unpack,
  ZerosLike: filledLike(0),
};
