import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importModel } from "@pare/compiler";
import { byteSource } from "@pare/runtime/format";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandLines, type Ended } from "./command-lines.test.support.js";

const side = 6;
const labels = ["lying", "standing"] as const;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-tensorflow-lines-"));
  await writeModel("stripes", graphModel);
  await writeModel("layers", layersModel);
  await writeModel("incomplete", graphModel, 1);
  const samples = Array.from({ length: 60 }, (_, at) => stripes(at));
  await writeFile(
    join(folder, "stripes.jsonl"),
    samples.map((sample) => JSON.stringify(sample)).join("\n"),
  );
});
afterAll(() => rm(folder, { recursive: true }));

const lines = new CommandLines(() => folder);
afterAll(() => lines.dispose());

function pare(line: string): Promise<Ended> {
  const env = { XDG_CACHE_HOME: join(folder, "cache"), PARE_CHROMIUM: "none" };
  return lines.run(line.split(" "), { env });
}

/** One picture of lying or standing stripes, as loud as its number. */
function stripes(at: number): { readonly x: readonly number[][][]; readonly label: number } {
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
const graphModel = {
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

const layersModel = {
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
async function writeModel(name: string, json: object, shards = shardNames.length): Promise<void> {
  await mkdir(join(folder, name));
  await writeFile(join(folder, name, "model.json"), JSON.stringify(json));
  const bytes = new Uint8Array(40);
  new Float32Array(bytes.buffer, 0, kernel.length).set(kernel);
  new Int32Array(bytes.buffer, 32, 2).set([1, 2]);
  for (const [at, shard] of [bytes.subarray(0, 10), bytes.subarray(10)].slice(0, shards).entries())
    await writeFile(join(folder, name, shardNames[at] ?? ""), shard);
}

describe("a model.json of TensorFlow.js", () => {
  it.each(["stripes", "layers"])("is written as ONNX by convert: %s", async (name) => {
    const { code, stdout } = await pare(`convert ${name}/model.json`);
    expect([code, stdout]).toEqual([0, expect.stringContaining(`${name}.onnx`)]);
    const main = byteSource(await readFile(join(folder, `${name}.onnx`)));
    const graph = await importModel({ name: `${name}.onnx`, main, beside: new Map() });
    const found = graph.order().map(({ op }) => op);
    expect(found.filter((op) => op === "Conv")).toHaveLength(1);
    // A single channel lies the same way last as first.
    expect(found).not.toContain("Transpose");
  });

  it("is optimized as any other, and its bundle takes what it took", async () => {
    const ended = await pare(
      "optimize stripes/model.json --target cpu,aot --time-budget 20s --data stripes.jsonl --json",
    );
    expect([ended.code, ended.stdout]).toEqual([0, expect.anything()]);
    const { variants } = JSON.parse(ended.stdout);
    expect(variants).toMatchObject([
      { target: "cpu", accuracy: { metric: "top1", value: 1 } },
      { target: "aot", accuracy: { metric: "top1", value: 1 } },
    ]);
    await writeFile(join(folder, "one.json"), JSON.stringify([stripes(5).x]));
    const ran = await pare("run stripes.pare --json --input x=one.json");
    const { scores } = JSON.parse(ran.stdout).outputs;
    expect(scores.dims).toEqual([1, 2]);
    expect(scores.data[1]).toBeGreaterThan(scores.data[0]);
  });

  it("is run, looked at and compared with what was made of it", async () => {
    await writeFile(join(folder, "one.json"), JSON.stringify([stripes(4).x]));
    const ran = await pare("run stripes/model.json --json --input x=one.json");
    const [lying, standing] = JSON.parse(ran.stdout).outputs.scores.data;
    expect(lying).toBeGreaterThan(standing);
    const looked = await pare("inspect stripes/model.json --json");
    expect(JSON.parse(looked.stdout)).toMatchObject({
      inputs: [{ name: "x", dims: [expect.anything(), side, side, 1] }],
    });
    const quantized = await pare("quantize stripes/model.json --mode weights -o int8.onnx");
    expect(quantized.code).toBe(0);
    const compared = await pare(
      "bench stripes/model.json int8.onnx --target cpu --data stripes.jsonl --json",
    );
    expect([compared.code, compared.stdout]).toEqual([0, expect.anything()]);
  });

  it("of which a shard is missing is refused with its name, and nothing is written", async () => {
    const { code, stdout } = await pare("convert incomplete/model.json -o none.onnx --json");
    expect([code, JSON.parse(stdout).error]).toEqual([
      2,
      expect.objectContaining({ code: "EXTERNAL_DATA", where: expect.stringContaining("shard2") }),
    ]);
    await expect(readFile(join(folder, "none.onnx"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
