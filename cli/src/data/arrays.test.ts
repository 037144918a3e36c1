import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ValueInfo } from "@pare/runtime/format";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readJsonl } from "./jsonl.js";
import { formatNpy, parseNpy } from "./npy.js";
import { readNpy, readNpz } from "./npz.js";
import type { RawSample, RawSamples } from "./raw-sample.js";
import { readSafetensors } from "./safetensors.js";

const golden = (name: string): string =>
  fileURLToPath(new URL(`../../test-data/${name}`, import.meta.url));
const x: ValueInfo = { name: "x", type: "float32", dims: ["N", 4] };

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-arrays-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function all({ samples }: RawSamples): Promise<RawSample[]> {
  const found: RawSample[] = [];
  for await (const sample of samples) found.push(sample);
  return found;
}

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe(".npz and .npy as numpy writes them", () => {
  it("gives rows with a batch of one, labels, ids and groups", async () => {
    const samples = await all(await readNpz(golden("plain.npz"), [x]));
    expect(samples.map(({ id, label, group }) => [id, label, group])).toEqual([
      ["a", 0, "g"],
      ["b", 1, "g"],
      ["c", 2, "h"],
      ["d", 1, "h"],
      ["é", 0, "i"],
    ]);
    expect(samples[1]?.feeds["x"]).toEqual({
      type: "float32",
      dims: [1, 4],
      data: Float32Array.of(2, 2.5, 3, 3.5),
    });
  });

  it("reads compressed files, and text as labels", async () => {
    const samples = await all(await readNpz(golden("compressed.npz"), [x]));
    expect(samples.map(({ label }) => label)).toEqual(["cat", "dog", "cat", "dog", "ox"]);
  });

  it("lets arrays lie that nobody asks for, and names them where one is missing", async () => {
    const array = formatNpy({ type: "float32", dims: [1, 4], data: new Float32Array(4) });
    const meta = await readFile(golden("object.npy"));
    const path = await file("meta.npz", zipSync({ "x.npy": array, "meta.npy": meta }));
    expect(await all(await readNpz(path, [x]))).toHaveLength(1);
    await expect(readNpz(path, [{ ...x, name: "y" }])).rejects.toThrow(/it has "x", "meta"\./);
  });

  it("gives labels that are no number that JavaScript has as text", async () => {
    const array = formatNpy({ type: "float32", dims: [2, 4], data: new Float32Array(8) });
    const long = BigInt64Array.of(9007199254740993n, 7n);
    const label = formatNpy({ type: "int64", dims: [2], data: long });
    const path = await file("long.npz", zipSync({ "x.npy": array, "label.npy": label }));
    const labels = (await all(await readNpz(path, [x]))).map((sample) => sample.label);
    expect(labels).toEqual(["9007199254740993", 7]);
  });

  it.each([
    ["label", 3, /"label" has 3 rows, but "x" has 4/],
    ["id", 5, /"id" has 5 rows, but "x" has 4/],
    ["group", 1, /"group" has 1 rows, but "x" has 4/],
  ])("refuses a %s of another number of rows: %i", async (name, count, message) => {
    const array = formatNpy({ type: "float32", dims: [4, 4], data: new Float32Array(16) });
    const own = formatNpy({ type: "int32", dims: [count], data: new Int32Array(count) });
    const path = await file("rows.npz", zipSync({ "x.npy": array, [`${name}.npy`]: own }));
    await expect(readNpz(path, [x]).then(all)).rejects.toMatchObject({
      code: "DATA_MISMATCH",
      message: expect.stringMatching(message),
    });
  });

  it("gives labels in float16 as numbers", async () => {
    const array = formatNpy({ type: "float32", dims: [2, 4], data: new Float32Array(8) });
    const halves = Uint16Array.of(0x3c00, 0xc100);
    const labelled = async (dims: readonly number[]): Promise<readonly unknown[]> => {
      const label = formatNpy({ type: "float16", dims, data: halves });
      const path = await file("half.npz", zipSync({ "x.npy": array, "label.npy": label }));
      return (await all(await readNpz(path, [x]))).map((sample) => sample.label);
    };
    expect(await labelled([2])).toEqual([1, -2.5]);
    expect(await labelled([2, 1])).toEqual([1, -2.5]);
  });

  it("feeds whole rows where the input has no batch", async () => {
    const [sample] = await all(await readNpy(golden("x.npy"), [{ ...x, dims: [4] }]));
    expect(sample?.feeds["x"]).toMatchObject({ dims: [4] });
  });

  it.each([
    [
      "another input",
      "plain.npz",
      { ...x, name: "y" },
      "DATA_MISMATCH",
      /no array "y"; it has "x", "label"/,
    ],
    [
      "another type",
      "double.npz",
      x,
      "DATA_MISMATCH",
      /"x" is float64, but the model takes float32 \[N, 4\]/,
    ],
    ["another rank", "plain.npz", { ...x, dims: [1, 1, 1, 4] }, "DATA_MISMATCH", /dims \[5, 4\]/],
    ["Fortran order", "fortran.npz", x, "DATA_INVALID", /Fortran order/],
  ])("refuses %s", async (_, name, input: ValueInfo, code, message) => {
    await expect(readNpz(golden(name), [input])).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ["big-endian.npy", /big-endian/],
    ["object.npy", /neither numbers nor text/],
  ])("refuses %s", async (name, message) => {
    await expect(readNpy(golden(name), [x])).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringMatching(message),
    });
  });

  it("refuses many texts of no letters, and rows of no values", async () => {
    const header = (descr: string, shape: string): Uint8Array => {
      const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117);
      const bytes = Uint8Array.from(`?NUMPY\u0001\u0000\u0076\u0000${dict}\n`, (c) =>
        c.charCodeAt(0),
      );
      bytes[0] = 0x93;
      return bytes;
    };
    expect(() => parseNpy(header("<U0", "(300000000,)"), "texts")).toThrow(/without room/);
    const empty = await file("empty.npy", header("<f4", "(300000000, 0, 4)"));
    await expect(readNpy(empty, [{ ...x, dims: ["N", 0, 4] }])).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringContaining("rows of no values"),
    });
  });

  /** An archive whose only array is listed so many times, as unpacking to so many bytes. */
  function claiming(copies: number, size: number): Uint8Array {
    const array = zipSync({
      "x.npy": formatNpy({ type: "uint8", dims: [2e6], data: new Uint8Array(2e6) }),
    });
    const directory = new DataView(array.buffer).getUint32(array.length - 6, true);
    const entry = Uint8Array.from(array.subarray(directory, array.length - 22));
    new DataView(entry.buffer).setUint32(24, size, true);
    const end = Uint8Array.from(array.subarray(array.length - 22));
    const tail = new DataView(end.buffer);
    tail.setUint16(8, copies, true);
    tail.setUint16(10, copies, true);
    tail.setUint32(12, copies * entry.length, true);
    const entries = Array.from({ length: copies }, () => entry);
    return Buffer.concat([array.subarray(0, directory), ...entries, end]);
  }

  it.each([
    ["share their bytes", 40, 2e6, /lie in \d+ bytes of \d+/],
    ["share their bytes, and claim to hold nothing", 40, 0, /lie in \d+ bytes of \d+/],
    ["hold more than their bytes can", 1, 2 ** 31, /unpack to \d+ bytes from \d+/],
  ])("refuses entries that %s, before any is unpacked", async (_, copies, size, message) => {
    const path = await file("shared.npz", claiming(copies, size));
    await expect(readNpz(path, [x])).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringMatching(message),
    });
  });

  it("refuses what is no archive", async () => {
    await expect(readNpz(await file("no.npz", "hello"), [x])).rejects.toMatchObject({
      code: "DATA_INVALID",
    });
    await expect(readNpz(join(folder, "absent.npz"), [x])).rejects.toMatchObject({
      code: "DATA_NOT_FOUND",
    });
  });

  it("writes what it reads", () => {
    const tensors = [
      { type: "float32", dims: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      { type: "int64", dims: [1], data: BigInt64Array.of(-5n) },
      { type: "bool", dims: [2], data: Uint8Array.of(0, 1) },
      { type: "float16", dims: [], data: Uint16Array.of(0x3c00) },
      { type: "string", dims: [2], data: ["é", "longer"] },
    ] as const;
    for (const tensor of tensors) expect(parseNpy(formatNpy(tensor), "test")).toEqual(tensor);
  });

  it("refuses a truncated one", () => {
    const bytes = formatNpy({ type: "float32", dims: [4], data: new Float32Array(4) });
    for (const length of [0, 5, 9, 30, bytes.length - 1])
      expect(() => parseNpy(bytes.subarray(0, length), "cut")).toThrow(/^cut /);
  });
});

function safetensors(header: unknown, body: Uint8Array): Uint8Array {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([prefix, json, body]);
}

describe(".safetensors", () => {
  const values = new Float32Array([1, 2, 3, 4, 5, 6, 7, 8]);
  const body = Buffer.concat([
    Buffer.from(BigInt64Array.of(7n, 8n).buffer),
    Buffer.from(values.buffer),
  ]);
  const header = {
    __metadata__: { format: "pt" },
    label: { dtype: "I64", shape: [2], data_offsets: [0, 16] },
    x: { dtype: "F32", shape: [2, 4], data_offsets: [16, 48] },
  };

  it("reads rows where they lie, aligned or not", async () => {
    for (const padding of ["", " "]) {
      const path = await file(
        `ok${padding.length}.safetensors`,
        safetensors(JSON.stringify(header) + padding, body),
      );
      const samples = await all(await readSafetensors(path, [x]));
      expect(samples).toEqual([
        { feeds: { x: { type: "float32", dims: [1, 4], data: values.slice(0, 4) } }, label: 7 },
        { feeds: { x: { type: "float32", dims: [1, 4], data: values.slice(4) } }, label: 8 },
      ]);
    }
  });

  it.each([
    [
      "a length beyond the file",
      { ...header, x: { dtype: "F32", shape: [2, 8], data_offsets: [16, 80] } },
    ],
    [
      "offsets that are not the shape's",
      { ...header, x: { dtype: "F32", shape: [2, 4], data_offsets: [16, 40] } },
    ],
    [
      "a shape that overflows",
      { ...header, x: { dtype: "F32", shape: [2 ** 40, 2 ** 40], data_offsets: [16, 48] } },
    ],
    [
      "a negative offset",
      { ...header, x: { dtype: "F32", shape: [2, 4], data_offsets: [-16, 16] } },
    ],
    [
      "what every object has as a type",
      { ...header, x: { dtype: "constructor", shape: [2, 4], data_offsets: [16, 48] } },
    ],
    ["an unknown type", { ...header, x: { dtype: "F3", shape: [2, 4], data_offsets: [16, 48] } }],
    ["no JSON", "{"],
    ["a list", "[]"],
  ])("refuses %s", async (_, wrong) => {
    const path = await file("wrong.safetensors", safetensors(wrong, body));
    await expect(readSafetensors(path, [x])).rejects.toMatchObject({ code: "DATA_INVALID" });
  });

  it("refuses a header longer than the file", async () => {
    const path = await file(
      "long.safetensors",
      Buffer.from([255, 255, 255, 255, 255, 255, 255, 127, 0]),
    );
    await expect(readSafetensors(path, [x])).rejects.toMatchObject({ code: "DATA_INVALID" });
  });
});

describe(".jsonl", () => {
  const ids: ValueInfo = { name: "ids", type: "int64", dims: ["batch", "sequence"] };

  it("takes nested and flat arrays, and puts a batch in front", async () => {
    const path = await file(
      "ok.jsonl",
      '{"x":[1,2,3,4],"ids":[5,6],"label":1,"id":7}\n\n{"x":[[1,2,3,4]],"ids":[["9007199254740993"]],"group":"g"}\n',
    );
    const [first, second] = await all(await readJsonl(path, [x, ids]));
    expect(first).toMatchObject({
      id: "7",
      label: 1,
      feeds: { x: { dims: [1, 4] }, ids: { dims: [1, 2], data: BigInt64Array.of(5n, 6n) } },
    });
    expect(second).toMatchObject({
      group: "g",
      feeds: { ids: { dims: [1, 1], data: BigInt64Array.of(9007199254740993n) } },
    });
  });

  it.each([
    ["no JSON", "{", "DATA_INVALID", /line 2 is not a JSON object/],
    ["a list", "[1]", "DATA_INVALID", /line 2 is not a JSON object/],
    ["a missing field", "{}", "DATA_MISMATCH", /line 2 has no field "x"/],
    ["ragged rows", '{"x":[[1,2],[3]]}', "DATA_MISMATCH", /not a regular array/],
    ["other values", '{"x":["a",2,3,4]}', "DATA_MISMATCH", /values that are not float32/],
    ["other dims", '{"x":[[1,2,3,4],[1,2,3,4]]}', "nothing", null],
    ["many levels", `{"id":${"[".repeat(1e5)}${"]".repeat(1e5)}}`, "DATA_INVALID", /levels/],
    ["too many dims", '{"x":[[[1,2,3,4]]]}', "DATA_MISMATCH", /dims \[1, 1, 4\]/],
  ])("handles %s", async (_, line, code, message) => {
    const reading = readJsonl(await file("line.jsonl", `{"x":[0,0,0,0]}\n${line}\n`), [x]).then(
      all,
    );
    if (message === null) await expect(reading).resolves.toHaveLength(2);
    else
      await expect(reading).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
      });
  });

  it("loses no input for its name", async () => {
    const named: ValueInfo = { ...ids, name: "__proto__" };
    const path = await file("named.jsonl", '{"__proto__": [5]}');
    const [sample] = await all(await readJsonl(path, [named]));
    expect(Object.entries(sample?.feeds ?? {})).toMatchObject([["__proto__", { dims: [1, 1] }]]);
  });

  it("takes null for no label, no id and no group", async () => {
    const line = '{"x":[1,2,3,4],"label":null,"id":null,"group":null}\n';
    const samples = await all(await readJsonl(await file("null.jsonl", line + line), [x]));
    expect(samples.map((sample) => Object.keys(sample))).toEqual([["feeds"], ["feeds"]]);
  });

  it.each([
    ["int64", "1.5", /not int64/],
    ["int4", "1", /is int4, of which engines take no inputs/],
    ["bfloat16", "1", /is bfloat16, of which engines take no inputs/],
    ["int64", '""', /not int64/],
    ["int64", '" 7 "', /not int64/],
    ["int64", '"0x10"', /not int64/],
    ["bool", "null", /not bool/],
    ["bool", '""', /not bool/],
    ["bool", "0.5", /not bool/],
    ["int64", "9007199254740993", /which JSON rounds/],
    ["int64", "-9007199254740992", /which JSON rounds/],
    ["int64", '"9223372036854775808"', /not int64/],
    ["int64", '"-9223372036854775809"', /not int64/],
    ["uint64", "-1", /not uint64/],
    ["uint64", '"18446744073709551616"', /not uint64/],
  ] as const)("refuses for %s what it cannot hold: %s", async (type, value, message) => {
    const path = await file("whole.jsonl", `{"ids":[${value}]}`);
    await expect(readJsonl(path, [{ ...ids, type }]).then(all)).rejects.toMatchObject({
      code: "DATA_MISMATCH",
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ["int64", ["-9223372036854775808", "9223372036854775807"], -9007199254740991],
    ["uint64", ["0", "18446744073709551615"], 9007199254740991],
  ] as const)(
    "takes for %s all that it can hold, large ones as text",
    async (type, ends, number) => {
      const path = await file("ends.jsonl", JSON.stringify({ ids: [...ends, number] }));
      const [sample] = await all(await readJsonl(path, [{ ...ids, type }]));
      const data = [...ends, number].map(BigInt);
      expect(sample?.feeds["ids"]).toMatchObject({
        data: type === "int64" ? BigInt64Array.from(data) : BigUint64Array.from(data),
      });
    },
  );
});
