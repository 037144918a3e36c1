import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

// A model that tells lying stripes from standing ones, as TensorFlow.js saves one of either kind.

export const side = 6;
const labels = ["lying", "standing"] as const;

/** One picture of lying or standing stripes, as loud as its number. */
export function stripes(at: number): { readonly x: readonly number[][][]; readonly label: number } {
  const label = at % labels.length;
  const picture = Array.from({ length: side }, (_, row) =>
    Array.from({ length: side }, (_unused, column) => [
      ((label === 0 ? row : column) % 2) * (0.5 + at / 60),
    ]),
  );
  return { x: picture, label };
}

/** [height, width, in, out]: what changes from row to row, and from column to column. */
const kernel = [1, 1, 1, -1, -1, 1, -1, -1];
const weights = [
  { name: "kernel", shape: [2, 2, 1, 2], dtype: "float32" },
  { name: "axes", shape: [2], dtype: "int32" },
];
const shardNames = ["group1-shard1of2.bin", "group1-shard2of2.bin"];

const ones = { list: { i: ["1", "1", "1", "1"] } };
export const graphModel = {
  format: "graph-model",
  modelTopology: {
    node: [
      { name: "x", op: "Placeholder", attr: { dtype: { type: "DT_FLOAT" } } },
      { name: "kernel", op: "Const" },
      { name: "axes", op: "Const" },
      {
        name: "edges",
        op: "Conv2D",
        input: ["x", "kernel"],
        attr: { strides: ones, dilations: ones, padding: { s: btoa("VALID") } },
      },
      { name: "loud", op: "Relu", input: ["edges"] },
      { name: "scores", op: "Mean", input: ["loud", "axes"] },
    ],
  },
  signature: {
    inputs: { x: { name: "x:0", dtype: "DT_FLOAT", tensorShape: sizes(-1, side, side, 1) } },
    outputs: { scores: { name: "scores:0", dtype: "DT_FLOAT", tensorShape: sizes(-1, 2) } },
  },
  weightsManifest: [{ paths: shardNames, weights }],
};

export const layersModel = {
  format: "layers-model",
  modelTopology: {
    class_name: "Sequential",
    config: [
      {
        class_name: "Conv2D",
        config: {
          name: "edges",
          batch_input_shape: [null, side, side, 1],
          filters: 2,
          kernel_size: [2, 2],
          use_bias: false,
          activation: "relu",
        },
      },
      { class_name: "GlobalAveragePooling2D", config: { name: "scores" } },
    ],
  },
  weightsManifest: [{ paths: shardNames, weights: [{ ...weights[0], name: "edges/kernel" }] }],
};

function sizes(...dims: readonly number[]): object {
  return { dim: dims.map((size) => ({ size: String(size) })) };
}

/** @param shards how many of them are there; the first ends within the kernel */
export async function writeModel(
  folder: string,
  json: object,
  shards = shardNames.length,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "model.json"), JSON.stringify(json));
  const bytes = new Uint8Array(40);
  new Float32Array(bytes.buffer, 0, kernel.length).set(kernel);
  new Int32Array(bytes.buffer, 32, 2).set([1, 2]);
  for (const [at, shard] of [bytes.subarray(0, 10), bytes.subarray(10)].slice(0, shards).entries())
    await writeFile(join(folder, shardNames[at] ?? ""), shard);
}

/** As lines of JSON. */
export function someStripes(count: number): string {
  return Array.from({ length: count }, (_, at) => JSON.stringify(stripes(at))).join("\n");
}
