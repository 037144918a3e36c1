import { elementCount, PareError } from "@pare/runtime/format";
import { integers, unpackNumbers } from "../elements/arrays.js";
import { denseOf, numbersOrUndefined } from "../elements/dense.js";
import { take } from "../elements/take.js";
import { padded } from "../families/pad.js";
import { centredPads, gridCoordinates, unpooledSizes } from "../families/spatial.js";
import { isMoving, placesOf, tapsOf, windowAxes } from "../families/window.js";
import type { Some } from "../schema/cells.js";
import type { spatialSchemas } from "../schema/spatial.js";
import type { Evaluation } from "./evaluation.js";
import { alignRegions } from "./regions.js";

/** Of every place of an image or a volume where it comes from: theta · (…, y, x, 1), innermost axis first. */
const affineGrid: Evaluation = ({ input, attributes }) => {
  const theta = input(0);
  const [batch = 0, , ...places] = integers(input(1));
  const aligned = attributes.int("align_corners", 0) === 1;
  const axes = places.length;
  const matrix = unpackNumbers(theta);
  const along = places.map((size) => gridCoordinates(size, aligned));
  const grid: number[] = [];
  for (let n = 0; n < batch; n += 1)
    for (const place of placesOf(places)) {
      const point = place.map((at, axis) => along[axis]?.[at] ?? 0).toReversed();
      for (let row = 0; row < axes; row += 1)
        grid.push(
          [...point, 1].reduce(
            (sum, value, column) =>
              sum + value * (matrix[(n * axes + row) * (axes + 1) + column] ?? 0),
            0,
          ),
        );
    }
  return [denseOf(theta.type, [batch, ...places, axes], grid)];
};

/** Blocks [batch, channels · block, blocks] added where they lie in the image. */
const joinBlocks: Evaluation = ({ input, attributes }) => {
  const x = input(0);
  const [image, block] = [integers(input(1)), integers(input(2))];
  const [batch = 0, deep = 0, blocks = 0] = x.dims;
  const axes = windowAxes(image, block, attributes);
  const windows = elementCount(axes.map(({ output }) => Number(output)));
  const taps = elementCount(block);
  if (!axes.every(isMoving) || windows !== blocks || deep % taps !== 0)
    throw new PareError("MODEL_SHAPE", `Col2Im's ${deep} × ${blocks} are no blocks of its image.`);
  const { indices } = tapsOf(axes);
  const [area, channels] = [elementCount(image), deep / taps];
  const from = unpackNumbers(x);
  const values = new Float64Array(batch * channels * area);
  from.forEach((value, i) => {
    const [row, window] = [Math.floor(i / windows), i % windows];
    const index = indices[window * taps + (row % taps)] ?? -1;
    const to = Math.floor(row / taps) * area + index;
    if (index >= 0) values[to] = (values[to] ?? 0) + value;
  });
  return [denseOf(x.type, [batch, channels, ...image], values)];
};

/** A convolution whose taps lie apart from their places, by rows and by columns, each in its own measure. */
const deformed: Evaluation = ({ input, inputs, attributes }) => {
  const [x, w, offset] = [input(0), input(1), input(2)];
  const [batch = 0, channels = 0, height = 0, width = 0] = x.dims;
  const [maps = 0, depth = 0, ...kernel] = w.dims;
  const groups = attributes.int("group", 1);
  const offsetGroups = attributes.int("offset_group", 1);
  const axes = windowAxes([height, width], kernel, attributes);
  const [down, across] = axes;
  const [rows = 0, columns = 0] = axes.map(({ output }) => Number(output));
  const taps = placesOf(kernel);
  const area = rows * columns;
  if (
    down === undefined ||
    across === undefined ||
    channels !== depth * groups ||
    elementCount(offset.dims) !== batch * offsetGroups * taps.length * 2 * area
  )
    throw new PareError("MODEL_SHAPE", "DeformConv's operands do not fit.");
  const [from, weights, moved] = [unpackNumbers(x), unpackNumbers(w), unpackNumbers(offset)];
  const [bias, mask] = [numbersOrUndefined(inputs[3]), numbersOrUndefined(inputs[4])];
  const at = (plane: number, row: number, column: number): number =>
    row < 0 || row >= height || column < 0 || column >= width
      ? 0
      : (from[(plane * height + row) * width + column] ?? 0);
  const sampled = (plane: number, row: number, column: number): number => {
    const [top, left] = [Math.floor(row), Math.floor(column)];
    const [below, right] = [row - top, column - left];
    return (
      (1 - below) * ((1 - right) * at(plane, top, left) + right * at(plane, top, left + 1)) +
      below * ((1 - right) * at(plane, top + 1, left) + right * at(plane, top + 1, left + 1))
    );
  };
  const values = new Float64Array(batch * maps * area);
  for (let i = 0; i < values.length; i += 1) {
    const [map, place] = [Math.floor(i / area) % maps, i % area];
    const n = Math.floor(i / (area * maps));
    const first = Math.floor(map / (maps / groups)) * depth;
    let sum = bias?.[map] ?? 0;
    for (let c = 0; c < depth; c += 1) {
      const group = Math.floor((first + c) / (channels / offsetGroups));
      for (const [tap, [tapRow = 0, tapColumn = 0]] of taps.entries()) {
        const own = (n * offsetGroups + group) * taps.length + tap;
        const row = Math.floor(place / columns) * down.stride - Number(down.before) + tapRow * down.dilation; // prettier-ignore
        const column = (place % columns) * across.stride - Number(across.before) + tapColumn * across.dilation; // prettier-ignore
        sum +=
          (weights[(map * depth + c) * taps.length + tap] ?? 0) *
          (mask === undefined ? 1 : (mask[own * area + place] ?? 0)) *
          sampled(
            n * channels + first + c,
            row + (moved[2 * own * area + place] ?? 0),
            column + (moved[(2 * own + 1) * area + place] ?? 0),
          );
      }
    }
    values[i] = sum;
  }
  return [denseOf(x.type, [batch, maps, rows, columns], values)];
};

/** Each element where it was found: places are counted through the whole tensor before it was pooled. */
const unpool: Evaluation = ({ input, inputs, attributes }) => {
  const x = input(0);
  const [from, places] = [unpackNumbers(x), integers(input(1))];
  const dims = [...x.dims.slice(0, 2), ...unpooledSizes(x.dims.slice(2), attributes).map(Number)];
  const wanted = inputs[2] ? integers(inputs[2]) : dims;
  if (wanted.length !== dims.length || dims.some((size, axis) => !(size >= 1 && size <= (wanted[axis] ?? 0))))
    throw new PareError("MODEL_SHAPE", `MaxUnpool's [${dims.join(", ")}] are not within [${wanted.join(", ")}].`); // prettier-ignore
  const values = new Float64Array(elementCount(dims));
  for (const [i, place] of places.entries()) {
    if (place < 0 || place >= values.length)
      throw new PareError("MODEL_SHAPE", `MaxUnpool's place ${place} is none of ${values.length}.`);
    values[place] = from[i] ?? 0;
  }
  const found = denseOf(x.type, dims, values);
  const pads = dims.map((size, axis) => ({
    axis,
    before: 0,
    after: (wanted[axis] ?? size) - size,
  }));
  const moved = padded(dims, pads, "constant");
  return [take(found, moved.indices, moved.dims)];
};

export const spatialReferences: Some<typeof spatialSchemas, Evaluation> = {
  AffineGrid: affineGrid,
  CenterCropPad({ input, attributes }) {
    const x = input(0);
    const pads = centredPads(x.dims, integers(input(1)), attributes);
    const moved = padded(x.dims, pads, "constant");
    return [take(x, moved.indices, moved.dims)];
  },
  Col2Im: joinBlocks,
  DeformConv: deformed,
  MaxUnpool: unpool,
  RoiAlign: alignRegions,
};
