import { describe, expect, it } from "vitest";
import { checkGolden, type RunTensors } from "./golden-check.js";
import { goldenFeeds, splitmix32 } from "./golden-feeds.js";
import { goldenInputs } from "./golden-inputs.js";
import { probeGolden } from "./golden-probe.js";
import { goldenMaxBytes } from "./manifest.js";
import { bundleJson, parseGolden } from "./parse-runnable.js";
import type { Tensors } from "../tensor/tensor.js";

const tolerance = { absolute: 1e-6, relative: 1e-5 };
const infos = [{ name: "x", type: "float32", dims: ["N", 100] }] as const;
const inputs = goldenInputs(infos, 7, { x: { dims: [2, 100] } });

function scaled(by: number): RunTensors {
  return async ({ x }) => ({
    y: {
      type: "float32",
      dims: [2, 100],
      data: Float32Array.from(x?.data as Float32Array, (v) => v * by),
    },
  });
}

it.each([0.5, Number.NaN, Infinity])(
  "refuses a bundle that gives %d as a whole number",
  (value) => {
    const [given] = goldenInputs([{ name: "n", type: "int64", dims: [1] }], 1);
    if (given === undefined || given.type === "string")
      throw new Error("It is an input of numbers.");
    expect(() => goldenFeeds([{ ...given, values: [value] }])).toThrow(
      expect.objectContaining({ code: "BUNDLE_INVALID" }),
    );
  },
);

it("makes no more of given values than the dims say", () => {
  const given = {
    name: "x",
    type: "float32",
    dims: [2],
    generator: "splitmix32",
    seed: 1,
    range: [0, 1],
  } as const;
  const numbers = (values: readonly number[]) => goldenFeeds([{ ...given, values }])["x"]?.data;
  expect(numbers([3, 4])).toEqual(Float32Array.of(3, 4));
  // As a file may say: {"length": 2000000000}.
  const hostile = Object.assign([], JSON.parse("[]"), { length: 2 ** 32 - 1 });
  expect(numbers(hostile)).toEqual(Float32Array.of(0, 0));
});

/** Forty outputs. */
async function many(feeds: Tensors): Promise<Tensors> {
  const { y } = await scaled(0.1)(feeds);
  if (y === undefined) throw new Error("no output y");
  return Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`y${i}`, y]));
}

/** As many boxes as it is told, as after a suppression. */
function boxes(count: number): RunTensors {
  return async (feeds) => ({
    ...(await scaled(1)(feeds)),
    boxes: { type: "float32", dims: [count, 4], data: new Float32Array(count * 4).fill(1) },
  });
}

it("fits in its bytes, of which a letter may take three", async () => {
  const run: RunTensors = async (feeds) =>
    Object.fromEntries(
      Object.entries(await many(feeds)).map(([name, y]) => [`${"出".repeat(120)}${name}`, y]),
    );
  const golden = await probeGolden([inputs], new Map([["a", run]]));
  const text = bundleJson(golden);
  expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(goldenMaxBytes);
});

describe("a tolerance", () => {
  it("is each output's own: scores may not be as far off as boxes", async () => {
    const run =
      (score: number): RunTensors =>
      async () => ({
        boxes: { type: "float32", dims: [1, 4], data: Float32Array.of(10, 20, 600, 640) },
        scores: { type: "float32", dims: [1], data: Float32Array.of(score) },
      });
    const golden = await probeGolden([inputs], new Map([["a", run(0.5)]]));
    const loose = { absolute: 32, relative: 0.05 };
    const own = { ...loose, outputs: { boxes: 32, scores: 0.05 } };
    expect(await checkGolden(golden, "a", own, run(0.53))).toMatchObject({ ok: true });
    expect(await checkGolden(golden, "a", own, run(0))).toMatchObject({
      ok: false,
      why: expect.stringContaining('output "scores" at 0 is 0'),
    });
    expect(await checkGolden(golden, "a", loose, run(0))).toMatchObject({ ok: true });
  });

  it("is not looked up in what every object has", async () => {
    const one = { type: "float32", dims: [1], data: Float32Array.of(1) } as const;
    const named: RunTensors = async () => Object.fromEntries([["constructor", one]]);
    const golden = await probeGolden([inputs], new Map([["a", named]]));
    const own = { absolute: 0.1, relative: 0, outputs: {} };
    expect(await checkGolden(golden, "a", own, named)).toEqual({ ok: true });
  });
});

describe("what is drawn at random", () => {
  const answer =
    (count: number, value: number): RunTensors =>
    async () => ({
      y: { type: "float32", dims: [count], data: new Float32Array(count).fill(value) },
    });
  const tolerance = { absolute: 1e-6, relative: 0 };
  const recorded = (drawn: "values" | "dims") =>
    probeGolden([inputs], new Map([["a", answer(2, 1)]]), { drawn: new Map([["y", drawn]]) });

  it("is held to its type and dims where those stay the same", async () => {
    const golden = await recorded("values");
    expect(golden.cases[0]?.outputs[0]?.indices).toEqual([]);
    expect(await checkGolden(golden, "a", tolerance, answer(2, 5))).toEqual({ ok: true });
    expect(await checkGolden(golden, "a", tolerance, answer(3, 5))).toMatchObject({ ok: false });
    expect(await checkGolden(golden, "b", tolerance, answer(2, 5))).toMatchObject({ ok: false });
  });

  it("is only run where they do not", async () => {
    const golden = await recorded("dims");
    expect(golden.cases[0]?.outputs).toEqual([]);
    expect(await checkGolden(golden, "a", tolerance, answer(3, 5))).toEqual({ ok: true });
    const fails: RunTensors = () => Promise.reject(new Error("no kernel"));
    await expect(checkGolden(golden, "a", tolerance, fails)).rejects.toThrow("no kernel");
  });
});

describe("golden inputs", () => {
  it("are refused before they are made, where no model has such", () => {
    for (const dims of [[400_000_000], [65_536, 65_536, 65_536, 65_536], [1e200, 1e200]])
      expect(() => goldenFeeds(goldenInputs([{ name: "x", type: "float32", dims }], 1))).toThrow(
        /inputs have .* elements/,
      );
  });

  it("are the numbers of splitmix32, for ever", () => {
    const next = splitmix32(1);
    expect([next(), next(), next()]).toEqual(referenceSplitmix(1, 3));
  });

  it("stay in their range, in every type", () => {
    const types = [
      "float32",
      "float64",
      "float16",
      "int8",
      "uint8",
      "int16",
      "uint16",
      "int32",
      "uint32",
      "int64",
      "uint64",
      "bool",
    ] as const;
    const given = goldenInputs(
      types.map((type) => ({ name: type, type, dims: [50] })),
      3,
      { int64: { range: [5, 9] }, float32: { range: [0, 255] } },
    );
    const feeds = goldenFeeds(given);
    const numbers = (name: string): number[] =>
      Array.from(feeds[name]?.data as Float32Array, Number);
    expect(new Set(numbers("int64"))).toEqual(new Set([5, 6, 7, 8, 9]));
    expect(new Set(numbers("bool"))).toEqual(new Set([0, 1]));
    expect(Math.max(...numbers("float32"))).toBeGreaterThan(200);
    expect(Math.min(...numbers("float64"))).toBeGreaterThanOrEqual(-1);
    expect(feeds["float16"]?.data).toBeInstanceOf(Uint16Array);
    expect(feeds["int64"]?.data).toBeInstanceOf(BigInt64Array);
  });

  it("may be given numbers", () => {
    const rate = goldenInputs([{ name: "sr", type: "int64", dims: [] }], 1, {
      sr: { values: [16000] },
    });
    expect(goldenFeeds(rate)).toEqual({
      sr: { type: "int64", dims: [], data: BigInt64Array.of(16000n) },
    });
  });

  it("are of any name", () => {
    const named = (name: string) => goldenInputs([{ name, type: "float32", dims: [2] }], 1);
    for (const name of ["constructor", "__proto__"])
      expect({ ...named(name)[0], name: "x" }).toEqual(named("x")[0]);
  });

  it("are text that is put together of given words, or given", () => {
    const info = { name: "t", type: "string", dims: [1, 40] } as const;
    const words = ["yes", "no", "__proto__"];
    const made = goldenInputs([info], 3, { t: { words } });
    const read = parseGolden(JSON.parse(bundleJson({ formatVersion: 1, cases: [{ inputs: made, outputs: [] }] }))); // prettier-ignore
    const { t } = goldenFeeds(read.cases[0]?.inputs ?? []);
    expect(t).toMatchObject({ type: "string", dims: [1, 40] });
    const texts = [...(t?.data ?? [])].map(String);
    expect(texts).toHaveLength(40);
    expect(new Set(texts.flatMap((text) => text.split(" ")))).toEqual(new Set(words));
    expect(new Set(texts.map((text) => text.split(" ").length))).toEqual(new Set([1, 3]));
    const given = goldenInputs([{ ...info, dims: [1] }], 3, { t: { values: ["Hello world"] } });
    expect(goldenFeeds(given)["t"]?.data).toEqual(["Hello world"]);
    expect(goldenFeeds(goldenInputs([info], 3))["t"]?.data).toHaveLength(40);
  });

  it("need concrete dims, and a type that numbers or text fill", () => {
    expect(() => goldenInputs(infos, 1)).toThrow(expect.objectContaining({ code: "ARGUMENT" }));
    expect(() => goldenFeeds(goldenInputs([{ name: "t", type: "int4", dims: [1] }], 1))).toThrow(
      expect.objectContaining({ code: "ARGUMENT" }),
    );
  });
});

describe("the golden check", async () => {
  const golden = await probeGolden([inputs], new Map([["one", scaled(1)], ["two", scaled(2)]])); // prettier-ignore

  it("passes what was recorded, through JSON", async () => {
    const read = parseGolden(JSON.parse(bundleJson(golden)));
    expect(read.cases[0]?.outputs[0]?.indices.length).toBe(64);
    expect(await checkGolden(read, "one", tolerance, scaled(1))).toMatchObject({ ok: true });
    expect(await checkGolden(read, "two", tolerance, scaled(2))).toMatchObject({ ok: true });
  });

  it.each<[string, RunTensors, RegExp]>([
    ["another answer", scaled(1.001), /output "y" at \d+ is .*, recorded was/],
    ["zeros", scaled(0), /is 0, recorded was/],
    ["NaN", scaled(NaN), /is NaN/],
    ["nothing", async () => ({}), /output "y" is missing/],
    [
      "another shape",
      async () => ({ y: { type: "float32", dims: [200], data: new Float32Array(200) } }),
      /is float32 \[200\], not float32 \[2, 100\]/,
    ],
  ])("refuses %s", async (_, run, why) => {
    expect(await checkGolden(golden, "one", tolerance, run)).toEqual({
      ok: false,
      why: expect.stringMatching(why),
    });
  });

  it("compares texts, which are alike or not", async () => {
    const saying =
      (...data: readonly string[]): RunTensors =>
      async () => ({ y: { type: "string", dims: [data.length], data } });
    const of = await probeGolden([inputs], new Map([["one", saying("cat", "12", "")]]));
    const read = parseGolden(JSON.parse(bundleJson(of)));
    expect(read.cases[0]?.outputs).toMatchObject([
      { type: "string", indices: [0, 1, 2], values: { one: ["cat", "12", ""] } },
    ]);
    const said = (run: RunTensors) => checkGolden(read, "one", tolerance, run);
    expect(await said(saying("cat", "12", ""))).toEqual({ ok: true });
    for (const other of [saying("dog", "12", ""), saying("cat", "12.0", ""), saying("cat", "12")])
      expect(await said(other)).toMatchObject({ ok: false });
  });

  it.each<[string, unknown]>([
    ["an object that is no text", [{ toString: 1, valueOf: 1 }]],
    ["lists in lists", [JSON.parse(`${"[".repeat(1e5)}${"]".repeat(1e5)}`)]],
    ["no list", 7],
    ["text for a list", "0"],
    ["null in it", [null]],
  ])("is not passed by %s from a file", async (_, values) => {
    const output = { name: "y", type: "float32", dims: [2, 100], indices: [0], values: { one: values } }; // prettier-ignore
    const read = parseGolden({ formatVersion: 1, cases: [{ inputs, outputs: [output] }] });
    expect(await checkGolden(read, "one", tolerance, scaled(0))).toMatchObject({ ok: false });
  });

  it("proves nothing of a variant that it has no values for", async () => {
    expect(await checkGolden(golden, "three", tolerance, scaled(1))).toMatchObject({ ok: false });
    expect(
      await checkGolden({ formatVersion: 1, cases: [] }, "one", tolerance, scaled(1)),
    ).toMatchObject({ ok: false });
  });

  it("probes the largest and the smallest value", async () => {
    const data = new Float32Array(100_000);
    data[77_777] = 9;
    data[33] = -4;
    const recorded = await probeGolden(
      [inputs],
      new Map([["a", async () => ({ y: { type: "float32", dims: [100_000], data } })]]),
    );
    const output = recorded.cases[0]?.outputs[0];
    expect(output?.values["a"]?.[output.indices.indexOf(77_777)]).toBe(9);
    expect(output?.values["a"]?.[output.indices.indexOf(33)]).toBe(-4);
  });

  it("stays under 32 KB with many variants and outputs", async () => {
    const big = await probeGolden(
      [inputs],
      new Map(["a", "b", "c", "d", "e"].map((id) => [id, many])),
    );
    expect(bundleJson(big).length).toBeLessThanOrEqual(goldenMaxBytes);
    expect(await checkGolden(big, "e", tolerance, many)).toMatchObject({ ok: true });
  });

  it("holds some outputs where not all fit, and says where not even inputs do", async () => {
    const wide = async (): Promise<Tensors> =>
      Object.fromEntries(
        Array.from({ length: 900 }, (_, at) => [
          `present.${at}.value`,
          {
            type: "float32",
            dims: [1, 2, 8],
            data: new Float32Array(16).fill(at % 3 === 0 ? NaN : at),
          },
        ]),
      );
    const some = await probeGolden([inputs], new Map([["a", wide]]));
    expect(bundleJson(some).length).toBeLessThanOrEqual(goldenMaxBytes);
    const names = some.cases[0]?.outputs.map(({ name }) => name) ?? [];
    expect(names.length).toBeGreaterThan(50);
    expect(names[0]).toBe("present.1.value");
    expect(await checkGolden(some, "a", tolerance, wide)).toMatchObject({ ok: true });
    const [input] = inputs;
    const many = Array.from({ length: 900 }, (_, at) => ({ ...input, name: `past.${at}` }));
    await expect(
      probeGolden([many as typeof inputs], new Map([["a", wide]])),
    ).rejects.toMatchObject({ code: "GOLDEN", where: "golden.json" });
  });

  it("leaves out what is not finite, and refuses to record nothing", async () => {
    const data = Float32Array.of(NaN, 2, Infinity);
    const recorded = await probeGolden(
      [inputs],
      new Map([["a", async () => ({ y: { type: "float32", dims: [3], data } })]]),
    );
    expect(recorded.cases[0]?.outputs[0]?.indices).toEqual([1]);
    await expect(probeGolden([inputs], new Map([["a", scaled(NaN)]]))).rejects.toMatchObject({
      code: "GOLDEN",
    });
  });

  it("lets variants differ in the number of results", async () => {
    const mixed = await probeGolden([inputs], new Map([["a", boxes(3)], ["b", boxes(2)]])); // prettier-ignore
    expect(await checkGolden(mixed, "a", tolerance, boxes(3))).toMatchObject({ ok: true });
    expect(await checkGolden(mixed, "a", tolerance, boxes(2))).toMatchObject({ ok: false });
    expect(await checkGolden(mixed, "b", tolerance, boxes(2))).toMatchObject({ ok: true });
    expect(await checkGolden(mixed, "b", tolerance, boxes(3))).toMatchObject({ ok: false });
  });

  it("lets them differ where that is all there is, as long as each gives something", async () => {
    const only =
      (count: number): RunTensors =>
      async (feeds) => {
        const { boxes: found } = await boxes(count)(feeds);
        return found === undefined ? {} : { found };
      };
    const mixed = await probeGolden([inputs], new Map([["a", only(3)], ["b", only(2)]])); // prettier-ignore
    for (const [id, count] of [
      ["a", 3],
      ["b", 2],
    ] as const)
      // prettier-ignore
      expect(await checkGolden(mixed, id, tolerance, only(count))).toMatchObject({ ok: true });
    const [a, b] = [["a", only(3)], ["b", only(0)]] as const; // prettier-ignore
    await expect(probeGolden([inputs], new Map([a, b]))).rejects.toMatchObject({ code: "GOLDEN", where: "b" }); // prettier-ignore
    const empty = await probeGolden([inputs], new Map([a, b]), { mayBeEmpty: true });
    expect(await checkGolden(empty, "b", tolerance, only(0))).toMatchObject({ ok: true });
    expect(await checkGolden(empty, "b", tolerance, only(1))).toMatchObject({ ok: false });
  });
});

/** The same in plain 64-bit arithmetic. */
function referenceSplitmix(seed: number, count: number): number[] {
  const mask = 0xffffffffn;
  let state = BigInt(seed);
  return Array.from({ length: count }, () => {
    state = (state + 0x9e3779b9n) & mask;
    let z = state ^ (state >> 16n);
    z = (z * 0x21f0aaadn) & mask;
    z = ((z ^ (z >> 15n)) * 0x735a2d97n) & mask;
    return Number(z ^ (z >> 15n));
  });
}
