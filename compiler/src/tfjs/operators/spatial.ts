import { attribute, type ValueId } from "../../ir/index.js";
import { resized } from "../resize.js";
import type { Translate, Translation } from "../translation.js";
import { toTheEnd } from "./slices.js";
import { withChannelsSecond } from "../windows.js";

const resize =
  (mode: "linear" | "nearest"): Translate =>
  (at) =>
    resized(at, at.input(0), at.sizes(1), {
      mode,
      hasCorners: at.attributes.flag("align_corners"),
      hasHalfPixels: at.attributes.flag("half_pixel_centers"),
    });

const depthToSpace: Translate = (at) =>
  withChannelsSecond(at, at.input(0), at.attributes.text("data_format") !== "NCHW", 2, (value) =>
    at.add("DepthToSpace", [value], {
      blocksize: attribute.int(at.attributes.number("block_size", 2)),
    }),
  );

/** Blocks of places as further samples: what dilated convolutions were written with. */
const spaceToBatch: Translate = (at) => {
  const [blocks, pads] = [at.numbers(1, "blocks"), at.numbers(2, "pads")];
  const value = at.input(0);
  const shape = fixedBehindBatch(at, value);
  const axes = blocks.map((_, axis) => axis);
  const spare = shape.slice(blocks.length).map(() => 0);
  const before = axes.map((axis) => pads[2 * axis] ?? 0);
  const after = axes.map((axis) => pads[2 * axis + 1] ?? 0);
  const padded = at.add("Pad", [value, at.integers([0, ...before, ...spare, 0, ...after, ...spare])]); // prettier-ignore
  const sizes = axes.map((axis) => (shape[axis] ?? 0) + (before[axis] ?? 0) + (after[axis] ?? 0));
  const rest = shape.slice(blocks.length);
  const apart = axes.flatMap((axis) => [(sizes[axis] ?? 0) / (blocks[axis] ?? 1), blocks[axis] ?? 1]); // prettier-ignore
  const split = at.add("Reshape", [padded, at.integers([-1, ...apart, ...rest])]);
  const turned = at.transpose(split, [
    ...axes.map((axis) => 2 * axis + 2),
    0,
    ...axes.map((axis) => 2 * axis + 1),
    ...rest.map((_, axis) => 2 * blocks.length + 1 + axis),
  ]);
  const inner = apart.filter((_, index) => index % 2 === 0);
  return at.add("Reshape", [turned, at.integers([-1, ...inner, ...rest])]);
};

const batchToSpace: Translate = (at) => {
  const [blocks, crops] = [at.numbers(1, "blocks"), at.numbers(2, "crops")];
  const value = at.input(0);
  const shape = fixedBehindBatch(at, value);
  const axes = blocks.map((_, axis) => axis);
  const [space, rest] = [shape.slice(0, blocks.length), shape.slice(blocks.length)];
  const split = at.add("Reshape", [value, at.integers([...blocks, -1, ...space, ...rest])]);
  const turned = at.transpose(split, [
    blocks.length,
    ...axes.flatMap((axis) => [blocks.length + 1 + axis, axis]),
    ...rest.map((_, axis) => 2 * blocks.length + 1 + axis),
  ]);
  const whole = axes.map((axis) => (space[axis] ?? 0) * (blocks[axis] ?? 1));
  const joined = at.add("Reshape", [turned, at.integers([-1, ...whole, ...rest])]);
  const begins = axes.map((axis) => crops[2 * axis] ?? 0);
  const ends = axes.map((axis) => (whole[axis] ?? 0) - (crops[2 * axis + 1] ?? 0));
  const places = [begins, ends, axes.map((axis) => axis + 1)].map((all) => at.integers(all));
  return at.add("Slice", [joined, ...places]);
};

function fixedBehindBatch(at: Translation, value: ValueId): readonly number[] {
  const sizes = at.shapeOf(value)?.slice(1) ?? [];
  const known = sizes.filter((size) => typeof size === "number");
  if (known.length !== sizes.length || known.length === 0)
    return at.refuse("the sizes of what it reads are known only when it runs");
  return known;
}

/** [before, after] of each axis, as ONNX lists them: all before, then all after. */
const pad =
  (mode: "constant" | "reflect"): Translate =>
  (at) => {
    const pairs = at.numbers(1, "sizes");
    const pads = [0, 1].flatMap((side) => pairs.filter((_, index) => index % 2 === side));
    const filled = at.inputs.length > 2 ? [at.input(2)] : [];
    return at.add("Pad", [at.input(0), at.integers(pads), ...filled], {
      mode: attribute.string(mode),
    });
  };

const mirror: Translate = (at) =>
  at.attributes.text("mode") === "SYMMETRIC" ? symmetric(at) : pad("reflect")(at);

/** Mirrored with its border, which Pad has no mode for: what lies before and behind is taken out and turned. */
function symmetric(at: Translation): ValueId {
  const pairs = at.numbers(1, "sizes");
  const axes = pairs.slice(pairs.length / 2).map((_, axis) => axis);
  return axes.reduce<ValueId>((value, axis) => {
    const [before = 0, behind = 0] = pairs.slice(2 * axis, 2 * axis + 2);
    const places = (from: number, to: number): ValueId =>
      at.add("Slice", [value, ...[from, to, axis, -1].map((number) => at.integers([number]))]);
    const parts = [
      ...(before > 0 ? [places(before - 1, -toTheEnd)] : []),
      value,
      ...(behind > 0 ? [places(-1, -1 - behind)] : []),
    ];
    return parts.length === 1 ? value : at.add("Concat", parts, { axis: attribute.int(axis) });
  }, at.input(0));
}

export const spatial: Readonly<Record<string, Translate>> = {
  BatchToSpaceND: batchToSpace,
  DepthToSpace: depthToSpace,
  MirrorPad: mirror,
  Pad: pad("constant"),
  PadV2: pad("constant"),
  ResizeBilinear: resize("linear"),
  ResizeNearestNeighbor: resize("nearest"),
  SpaceToBatchND: spaceToBatch,
};
