import type { Tensor as Dense } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { attribute, type Attributes, edit, Graph, newHeader, Tensor } from "../../ir/index.js";
import { simplifyGraph } from "../../passes/simplify.js";
import { inferNode } from "../shape/infer.js";
import { evaluateGraph } from "./execute.js";

/** A node that reads constants. */
function ofConstants(op: string, inputs: readonly Tensor[], attributes: Attributes = {}): Graph {
  const graph = new Graph(newHeader(), inferNode);
  edit(
    graph,
    "build",
    (editor) => {
      const ids = inputs.map((tensor, at) => editor.constant(`c${at}`, tensor));
      editor.addOutput(editor.add1(op, ids, attributes, { outputs: ["y"] }));
    },
    { interface: true },
  );
  return graph;
}

/** What it makes of them. */
async function evaluated(...of: Parameters<typeof ofConstants>): Promise<Dense | undefined> {
  return (await evaluateGraph(ofConstants(...of), {}))["y"];
}

const longs = (values: readonly bigint[], dims: readonly number[] = [values.length]): Tensor =>
  Tensor.of("int64", dims, BigInt64Array.from(values));

it("holds powers of 64-bit integers to 64 bits at each step", async () => {
  const found = await evaluated("Pow", [longs([3n, 5n, -2n, 3n]), longs([41n, 0n, 3n, 2n ** 62n])]);
  // Among the odd numbers of 64 bits 3 is of order 2⁶².
  expect(found?.data).toEqual(BigInt64Array.of(BigInt.asIntN(64, 3n ** 41n), 1n, -8n, 1n));
});

it("holds products of 64-bit integers to 64 bits at each step", async () => {
  const count = 2 ** 20;
  const odd = longs(Array.from({ length: count }, () => 2n ** 62n - 1n));
  const found = await evaluated("ReduceProd", [odd], { keepdims: attribute.int(0) });
  // (2⁶² − 1)² is 1 − 2⁶³, and the square of that 1.
  expect(found?.data).toEqual(BigInt64Array.of(1n));
});

it("folds 64-bit integers in doubles where their logarithm is asked for", async () => {
  const ofRows = { keepdims: attribute.int(0) };
  const rows = [longs([1n, 2n, 2000n, 2000n, -5n, -5n], [3, 2]), longs([1n])] as const;
  const exponentials = await evaluated("ReduceLogSumExp", rows, ofRows);
  expect(exponentials?.data).toEqual(BigInt64Array.of(2n, 2000n, -4n));
  // Of 0, and of what is below it, there is none.
  const sums = await evaluated("ReduceLogSum", [longs([100n, 1n, 2n, -2n, 1n, -2n], [3, 2]), rows[1]], ofRows); // prettier-ignore
  expect(sums?.data).toEqual(BigInt64Array.of(4n, -(2n ** 63n), -(2n ** 63n)));
});

it("shifts by no more bits than there are, and by none backwards", async () => {
  const right = { direction: attribute.string("RIGHT") };
  const found = await evaluated("BitShift", [longs([8n, 8n, 8n]), longs([2n, 64n, -(2n ** 40n)])], right); // prettier-ignore
  expect(found?.data).toEqual(BigInt64Array.of(2n, 0n, 0n));
});

it("tells a range of integers beyond what numbers hold", async () => {
  const [start, end] = [2n ** 60n, 2n ** 60n + 3n];
  const found = await evaluated("Range", [longs([start], []), longs([end], []), longs([1n], [])]);
  expect(found?.data).toEqual(BigInt64Array.of(start, start + 1n, start + 2n));
  const endless = evaluated("Range", [longs([0n], []), longs([1n], []), longs([0n], [])]);
  await expect(endless).rejects.toMatchObject({ code: "MODEL_SHAPE" });
});

it.each([
  ["ScatterND", longs([0n, 0n], [2, 1]), [1, 4]],
  ["ScatterElements", longs([0n, 0n], [2, 1]), [1, 1]],
])("takes no updates in %s that are not of its indices' shape", async (op, indices, dims) => {
  const count = dims.reduce((product, size) => product * size, 1);
  const updates = Tensor.float32(dims, new Float32Array(count));
  const data = Tensor.float32([3, 4], new Float32Array(12));
  await expect(evaluated(op, [data, indices, updates])).rejects.toMatchObject({
    code: "MODEL_SHAPE",
    message: expect.stringContaining("Updates are"),
  });
});

it("writes whole numbers as text with all of their digits", async () => {
  const numbers = Tensor.of("int32", [3], Int32Array.of(123456789, -16777217, 0));
  const found = await evaluated("Cast", [numbers], { to: attribute.int(8) });
  expect(found?.data).toEqual(["123456789", "-16777217", "0"]);
});

it("follows no axis of what has no elements, however long", async () => {
  const long = 500_000_000;
  const ends = [longs([0n]), longs([1n]), longs([0n])];
  const none = (...dims: readonly number[]): Tensor => longs([], dims);
  for (const [op, inputs] of [
    ["Slice", [none(0, long), ...ends]],
    ["Tile", [none(0, 1), longs([1n, BigInt(long)])]],
    ["Transpose", [none(0, long)]],
    ["Add", [none(0, long), none(0, long)]],
    ["Expand", [none(0, 1), longs([0n, BigInt(long)])]],
    ["ReduceSum", [none(0, long), longs([1n])]],
  ] as const) {
    const graph = ofConstants(op, inputs);
    await simplifyGraph(graph, {});
    // What it gives is not computed: a node gives it still.
    expect([...graph.allNodes()]).toHaveLength(1);
  }
});

const float = (dims: readonly number[]): Tensor =>
  Tensor.float32(dims, new Float32Array(dims.reduce((product, size) => product * size, 1)));

const border = {
  mode: attribute.string("cubic"),
  padding_mode: attribute.string("border"),
};
const reaching = (size: number) => ({
  kernel_shape: attribute.ints([size, 1e9]),
  pads: attribute.ints([0, 1e9, 0, 0]),
});
const ones = Array.from({ length: 15 }, () => 1);

it.each<readonly [string, readonly Tensor[], Attributes]>([
  ["MaxPool", [float([1, 1, 1, 4])], reaching(0)],
  ["AveragePool", [float([1, 0, 1, 4])], reaching(1)],
  ["Einsum", [float([30_000]), float([30_000]), float([0])], { equation: attribute.string("i,j,k->") }],
  ["ConvTranspose", [float([1, 1, 1000, 1]), float([1, 0, 1, 1000])], {}],
  ["Conv", [float([1, 0, 1000, 1000]), float([1, 0, 1000, 1000])], {}],
  ["Conv", [float([1, 1, 1, 20_000]), float([1, 1, 1, 10_000])], {}],
  ["DepthToSpace", [float([1, 1, 0, 0])], { blocksize: attribute.int(1e9) }],
  ["Resize", [float([0, 1]), float([0]), float([0]), longs([0n, 2n ** 20n])], {}],
  ["GridSample", [float([1, ...ones]), float([...ones, 14])], border],
])("is not computed where that lists places by sizes that no element bears out: %s", async (op, inputs, attributes) => {
  const graph = ofConstants(op, inputs, attributes);
  await simplifyGraph(graph, {});
  expect([...graph.allNodes()].map((node) => node.op)).toContain(op);
}); // prettier-ignore

it("repeats nothing, however often", async () => {
  const found = await evaluated("Tile", [longs([], [0]), longs([10n ** 9n])]);
  expect(found?.dims).toEqual([0]);
});

it("reads no further than a sequence goes", async () => {
  const lengths = Tensor.of("int32", [1], Int32Array.of(2 ** 31 - 1));
  const weights = [float([1, 0, 1]), float([1, 0, 0]), float([1, 0])];
  const ofNone = { hidden_size: attribute.int(0) };
  const found = await evaluated("RNN", [float([1, 1, 1]), ...weights, lengths], ofNone);
  expect(found?.dims).toEqual([1, 1, 1, 0]);
});

it("scales each group of a layer normalization by its own, where a scale says so", async () => {
  const x = Tensor.float32([2, 3, 2], Float32Array.of(1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1));
  const scale = Tensor.float32([3, 1], Float32Array.of(1, 2, 3));
  const found = await evaluated("LayerNormalization", [x, scale], { epsilon: attribute.float(0) });
  expect([...(found?.data ?? [])]).toEqual([1, -1, 2, -2, 3, -3, 1, -1, 2, -2, 3, -3]);
});

it("leaves Squeeze without an axis to the engine: none goes by the specification, and in engines all", async () => {
  const graph = ofConstants("Squeeze", [float([1, 3]), longs([])]);
  await simplifyGraph(graph, {});
  expect([...graph.allNodes()].map(({ op }) => op)).toEqual(["Squeeze"]);
});
