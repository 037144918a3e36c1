import { byteSource, type ByteSource } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { residentLimit, type Tensor } from "../ir/index.js";
import { tensorflow } from "./tensorflow-model.test.support.js";
import { weightGroups } from "./weight-manifest.js";
import { readWeights } from "./weights.js";

interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: object;
}

/** Bytes that look random. */
const noise = (count: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, at) => (at * 167 + 43) % 251);

function read(
  weights: readonly Entry[],
  files: Readonly<Record<string, Uint8Array>>,
  paths: readonly string[] = Object.keys(files),
): Promise<ReadonlyMap<string, Tensor>> {
  const sources = Object.entries(files).map(([name, bytes]): [string, ByteSource] => [
    name,
    byteSource(bytes),
  ]);
  return readWeights(weightGroups([{ paths, weights }], "model.json"), new Map(sources));
}

async function numbersOf(tensor: Tensor | undefined): Promise<number[]> {
  return Array.from((await tensor?.read()) ?? [], Number);
}

describe("weights of TensorFlow.js", () => {
  const floats = Float32Array.of(1.5, -2, 3, 4, -5, 6);
  const whole = Int32Array.of(7, -8);
  const stored = new Uint8Array([
    ...new Uint8Array(floats.buffer),
    1,
    0,
    1,
    ...new Uint8Array(whole.buffer),
  ]);
  const entries: readonly Entry[] = [
    { name: "floats", shape: [2, 3], dtype: "float32" },
    { name: "flags", shape: [3], dtype: "bool" },
    { name: "whole", shape: [2], dtype: "int32" },
  ];

  it("lie one after another, wherever their shards end", async () => {
    for (const end of [0, 1, 10, 24, 26, stored.length]) {
      const weights = await read(entries, { a: stored.subarray(0, end), b: stored.subarray(end) });
      expect(await numbersOf(weights.get("floats"))).toEqual([...floats]);
      expect(await numbersOf(weights.get("flags"))).toEqual([1, 0, 1]);
      expect(await numbersOf(weights.get("whole"))).toEqual([7, -8]);
      expect(weights.get("floats")?.dims).toEqual([2, 3]);
    }
  });

  it("stay where they are until they are read, where they are large", async () => {
    const count = residentLimit / 4 + 1;
    const large = new Uint8Array(4 * count);
    let reads = 0;
    const source: ByteSource = {
      ...byteSource(large),
      size: large.length,
      read: async (at, length) => {
        reads += 1;
        return large.slice(at, at + length);
      },
    };
    const groups = weightGroups(
      [{ paths: ["a"], weights: [{ name: "x", shape: [count], dtype: "float32" }] }],
      "model.json",
    );
    const weights = await readWeights(groups, new Map([["a", source]]));
    expect(reads).toBe(0);
    expect((await weights.get("x")?.read())?.length).toBe(count);
    expect(reads).toBe(1);
  });

  it.each(["float32", "int32"])(
    "of fewer bytes are what TensorFlow.js makes of them: %s",
    async (dtype) => {
      const bytes = noise(32);
      for (const quantization of [
        { dtype: "uint8", scale: 0.1, min: -3 },
        { dtype: "uint16", scale: 0.0037, min: 12.5 },
        ...(dtype === "float32" ? [{ dtype: "float16" }] : []),
      ] as const) {
        const size = quantization.dtype === "uint8" ? 32 : 16;
        const entry = { name: "x", shape: [size], dtype, quantization };
        const decoded = tensorflow.io.decodeWeights(new Uint8Array(bytes).buffer, [
          entry as tensorflow.io.WeightsManifestEntry,
        ]);
        const expected = [...(decoded["x"]?.dataSync() ?? [])];
        expect(await numbersOf((await read([entry], { a: bytes })).get("x"))).toEqual(expected);
      }
    },
  );

  it("may be texts", async () => {
    const texts = ["", "yes", "größer"];
    const bytes = texts.flatMap((text) => {
      const coded = new TextEncoder().encode(text);
      return [coded.length, 0, 0, 0, ...coded];
    });
    const behind = { name: "behind", shape: [1], dtype: "float32" };
    const weights = await read([{ name: "x", shape: [3], dtype: "string" }, behind], {
      a: new Uint8Array([...bytes, 0, 0, 128, 63]),
    });
    expect(await weights.get("x")?.read()).toEqual(texts);
    expect(await numbersOf(weights.get("behind"))).toEqual([1]);
  });
});

describe("weights that cannot be", () => {
  const four: Entry = { name: "x", shape: [4], dtype: "float32" };

  it.each<[string, readonly Entry[], Readonly<Record<string, Uint8Array>>, string]>([
    ["are not there", [four], {}, "x"],
    ["end before they do", [four], { a: noise(15) }, "x"],
    [
      "have more elements than there are bytes",
      [{ ...four, shape: [2 ** 31, 2 ** 20] }],
      { a: noise(16) },
      "x",
    ],
    [
      "are texts without an end",
      [{ name: "x", shape: [1], dtype: "string" }],
      { a: Uint8Array.of(9, 0, 0, 0, 1) },
      "x",
    ],
    [
      "are more texts than there are bytes",
      [{ name: "x", shape: [2 ** 30], dtype: "string" }],
      { a: noise(16) },
      "x",
    ],
  ])("%s", async (_, entries, files, where) => {
    await expect(read(entries, files)).rejects.toMatchObject({ code: "EXTERNAL_DATA", where });
  });

  it("say which shard is missing", async () => {
    await expect(read([four], {}, ["group1-shard1of1.bin"])).rejects.toMatchObject({
      code: "EXTERNAL_DATA",
      where: "group1-shard1of1.bin",
    });
  });

  it("have one name", async () => {
    await expect(read([four, four], { a: noise(32) })).rejects.toMatchObject({
      code: "MODEL_NAME",
    });
  });

  it.each<[string, unknown]>([
    ["no list", {}],
    ["a group of nothing", [null]],
    ["a path that is a number", [{ paths: [1], weights: [] }]],
    ["a weight without a name", [{ paths: [], weights: [{ shape: [], dtype: "float32" }] }]],
    [
      "a size that is negative",
      [{ paths: [], weights: [{ name: "x", shape: [-1], dtype: "float32" }] }],
    ],
    [
      "a size that is broken",
      [{ paths: [], weights: [{ name: "x", shape: [1.5], dtype: "float32" }] }],
    ],
    [
      "a type that nothing has",
      [{ paths: [], weights: [{ name: "x", shape: [], dtype: "complex64" }] }],
    ],
    [
      "steps that are no number",
      [
        {
          paths: [],
          weights: [
            {
              name: "x",
              shape: [],
              dtype: "float32",
              quantization: { dtype: "uint8", scale: "1" },
            },
          ],
        },
      ],
    ],
  ])("are listed as %s", (_, manifest) => {
    expect(() => weightGroups(manifest, "model.json")).toThrow(
      expect.objectContaining({ code: "MODEL_INVALID" }),
    );
  });
});
