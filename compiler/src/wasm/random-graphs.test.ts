import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "./cases.test.support.js";
import { attribute, type Attributes, type Graph, type ValueId } from "../ir/index.js";
import { type Builder, graphOf } from "../rules/rule-case.test.support.js";
import { sayEinsum } from "../rules/einsum.js";
import type { Rule } from "../rules/rule.js";
import { runRules } from "../rules/run-rules.js";
import { lowerings } from "./lower/lowerings.js";
import { compare, differenceToEvaluation } from "./run-model.test.support.js";

const { int, ints, float, string } = attribute;

interface Value {
  readonly id: ValueId;
  readonly dims: readonly number[];
}

/** What a layer may ask: a number under a limit, a value drawn before that has these dims, or none. */
interface Draw {
  below(limit: number): number;
  from<T>(choices: readonly T[]): T;
  alike(dims: readonly number[]): Value;
}

/** Larger values take long, and show nothing more. */
const mostElements = 4000;

/** What is compiled as what simplify says it in. */
const said: readonly Rule[] = [sayEinsum];

/** One layer on one value; undefined where it does not fit the value's dims. */
type Layer = (x: Value, b: Builder, draw: Draw) => Value | undefined;

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);
const filled = (count: number, value: number): number[] =>
  Array.from({ length: count }, () => value);

/** A node of one output. */
const node = (
  b: Builder,
  op: string,
  inputs: readonly ValueId[],
  dims: readonly number[],
  attributes: Attributes = {},
): Value => ({ id: b.add(op, inputs, attributes), dims });

/** Numbers stay near 1, however many layers are drawn: what grows is drawn in. */
const tamed = (b: Builder, { id, dims }: Value): Value => node(b, "Tanh", [id], dims);

const unary =
  (op: string, attributes: Attributes = {}): Layer =>
  (x, b) =>
    node(b, op, [x.id], x.dims, attributes);

/** Of numbers above 0. */
const unaryOfPositive =
  (op: string): Layer =>
  (x, b) => {
    const positive = b.add("Add", [b.add("Abs", [x.id]), b.floats([0.5])]);
    return tamed(b, node(b, op, [positive], x.dims));
  };

const binary =
  (op: string): Layer =>
  (x, b, draw) => {
    if (x.dims.length < 4 && draw.below(5) === 0) {
      // A number of more axes adds one to the result.
      const number = b.floats([0.75], filled(x.dims.length + 1, 1));
      return tamed(b, node(b, op, [x.id, number], [1, ...x.dims]));
    }
    const small = x.dims.map((size) => (draw.below(3) === 0 ? 1 : size));
    const other = [
      () => draw.alike(x.dims).id,
      () => b.weights(...small),
      () => b.floats([0.75], [1]),
      () => node(b, "Reshape", [b.weights(product(small)), b.ints(small)], small).id,
    ][draw.below(4)]?.();
    if (other === undefined) return undefined;
    return tamed(b, node(b, op, [x.id, other], x.dims));
  };

const pooling =
  (op: string): Layer =>
  (x, b, draw) => {
    const [batch = 1, channels = 1, ...space] = x.dims;
    if (space.length === 0 || space.length > 2) return undefined;
    if (op.startsWith("Global"))
      return node(b, op, [x.id], [batch, channels, ...filled(space.length, 1)]);
    const kernel = space.map((size) => 1 + draw.below(Math.min(3, size)));
    const stride = 1 + draw.below(2);
    const dims = space.map((size, at) => Math.floor((size - (kernel[at] ?? 1)) / stride) + 1);
    return node(b, op, [x.id], [batch, channels, ...dims], {
      kernel_shape: ints(kernel),
      strides: ints(filled(space.length, stride)),
    });
  };

const reduction =
  (op: string): Layer =>
  (x, b, draw) => {
    const axes = x.dims.flatMap((_, axis) => (draw.below(2) === 0 ? [axis] : []));
    if (axes.length === 0) return undefined;
    const keep = draw.below(2);
    const kept = x.dims.flatMap((size, axis) =>
      axes.includes(axis) ? (keep === 1 ? [1] : []) : [size],
    );
    if (kept.length === 0) return undefined;
    const made = node(b, op, [x.id, b.ints(axes)], kept, { keepdims: int(keep) });
    return tamed(b, made);
  };

const softmax =
  (op: string): Layer =>
  (x, b, draw) =>
    tamed(b, node(b, op, [x.id], x.dims, { axis: int(draw.below(x.dims.length)) }));

/** The smaller or the larger of two, chosen by what a comparison says: where that changes, they are equal. */
const chosenBy =
  (op: string, turn: readonly string[] = []): Layer =>
  (x, b, draw) => {
    const other = draw.alike(x.dims).id;
    const said = turn.reduce((id, next) => b.add(next, [id]), b.add(op, [x.id, other]));
    return node(b, "Where", [said, x.id, other], x.dims);
  };

/** What is below both of two bounds, below one of them, or below the first and never the second. */
const joinedBy =
  (op: string, bound: number): Layer =>
  (x, b) => {
    const second = op === "Xor" ? -100 : 0.5;
    const below = [0.25, second].map((limit) => b.add("Less", [x.id, b.floats([limit])]));
    return node(b, "Where", [b.add(op, below), x.id, b.floats([bound])], x.dims);
  };

/** Convolved by two groups of channels, where it has these: none may write beside its own. */
const grouped =
  (b: Builder) =>
  (x: Value): Value => {
    const [, channels = 1, ...space] = x.dims;
    if (channels % 2 > 0 || space.length === 0 || space.length > 2) return x;
    const weights = b.weights(channels, channels / 2, ...filled(space.length, 1));
    return node(b, "Conv", [x.id, weights], x.dims, { group: int(2) });
  };

/** The largest or smallest along an axis, by its place. */
const extremum =
  (op: string): Layer =>
  (x, b, draw) => {
    const axis = draw.below(x.dims.length);
    const dims = x.dims.map((size, at) => (at === axis ? 1 : size));
    const place = b.add(op, [x.id], { axis: int(axis), keepdims: int(1) });
    return node(b, "GatherElements", [x.id, place], dims, { axis: int(axis) });
  };

function shuffled<T>(all: readonly T[], draw: Draw): readonly T[] {
  const left = [...all];
  return all.flatMap(() => left.splice(draw.below(left.length), 1));
}

/** Computed of constants alone: a module has it from its start on. */
function ofConstants(b: Builder, dims: readonly number[]): Value {
  const last = dims.at(-1) ?? 1;
  const rows = b.weights(product(dims) / last, 3);
  const whole = tamed(
    b,
    node(b, "MatMul", [rows, b.weights(3, last)], [product(dims) / last, last]),
  );
  return node(b, "Reshape", [whole.id, b.ints(dims)], dims);
}

/** The sum of the parts of complex numbers. */
const summedParts = (b: Builder, x: ValueId, dims: readonly number[]): Value =>
  node(b, "ReduceSum", [x, b.ints([-1])], dims, { keepdims: int(0) });

/** The sequence of states of a cell of so many gates. */
const recurrent =
  (op: string, gates: number): Layer =>
  (x, b, draw) => {
    const [steps = 1, batch = 1, depth = 1] = x.dims;
    if (x.dims.length !== 3 || steps > 12) return undefined;
    const hidden = 1 + draw.below(6);
    const weights = [
      b.weights(1, gates * hidden, depth),
      b.weights(1, gates * hidden, hidden),
      b.weights(1, 2 * gates * hidden),
    ];
    return node(b, op, [x.id, ...weights], [steps, 1, batch, hidden], {
      hidden_size: int(hidden),
    });
  };

/**
 * By operator: how a layer of it is drawn. What rounds is not among them, nor what else makes a difference of one from a
 * difference of rounding: it has cases of its own.
 */
const layers: Readonly<Record<string, Layer>> = {
  Conv(x, b, draw) {
    const [batch = 1, channels = 1, ...space] = x.dims;
    if (space.length === 0 || space.length > 2) return undefined;
    const group = draw.from([1, channels, ...[2, 3, 4].filter((by) => channels % by === 0)]);
    const maps = group === channels ? channels : group * (1 + draw.below(Math.ceil(9 / group)));
    const kernel = 1 + draw.below(3);
    const [stride, pad] = [1 + draw.below(2), draw.below(2)];
    const dims = space.map((size) => Math.floor((size + 2 * pad - kernel) / stride) + 1);
    if (dims.some((size) => size < 1)) return undefined;
    const own = space.map(() => kernel);
    const inputs = [x.id, b.weights(maps, channels / group, ...own)];
    if (draw.below(2) === 0) inputs.push(b.weights(maps));
    return node(b, "Conv", inputs, [batch, maps, ...dims], {
      strides: ints(space.map(() => stride)),
      pads: ints(filled(2 * space.length, pad)),
      group: int(group),
    });
  },
  ConvTranspose(x, b, draw) {
    const [batch = 1, channels = 1, ...space] = x.dims;
    if (space.length !== 2) return undefined;
    const [maps, kernel] = [1 + draw.below(5), 1 + draw.below(3)];
    const stride = 1 + draw.below(2);
    const group = channels % 2 === 0 ? 1 + draw.below(2) : 1;
    const dims = space.map((size) => (size - 1) * stride + kernel);
    const weights = b.weights(channels, maps, kernel, kernel);
    return node(b, "ConvTranspose", [x.id, weights], [batch, maps * group, ...dims], {
      strides: ints([stride, stride]),
      group: int(group),
    });
  },
  Resize(x, b, draw) {
    if (x.dims.length !== 4) return undefined;
    const dims = x.dims.map((size, axis) => (axis > 1 ? size * 2 : size));
    // Not linear: onnxruntime moves transpositions behind it, and then refuses its axes.
    const id = b.add("Resize", [x.id, null, null, b.ints(dims)], {
      mode: string("nearest"),
      coordinate_transformation_mode: string(draw.from(["asymmetric", "half_pixel"])),
      nearest_mode: string("floor"),
    });
    return { id, dims };
  },
  GridSample(x, b, draw) {
    const [batch = 1, channels = 1] = x.dims;
    if (x.dims.length !== 4) return undefined;
    const places = [1 + draw.below(4), 1 + draw.below(4)];
    const grid = b.add("Tanh", [b.weights(batch, ...places, 2)]);
    return node(b, "GridSample", [x.id, grid], [batch, channels, ...places], {
      mode: string(draw.from(["linear", "nearest"])),
      padding_mode: string(draw.from(["zeros", "border"])),
      align_corners: int(draw.below(2)),
    });
  },
  MatMul(x, b, draw) {
    const depth = x.dims.at(-1) ?? 1;
    const outputs = 1 + draw.below(13);
    const dims = [...x.dims.slice(0, -1), outputs];
    if (draw.below(3) > 0 || x.dims.length < 2)
      return tamed(b, node(b, "MatMul", [x.id, b.weights(depth, outputs)], dims));
    // With itself, turned: a product of two computed matrices.
    const order = [...x.dims.keys()];
    const perm = { perm: ints([...order.slice(0, -2), order.length - 1, order.length - 2]) };
    const square = [...x.dims.slice(0, -1), x.dims.at(-2) ?? 1];
    const turned = b.add("Transpose", [draw.alike(x.dims).id], perm);
    return tamed(b, node(b, "MatMul", [x.id, turned], square));
  },
  Gemm(x, b, draw) {
    const [rows = 1, depth = 1] = x.dims;
    if (x.dims.length !== 2) return undefined;
    const outputs = 1 + draw.below(13);
    const inputs = [x.id, b.weights(outputs, depth), b.weights(outputs)];
    return tamed(b, node(b, "Gemm", inputs, [rows, outputs], { transB: int(1) }));
  },
  Einsum(x, b, draw) {
    // Of what the second one has, axis by axis: the first one's, or one of its own.
    const left = "abcdef".slice(0, x.dims.length).split("");
    const isComputed = draw.below(2) === 0;
    const right = left.map((letter) => (draw.below(2) === 0 ? letter : letter.toUpperCase()));
    const sizeOf = (letter: string): number => x.dims[left.indexOf(letter.toLowerCase())] ?? 1;
    const order = isComputed ? right : shuffled(right, draw);
    const kept = [...new Set([...left, ...right])].filter(() => draw.below(3) > 0);
    const result = shuffled(kept, draw);
    const dims = result.map(sizeOf);
    if (dims.length === 0 || product(dims) > mostElements) return undefined;
    const other = isComputed ? draw.alike(x.dims).id : b.weights(...order.map(sizeOf));
    const equation = string(`${left.join("")},${order.join("")}->${result.join("")}`);
    return tamed(b, node(b, "Einsum", [x.id, other], dims, { equation }));
  },
  MaxPool: pooling("MaxPool"),
  AveragePool: pooling("AveragePool"),
  GlobalAveragePool: pooling("GlobalAveragePool"),
  GlobalMaxPool: pooling("GlobalMaxPool"),
  BatchNormalization(x, b) {
    const [, channels] = x.dims;
    if (channels === undefined) return undefined;
    const [scale, bias, mean] = [b.weights(channels), b.weights(channels), b.weights(channels)];
    const variance = b.floats(
      Array.from({ length: channels }, (_, at) => 0.5 + (at % 3)),
      [channels],
    );
    return node(b, "BatchNormalization", [x.id, scale, bias, mean, variance], x.dims);
  },
  LayerNormalization(x, b, draw) {
    const axis = draw.below(x.dims.length);
    const own = x.dims.slice(axis);
    // Of few elements, what is normalized is rounding.
    if (product(own) < 4) return undefined;
    return node(b, "LayerNormalization", [x.id, b.weights(...own), b.weights(...own)], x.dims, {
      axis: int(axis),
      epsilon: float(0.1),
    });
  },
  InstanceNormalization(x, b) {
    const [, channels = 1, ...space] = x.dims;
    if (space.length === 0 || product(space) < 4) return undefined;
    const inputs = [x.id, b.weights(channels), b.weights(channels)];
    return node(b, "InstanceNormalization", inputs, x.dims, { epsilon: float(0.1) });
  },
  GroupNormalization(x, b) {
    const [, channels = 1, ...space] = x.dims;
    if (space.length === 0 || product(space) < 4) return undefined;
    const groups = channels % 2 === 0 ? 2 : 1;
    const inputs = [x.id, b.weights(channels), b.weights(channels)];
    return node(b, "GroupNormalization", inputs, x.dims, {
      num_groups: int(groups),
      epsilon: float(0.1),
    });
  },
  LSTM: recurrent("LSTM", 4),
  GRU: recurrent("GRU", 3),
  RNN: recurrent("RNN", 1),
  Softmax: softmax("Softmax"),
  LogSoftmax: softmax("LogSoftmax"),
  Concat(x, b, draw) {
    const axis = draw.below(x.dims.length);
    const other = draw.from([(alike: Value) => alike, grouped(b)])(draw.alike(x.dims));
    const dims = x.dims.map((size, at) => (at === axis ? 2 * size : size));
    const inputs = draw.from([
      [x.id, other.id],
      [other.id, x.id],
    ]);
    return node(b, "Concat", inputs, dims, { axis: int(axis) });
  },
  Split(x, b, draw) {
    const axis = draw.below(x.dims.length);
    const size = x.dims[axis] ?? 1;
    if (size < 2) return undefined;
    const first = 1 + draw.below(size - 1);
    const parts = b.many("Split", 2, [x.id, b.ints([first, size - first])], { axis: int(axis) });
    const which = draw.below(2);
    const id = parts[which];
    const own = which === 0 ? first : size - first;
    return id === undefined
      ? undefined
      : { id, dims: x.dims.map((each, at) => (at === axis ? own : each)) };
  },
  Reshape(x, b, draw) {
    const count = product(x.dims);
    const first = draw.from([1, 2, 3, 4, 5].filter((size) => count % size === 0));
    const second = draw.from([1, 2, 3, 4].filter((size) => (count / first) % size === 0));
    const dims = draw.from([
      [first, count / first],
      [1, first, count / first],
      [1, first, second, count / first / second],
    ]);
    return node(b, "Reshape", [x.id, b.ints(dims)], dims);
  },
  Flatten(x, b) {
    const [first = 1, ...rest] = x.dims;
    return node(b, "Flatten", [x.id], [first, product(rest)]);
  },
  Squeeze(x, b, draw) {
    const ones = x.dims.flatMap((size, axis) => (size === 1 ? [axis] : []));
    if (ones.length === 0 || x.dims.length < 3) return undefined;
    const axis = draw.from(ones);
    const dims = x.dims.filter((_, at) => at !== axis);
    return node(b, "Squeeze", [x.id, b.ints([axis])], dims);
  },
  Unsqueeze(x, b, draw) {
    if (x.dims.length > 3) return undefined;
    const axis = draw.below(x.dims.length + 1);
    return node(b, "Unsqueeze", [x.id, b.ints([axis])], x.dims.toSpliced(axis, 0, 1));
  },
  Transpose(x, b, draw) {
    const perm: number[] = [];
    const left = [...x.dims.keys()];
    while (left.length > 0) perm.push(...left.splice(draw.below(left.length), 1));
    const dims = perm.map((axis) => x.dims[axis] ?? 1);
    return node(b, "Transpose", [x.id], dims, { perm: ints(perm) });
  },
  Identity: unary("Identity"),
  Pad(x, b, draw) {
    const before = x.dims.map(() => draw.below(2));
    const after = x.dims.map(() => draw.below(2));
    const dims = x.dims.map((size, at) => size + (before[at] ?? 0) + (after[at] ?? 0));
    return node(b, "Pad", [x.id, b.ints([...before, ...after])], dims);
  },
  Slice(x, b, draw) {
    const axis = draw.below(x.dims.length);
    const size = x.dims[axis] ?? 1;
    const start = draw.below(size);
    const step = 1 + draw.below(2);
    const end = start + 1 + draw.below(size - start);
    const inputs = [[start], [end], [axis], [step]].map((each) => b.ints(each));
    const dims = x.dims.map((own, at) => (at === axis ? Math.ceil((end - start) / step) : own));
    return node(b, "Slice", [x.id, ...inputs], dims);
  },
  Gather(x, b, draw) {
    const axis = draw.below(x.dims.length);
    const size = x.dims[axis] ?? 1;
    const indices = Array.from({ length: 1 + draw.below(4) }, () => draw.below(size));
    const dims = x.dims.map((own, at) => (at === axis ? indices.length : own));
    return node(b, "Gather", [x.id, b.ints(indices)], dims, { axis: int(axis) });
  },
  GatherND(x, b, draw) {
    const [first = 1, ...rest] = x.dims;
    if (rest.length === 0) return undefined;
    const indices = Array.from({ length: 1 + draw.below(4) }, () => draw.below(first));
    const dims = [indices.length, ...rest];
    return node(b, "GatherND", [x.id, b.ints(indices, [indices.length, 1])], dims);
  },
  ScatterElements(x, b, draw) {
    // Backwards along an axis: no place is written twice.
    const axis = draw.below(x.dims.length);
    const inner = product(x.dims.slice(axis + 1));
    const size = x.dims[axis] ?? 1;
    const places = Array.from(
      { length: product(x.dims) },
      (_, at) => size - 1 - (Math.floor(at / inner) % size),
    );
    const inputs = [x.id, b.ints(places, x.dims), draw.alike(x.dims).id];
    return node(b, "ScatterElements", inputs, x.dims, { axis: int(axis) });
  },
  ScatterND(x, b, draw) {
    const [first = 1, ...rest] = x.dims;
    if (rest.length === 0) return undefined;
    const row = b.ints([draw.below(first)], [1, 1]);
    return node(b, "ScatterND", [x.id, row, b.weights(1, ...rest)], x.dims);
  },
  GatherElements: extremum("ArgMax"),
  ArgMax: extremum("ArgMax"),
  ArgMin: extremum("ArgMin"),
  TopK(x, b, draw) {
    const axis = draw.below(x.dims.length);
    const count = 1 + draw.below(x.dims[axis] ?? 1);
    const [id] = b.many("TopK", 2, [x.id, b.ints([count])], { axis: int(axis) });
    const dims = x.dims.map((size, at) => (at === axis ? count : size));
    return id === undefined ? undefined : { id, dims };
  },
  DFT(x, b, draw) {
    const axis = b.ints([draw.below(x.dims.length)], []);
    const real = b.add("Unsqueeze", [x.id, b.ints([-1])]);
    const spectrum = b.add("DFT", [real, null, axis], { inverse: int(draw.below(2)) });
    return tamed(b, summedParts(b, spectrum, x.dims));
  },
  STFT(x, b, draw) {
    const [batch = 1, size = 1] = x.dims;
    if (x.dims.length !== 2) return undefined;
    const length = 1 + draw.below(size);
    const step = Math.ceil(length / 2);
    const window = draw.below(2) === 0 ? b.add("HannWindow", [b.ints([length], [])]) : null;
    const given = [x.id, b.ints([step], []), window, b.ints([length], [])];
    const dims = [batch, Math.floor((size - length) / step) + 1, Math.floor(length / 2) + 1];
    return tamed(b, summedParts(b, b.add("STFT", given), dims));
  },
  CumSum(x, b, draw) {
    const axis = b.ints([draw.below(x.dims.length)], []);
    return tamed(b, node(b, "CumSum", [x.id, axis], x.dims));
  },
  Less: chosenBy("Less"),
  LessOrEqual: chosenBy("LessOrEqual"),
  Greater: chosenBy("Greater"),
  GreaterOrEqual: chosenBy("GreaterOrEqual"),
  Not: chosenBy("Less", ["Not"]),
  Where: chosenBy("Greater", ["Not"]),
  And: joinedBy("And", 0.25),
  Or: joinedBy("Or", 0.5),
  Xor: joinedBy("Xor", 0.25),
  Equal(x, b) {
    const said = b.add("Equal", [x.id, b.floats([100])]);
    return node(b, "Where", [said, b.floats([0]), x.id], x.dims);
  },
  IsNaN(x, b) {
    return node(b, "Where", [b.add("IsNaN", [x.id]), b.floats([0]), x.id], x.dims);
  },
  Expand(x, b, draw) {
    const dims = x.dims.map((size) => (size === 1 ? 1 + draw.below(3) : size));
    return node(b, "Expand", [x.id, b.ints(dims)], dims);
  },
  Tile(x, b, draw) {
    const repeats = x.dims.map(() => 1 + draw.below(2));
    const dims = x.dims.map((size, at) => size * (repeats[at] ?? 1));
    return node(b, "Tile", [x.id, b.ints(repeats)], dims);
  },
  DepthToSpace(x, b) {
    const [batch = 1, channels = 1, height = 1, width = 1] = x.dims;
    if (x.dims.length !== 4 || channels % 4 !== 0) return undefined;
    const dims = [batch, channels / 4, 2 * height, 2 * width];
    return node(b, "DepthToSpace", [x.id], dims, { blocksize: int(2) });
  },
  SpaceToDepth(x, b) {
    const [batch = 1, channels = 1, height = 1, width = 1] = x.dims;
    if (x.dims.length !== 4 || height % 2 !== 0 || width % 2 !== 0) return undefined;
    const dims = [batch, 4 * channels, height / 2, width / 2];
    return node(b, "SpaceToDepth", [x.id], dims, { blocksize: int(2) });
  },
  Add: binary("Add"),
  Sub: binary("Sub"),
  Mul: binary("Mul"),
  Min: binary("Min"),
  Max: binary("Max"),
  Sum: binary("Sum"),
  Div(x, b) {
    const below = b.add("Add", [b.add("Abs", [x.id]), b.floats([0.5])]);
    return node(b, "Div", [x.id, below], x.dims);
  },
  PRelu: (x, b) => node(b, "PRelu", [x.id, b.floats([0.25], [1])], x.dims),
  ReduceSum: reduction("ReduceSum"),
  ReduceMean: reduction("ReduceMean"),
  ReduceMax: reduction("ReduceMax"),
  ReduceMin: reduction("ReduceMin"),
  ReduceSumSquare: reduction("ReduceSumSquare"),
  ReduceL1: reduction("ReduceL1"),
  ReduceL2: reduction("ReduceL2"),
  ReduceProd: reduction("ReduceProd"),
  ReduceLogSumExp: reduction("ReduceLogSumExp"),
  Relu: unary("Relu"),
  Selu: unary("Selu"),
  Celu: unary("Celu"),
  Mish: unary("Mish"),
  Softsign: unary("Softsign"),
  Sin: unary("Sin"),
  Cos: unary("Cos"),
  Atan: unary("Atan"),
  Asinh: unary("Asinh"),
  // Times itself, so that nothing jumps where it is zero.
  Sign: (x, b) => node(b, "Mul", [b.add("Sign", [x.id]), x.id], x.dims),
  Clip: (x, b) => node(b, "Clip", [x.id, b.floats([-0.5]), b.floats([0.5])], x.dims),
  LeakyRelu: unary("LeakyRelu", { alpha: float(0.1) }),
  Elu: unary("Elu"),
  HardSigmoid: unary("HardSigmoid"),
  HardSwish: unary("HardSwish"),
  Gelu: unary("Gelu"),
  Sigmoid: unary("Sigmoid"),
  Tanh: unary("Tanh"),
  Erf: unary("Erf"),
  Exp: (x, b) => tamed(b, node(b, "Exp", [node(b, "Tanh", [x.id], x.dims).id], x.dims)),
  Log: unaryOfPositive("Log"),
  Sqrt: unaryOfPositive("Sqrt"),
  Reciprocal: unaryOfPositive("Reciprocal"),
  Neg: unary("Neg"),
  Abs: unary("Abs"),
  Softplus: unary("Softplus"),
  Pow: (x, b) => tamed(b, node(b, "Pow", [x.id, b.floats([2], [])], x.dims)),
};

const drawn = fc.record({
  start: fc.constantFrom<readonly number[]>([1, 5, 8, 7], [2, 3, 6, 6], [1, 6, 9], [2, 12], [7]),
  layers: fc.array(
    fc.record({
      op: fc.constantFrom(...Object.keys(layers)),
      // Mostly what was made last; else any value before it.
      from: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(20)),
      choices: fc.array(fc.nat(1e6), { minLength: 12, maxLength: 12 }),
    }),
    { minLength: 12, maxLength: 45 },
  ),
});
type Drawn = typeof drawn extends fc.Arbitrary<infer T> ? T : never;

/** At least 5 and at most 30 layers of those drawn: those that fit. */
function graphFrom({ start, layers: asked }: Drawn): Graph {
  return graphOf({ x: ["float32", ...start] }, (input, b) => {
    const values: Value[] = [{ id: input("x"), dims: start }];
    const used = new Set<ValueId>();
    const left = [...asked];
    for (let made = 0; made < 30 && left.length > 0;) {
      const next = left.shift();
      if (next === undefined) break;
      const x = values[values.length - 1 - (next.from % values.length)];
      if (x === undefined) break;
      let turn = 0;
      const below = (limit: number): number =>
        (next.choices[turn++ % next.choices.length] ?? 0) % Math.max(1, limit);
      const draw: Draw = {
        below,
        from(choices) {
          const found = choices[below(choices.length)];
          if (found === undefined) throw new Error("There is no choice.");
          return found;
        },
        alike(dims) {
          if (below(6) === 0) {
            const computed = ofConstants(b, dims);
            values.push(computed);
            used.add(computed.id);
            return computed;
          }
          const same = values.filter((value) => value.dims.join() === dims.join());
          const found = same[below(same.length)] ?? x;
          used.add(found.id);
          return found;
        },
      };
      const y = layers[next.op]?.(x, b, draw);
      if (y === undefined || product(y.dims) > mostElements) continue;
      used.add(x.id);
      values.push(y);
      made += 1;
    }
    // Whatever nobody reads is an output; at most four, each once.
    const open = values.filter(({ id }, at) => at > 0 && !used.has(id)).slice(-4);
    return Object.fromEntries(open.map(({ id }, at) => [`y${at}`, id]));
  });
}

it("draws operators that are compiled", () => {
  const compiled = [...lowerings.keys(), ...said.flatMap(({ ops }) => ops)];
  expect(Object.keys(layers).filter((op) => !compiled.includes(op))).toEqual([]);
});

/** Of what onnxruntime gives, relative, or else of what the operators' reference evaluations give. */
const mostApart = 1e-4;

it("compiles random graphs of up to thirty layers to modules that agree with onnxruntime", async () => {
  await fc.assert(
    fc.asyncProperty(drawn, async (one) => {
      const graph = graphFrom(one);
      fc.pre(graph.main.outputs.length > 0 && [...graph.allNodes()].length >= 5);
      const compiled = graph.fork();
      await runRules(compiled, said, {});
      const apart = await compare(graph, { compiled, poisoned: true, reference: true });
      if (apart < mostApart) return;
      // onnxruntime sums up a DFT of odd length one number after the other, in single precision.
      expect(await differenceToEvaluation(graph, compiled)).toBeLessThan(mostApart);
    }),
    // A failing graph is made smaller for as long as there is time.
    { numRuns: cases(150), interruptAfterTimeLimit: 100_000, markInterruptAsFailure: true },
  );
});
