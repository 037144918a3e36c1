import { elementCount, type Dtype, type Tensor as Dense } from "@pare/runtime/format";
import { describe, expect, test } from "vitest";
import {
  attribute,
  type Attributes,
  codeOfDtype,
  type Dim,
  dim,
  edit,
  Graph,
  newHeader,
  Tensor,
  tensorType,
  type ValueId,
} from "../../ir/index.js";
import { unpack } from "../elements/arrays.js";
import { evaluateGraph } from "./execute.js";
import { inferNode } from "../shape/infer.js";

/** A repeatable source of numbers in 0…1 (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const below = (random: () => number, limit: number): number => Math.floor(random() * limit);

function randomTensor(
  random: () => number,
  dims: readonly number[],
  dtype: Dtype = "float32",
): Dense {
  const values = Array.from(
    { length: elementCount(dims) },
    () => Math.round((random() * 8 - 4) * 16) / 16,
  );
  switch (dtype) {
    case "int64":
      return {
        type: dtype,
        dims,
        data: BigInt64Array.from(values, (value) => BigInt(Math.trunc(value))),
      };
    case "int32":
      return { type: dtype, dims, data: Int32Array.from(values) };
    case "bool":
      return { type: dtype, dims, data: Uint8Array.from(values, (value) => (value > 0 ? 1 : 0)) };
    default:
      return { type: "float32", dims, data: Float32Array.from(values) };
  }
}

/** The element for a coordinate of the result, looked up the slow way. */
function at(tensor: Dense, coordinate: readonly number[]): number {
  const own = coordinate.slice(coordinate.length - tensor.dims.length);
  const offset = own.reduce((sum, value, axis) => {
    const size = tensor.dims[axis] ?? 1;
    return sum * size + (size === 1 ? 0 : value);
  }, 0);
  return Number(tensor.data[offset]);
}

describe("broadcasting", () => {
  test("is numpy's, for any shapes that fit", async () => {
    const random = randomFrom(1);
    for (let round = 0; round < 200; round += 1) {
      const result = Array.from({ length: below(random, 5) }, () => below(random, 4));
      const operand = (): number[] =>
        result.slice(below(random, result.length + 1)).map((size) => (random() < 0.3 ? 1 : size));
      const [a, b] = [operand(), operand()];
      const rank = Math.max(a.length, b.length);
      const dims = Array.from({ length: rank }, (_, axis) => {
        const [x, y] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
        return x === 1 ? y : x;
      });
      const [left, right] = [randomTensor(random, a), randomTensor(random, b)];
      const { graph, outputs } = nodeGraph(
        "Sub",
        [left, right].map((tensor) => ({ dtype: "float32" as const, shape: tensor.dims })),
      );
      const results = await evaluateGraph(graph, { x0: left, x1: right });
      const found = results[outputs[0] ?? ""];
      expect(found?.dims).toEqual(dims);
      const expected = Array.from({ length: elementCount(dims) }, (_, flat) => {
        let rest = flat;
        const coordinate = dims.map(() => 0);
        for (let axis = rank - 1; axis >= 0; axis -= 1) {
          const size = dims[axis] ?? 1;
          coordinate[axis] = rest % size;
          rest = Math.floor(rest / size);
        }
        return at(left, coordinate) - at(right, coordinate);
      });
      expect(Array.from(found?.data as Float32Array)).toEqual(expected);
    }
  });

  test("folds a hundred thousand elements without a pause", async () => {
    const dims = [10, 100, 100];
    const { graph, outputs } = nodeGraph("Mul", [
      { dtype: "float32", shape: dims },
      { dtype: "float32", shape: [100, 1] },
    ]);
    const random = randomFrom(2);
    const results = await evaluateGraph(graph, {
      x0: randomTensor(random, dims),
      x1: randomTensor(random, [100, 1]),
    });
    expect(results[outputs[0] ?? ""]?.data).toHaveLength(100_000);
  });
});

interface Input {
  readonly dtype: Dtype;
  readonly shape: readonly Dim[];
  readonly constant?: Tensor;
}

/** A graph of one node; inputs are x0, x1, … unless they are constants. */
function nodeGraph(op: string, inputs: readonly Input[], attributes: Attributes = {}, outputs = 1) {
  const graph = new Graph(newHeader(), inferNode);
  const names = Array.from({ length: outputs }, (_, index) => `y${index}`);
  edit(
    graph,
    "build",
    (editor) => {
      const ids: ValueId[] = inputs.map(({ dtype, shape, constant }, index) =>
        constant === undefined
          ? editor.addInput(`x${index}`, tensorType(dtype, shape))
          : editor.constant(`c${index}`, constant),
      );
      for (const id of editor.add(op, ids, attributes, { outputs: names })) editor.addOutput(id);
    },
    { interface: true },
  );
  return { graph, outputs: names };
}

/** One operator on sizes that are drawn anew each round. */
interface Case {
  readonly op: string;
  readonly attributes?: Attributes;
  readonly outputs?: number;
  /** The inputs for sizes a, b, c (1 to 6 each): shapes of data, or constants. */
  inputs(a: number, b: number, c: number): readonly (readonly number[] | Tensor)[];
  readonly dtype?: Dtype;
}

const ints = (...values: number[]): Tensor => Tensor.int64(values);
const scalar = (value: number): Tensor => Tensor.int64([value], []);

const cases: readonly Case[] = [
  {
    op: "Add",
    inputs: (a, b, c) => [
      [a, b, c],
      [b, c],
    ],
  },
  {
    op: "Where",
    dtype: "bool",
    inputs: (a, b) => [
      [a, 1],
      Tensor.float32([1], [2]),
      Tensor.float32(
        [b],
        Array.from({ length: b }, () => 1),
      ),
    ],
  },
  { op: "Max", inputs: (a, b) => [[a, b], [1, b], [b]] },
  {
    op: "Transpose",
    attributes: { perm: attribute.ints([2, 0, 1]) },
    inputs: (a, b, c) => [[a, b, c]],
  },
  { op: "Transpose", inputs: (a, b, c) => [[a, b, c]] },
  {
    op: "Concat",
    attributes: { axis: attribute.int(1) },
    inputs: (a, b, c) => [
      [a, b],
      [a, c],
      [a, 3],
    ],
  },
  {
    op: "Concat",
    attributes: { axis: attribute.int(-2) },
    inputs: (a, b, c) => [
      [a, b],
      [c, b],
    ],
  },
  {
    op: "Split",
    outputs: 2,
    attributes: { axis: attribute.int(1), num_outputs: attribute.int(2) },
    inputs: (a, b, c) => [[a, b + c, c]],
  },
  { op: "Slice", inputs: (a, b) => [[a, b + 3], ints(1), ints(2 ** 40), ints(1)] },
  { op: "Slice", inputs: (a, b) => [[a, b + 3], ints(-2), ints(2 ** 31 - 1), ints(-1)] },
  { op: "Slice", inputs: (a, b) => [[a, b + 4], ints(0), ints(-1), ints(1), ints(2)] },
  { op: "Slice", inputs: (a, b) => [[a, b], ints(-1), ints(-(2 ** 40)), ints(1), ints(-1)] },
  { op: "Slice", inputs: (a, b) => [[a, b], ints(-1), ints(-(2 ** 40)), ints(0), ints(-3)] },
  { op: "Slice", inputs: (a, b) => [[a, b], ints(2), ints(5), ints(0)] },
  { op: "Slice", inputs: (a, b) => [[a, b], ints(5), ints(2), ints(1)] },
  { op: "Slice", inputs: (a, b, c) => [[a, b, c], ints(1, -3), ints(4, -1), ints(2, 0)] },
  {
    op: "Gather",
    attributes: { axis: attribute.int(1) },
    inputs: (a, b) => [[a, b], Tensor.int64([0, -1, 0, 0], [2, 2])],
  },
  { op: "Gather", inputs: (a, b) => [[a, b], scalar(-1)] },
  { op: "Tile", inputs: (a, b) => [[a, b], ints(2, 3)] },
  { op: "Pad", inputs: (a, b) => [[a, b], ints(1, 0, 0, 2)] },
  { op: "Pad", attributes: { mode: attribute.string("wrap") }, inputs: () => [[2, 6], ints(0, 1, 0, -1)] }, // prettier-ignore
  { op: "Pad", attributes: { mode: attribute.string("reflect") }, inputs: () => [[2, 6], ints(0, -2, 0, 3)] }, // prettier-ignore
  {
    op: "Pad",
    attributes: { mode: attribute.string("edge") },
    inputs: (a, b, c) => [[a, b, c], ints(1, 2, 3, 0), Tensor.float32([], [0]), ints(-1, 0)],
  },
  { op: "Reshape", inputs: (a, b, c) => [[a, b, 2 * c], ints(0, -1, 2)] },
  { op: "Reshape", inputs: (a, b, c) => [[a, b, c], ints(-1)] },
  { op: "Reshape", inputs: (a, b) => [[a, b, 12], ints(0, 0, 3, 4)] },
  { op: "Squeeze", inputs: (a, b) => [[a, 1, b, 1], ints(1, -1)] },
  { op: "Unsqueeze", inputs: (a, b) => [[a, b], ints(0, -1)] },
  { op: "Flatten", attributes: { axis: attribute.int(2) }, inputs: (a, b, c) => [[a, b, c]] },
  { op: "Flatten", attributes: { axis: attribute.int(-1) }, inputs: (a, b, c) => [[a, b, c]] },
  { op: "Flatten", attributes: { axis: attribute.int(0) }, inputs: (a, b, c) => [[a, b, c]] },
  { op: "Expand", inputs: (a, b) => [[a, 1, b], ints(2, 1, 3, 1)] },
  { op: "Shape", inputs: (a, b, c) => [[a, b, c]] },
  {
    op: "Shape",
    attributes: { start: attribute.int(-2), end: attribute.int(-1) },
    inputs: (a, b, c) => [[a, b, c]],
  },
  { op: "Size", inputs: (a, b, c) => [[a, b, c]] },
  {
    op: "Cast",
    attributes: { to: attribute.int(codeOfDtype("int32")) },
    inputs: (a, b) => [[a, b]],
  },
  { op: "ReduceSum", inputs: (a, b, c) => [[a, b, c], ints(1)] },
  {
    op: "ReduceMean",
    attributes: { keepdims: attribute.int(0) },
    inputs: (a, b, c) => [[a, b, c], ints(0, -1)],
  },
  { op: "ReduceMax", attributes: { keepdims: attribute.int(0) }, inputs: (a, b, c) => [[a, b, c]] },
  { op: "ArgMax", attributes: { axis: attribute.int(-1) }, inputs: (a, b, c) => [[a, b, c]] },
  {
    op: "TopK",
    outputs: 2,
    attributes: { axis: attribute.int(0) },
    inputs: (a, b) => [[a + 2, b], ints(3)],
  },
  { op: "CumSum", inputs: (a, b) => [[a, b], scalar(1)] },
  {
    op: "DepthToSpace",
    attributes: { blocksize: attribute.int(2) },
    inputs: (a, b, c) => [[a, 4 * b, c, 3]],
  },
  {
    op: "SpaceToDepth",
    attributes: { blocksize: attribute.int(2) },
    inputs: (a, b, c) => [[a, b, 2 * c, 4]],
  },
  {
    op: "OneHot",
    dtype: "int64",
    attributes: { axis: attribute.int(1) },
    inputs: (a, b) => [[a, b], scalar(5), Tensor.float32([2], [0, 1])],
  },
  { op: "ConstantOfShape", inputs: (a, b) => [ints(a, b)] },
  { op: "Range", inputs: (a, b) => [scalar(a), scalar(a + 3 * b), scalar(2)] },
  { op: "Trilu", inputs: (a, b) => [[a, b]] },
  { op: "EyeLike", inputs: (a, b) => [[a, b]] },
];

describe("inference", () => {
  test.each(cases.map((entry, index) => [`${entry.op} #${index}`, entry] as const))(
    "%s is what evaluation gives, on symbols and on numbers",
    async (_, entry) => {
      const random = randomFrom(cases.indexOf(entry) + 10);
      for (let round = 0; round < 12; round += 1) {
        const [a, b, c] = [1 + below(random, 6), 1 + below(random, 6), 1 + below(random, 6)];
        const given = entry.inputs(a, b, c);
        // Equal places of the shapes at two other draws tell which dims are the same expression: a symbol each.
        const symbolic = new Map<string, Dim>();
        const bindings = new Map<string, Dim>();
        const other = [entry.inputs(7, 11, 13), entry.inputs(17, 19, 23)];
        const symbolFor = (input: number, axis: number, size: number): Dim => {
          const places = other.map((draw) => (draw[input] as readonly number[])[axis]);
          if (places.every((place) => place === size)) return size;
          const key = places.join("/");
          const known = symbolic.get(key) ?? dim.symbol(`d${symbolic.size}`);
          symbolic.set(key, known);
          bindings.set(String(known), size);
          return known;
        };
        const feeds: Record<string, Dense> = {};
        const concrete: Input[] = [];
        const open: Input[] = [];
        given.forEach((input, index) => {
          if (input instanceof Tensor) {
            const constant: Input = { dtype: input.dtype, shape: input.dims, constant: input };
            concrete.push(constant);
            open.push(constant);
            return;
          }
          const tensor = randomTensor(random, input, entry.dtype);
          feeds[`x${index}`] = tensor;
          concrete.push({ dtype: tensor.type, shape: input });
          open.push({
            dtype: tensor.type,
            shape: input.map((size, axis) => symbolFor(index, axis, size)),
          });
        });
        const built = [concrete, open].map((inputs) =>
          nodeGraph(entry.op, inputs, entry.attributes, entry.outputs),
        );
        const results = await evaluateGraph(
          built[0]?.graph ?? new Graph(newHeader(), inferNode),
          feeds,
        );
        for (const { graph, outputs } of built) {
          graph.main.outputs.forEach((id, index) => {
            const { type, elements } = graph.value(id);
            const result = results[outputs[index] ?? ""];
            expect(type.kind === "tensor" ? type.dtype : type.kind).toBe(result?.type);
            const shape = type.kind === "tensor" ? type.shape : undefined;
            const sizes = shape?.map((size) => dim.substitute(size, bindings));
            expect(sizes, `sizes ${a} ${b} ${c} of ${String(shape)}`).toEqual(result?.dims);
            if (elements === undefined || result === undefined) return;
            const values = Array.from(unpack(result) as ArrayLike<number | bigint>, Number);
            expect(elements.map((element) => dim.substitute(element, bindings))).toEqual(values);
          });
        }
      }
    },
  );
});
