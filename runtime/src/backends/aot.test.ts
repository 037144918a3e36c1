import { describe, expect, it, vi } from "vitest";
import { aot } from "./aot.js";

const value = (name: string, at = 0): object => ({ name, type: "float32", dims: [4], at });
const whole = { inputs: [value("x")], outputs: [value("y", 16)] };

/** A module of one page whose `run` has this body, and which says this of itself. */
function moduleOf(facts: object | undefined, body: readonly number[]): Uint8Array<ArrayBuffer> {
  const encode = (chars: string): Uint8Array => new TextEncoder().encode(chars);
  const text = (chars: string): number[] => [chars.length, ...encode(chars)];
  const part = (id: number, bytes: readonly number[]): number[] => {
    const { length } = bytes;
    return [id, (length & 0x7f) | 0x80, length >> 7, ...bytes];
  };
  const said = facts === undefined ? [] : [...encode(JSON.stringify(facts))];
  return Uint8Array.from([
    ...encode("\0asm"),
    1,
    0,
    0,
    0,
    ...part(1, [1, 0x60, 0, 0]),
    ...part(3, [1, 0]),
    ...part(5, [1, 0, 1]),
    ...part(7, [2, ...text("memory"), 2, 0, ...text("run"), 0, 0]),
    ...part(10, [1, body.length + 2, 0, ...body, 0x0b]),
    ...(facts === undefined ? [] : part(0, [...text("pare"), ...said])),
  ]);
}

function load(facts: object | undefined, body: readonly number[] = [], weights?: Uint8Array) {
  const model = { name: "model.wasm", bytes: moduleOf(facts, body) };
  const beside = weights === undefined ? [] : [{ name: "weights.bin", bytes: weights }];
  return aot().load({
    format: "wasm",
    files: [model, ...beside],
    session: {},
    requires: { features: ["simd"] },
  });
}

const feeds = { x: { type: "float32", dims: [4], data: Float32Array.of(1, 2, 3, 4) } } as const;

/** What browsers say, among other things, where a page's policy does not let WebAssembly be compiled. */
const policies = {
  Chromium: "WebAssembly.compile(): 'unsafe-eval' is not an allowed source of script",
  Firefox: "call to WebAssembly.compile() blocked by CSP",
  WebKit:
    "Refused to create a WebAssembly object because 'unsafe-eval' or 'wasm-unsafe-eval' is not",
};

describe("a module", () => {
  it.each(Object.entries(policies))("that the policy of %s forbids says so", async (_, said) => {
    const forbid = vi
      .spyOn(WebAssembly, "compile")
      .mockRejectedValue(new WebAssembly.CompileError(said));
    try {
      await expect(load(whole)).rejects.toMatchObject({
        code: "ENGINE_POLICY",
        hint: expect.stringContaining("'wasm-unsafe-eval'"),
      });
    } finally {
      forbid.mockRestore();
    }
  });

  it("runs on its own memory", async () => {
    const session = await load(whole);
    expect(await session.run(feeds)).toEqual({
      y: { type: "float32", dims: [4], data: new Float32Array(4) },
    });
  });

  it.each([
    { labels: ["no", "yes"], data: ["no", "no"] },
    { labels: [5], data: ["5", "5"] },
    { labels: [null], data: ["null", "null"] },
    { labels: [], data: ["undefined", "undefined"] },
  ])("gives text for integers, whatever it says of them: $labels", async ({ labels, data }) => {
    const label = { name: "label", type: "int64", dims: [2], at: 16, labels };
    const session = await load({ inputs: [value("x")], outputs: [label] });
    expect(session.outputs).toEqual([{ name: "label", type: "string", dims: [2] }]);
    expect(await session.run(feeds)).toEqual({ label: { type: "string", dims: [2], data } });
  });

  it("takes text by its place among what it says of it, and nothing else for it", async () => {
    const word = { name: "word", type: "int32", dims: [4], at: 0, labels: ["no", "yes", 5] };
    const place = { name: "place", type: "int32", dims: [4], at: 0 };
    const session = await load({ inputs: [word], outputs: [place] });
    expect(session.inputs).toEqual([{ name: "word", type: "string", dims: [4] }]);
    const data = ["yes", "no", "5", "__proto__"];
    expect(await session.run({ word: { type: "string", dims: [4], data } })).toEqual({
      place: { type: "int32", dims: [4], data: Int32Array.of(1, 0, -1, -1) },
    });
    const numbers = Int32Array.of(0, 1, 0, 1);
    const refused = expect.objectContaining({ code: "INPUT" });
    await expect(session.run({ word: { type: "int32", dims: [4], data: numbers } })).rejects.toEqual(refused); // prettier-ignore
    const { runSync } = session;
    expect(() => runSync?.({ word: numbers })).toThrow(refused);
  });

  it("takes one value for a scalar", async () => {
    const session = await load({ ...whole, inputs: [{ ...value("x"), dims: [] }] });
    const scalar = (dims: number[], ...values: number[]) => ({
      x: { type: "float32", dims, data: Float32Array.from(values) } as const,
    });
    for (const feeds of [scalar([], 5), scalar([1], 5), { x: Float32Array.of(5) }])
      expect(session.runSync(feeds)).toMatchObject({ y: { dims: [4] } });
    for (const feeds of [scalar([0]), scalar([2], 1, 2)])
      expect(() => session.runSync(feeds)).toThrow(expect.objectContaining({ code: "INPUT" }));
  });

  it.each([
    { how: "traps", body: [0x00] },
    { how: "grows its memory", body: [0x41, 1, 0x40, 0, 0x1a] },
  ])("that $how in a run fails by name", async ({ body }) => {
    const session = await load(whole, body);
    await expect(session.run(feeds)).rejects.toMatchObject({ code: "ENGINE" });
  });

  it.each([
    { what: "nothing", facts: undefined },
    { what: "a value behind its memory", facts: { ...whole, outputs: [value("y", 65_536)] } },
    { what: "a value before it", facts: { ...whole, inputs: [value("x", -16)] } },
    { what: "a value across two floats", facts: { ...whole, inputs: [value("x", 2)] } },
    { what: "a value of no type", facts: { ...whole, inputs: [{ ...value("x"), type: "x" }] } },
    { what: "words that are no list", facts: { ...whole, inputs: [{ ...value("x"), labels: { 0: 5 } }] } }, // prettier-ignore
    { what: "weights that did not come", facts: { ...whole, weights: { at: 0, bytes: 8 } } },
  ])("that says $what of itself is refused", async ({ facts }) => {
    await expect(load(facts)).rejects.toMatchObject({ code: "ENGINE" });
  });

  it.each([
    { there: 2, rows: 2, body: [0x41, 36, 0x41, 2, 0x36, 2, 0] },
    { there: 0, rows: 0, body: [] },
    // More than it says there may be are as many as there may be.
    { there: -1, rows: 3, body: [0x41, 36, 0x41, 0x7f, 0x36, 2, 0] },
  ])("that counts $there rows gives $rows", async ({ rows, body }) => {
    const y = { ...value("y", 40), dims: [1, null, 2], count: 36, most: 3 };
    const session = await load({ ...whole, outputs: [y] }, body);
    expect(session.outputs).toEqual([{ name: "y", type: "float32", dims: [1, null, 2] }]);
    expect(session.runSync(feeds)).toEqual({
      y: { type: "float32", dims: [1, rows, 2], data: new Float32Array(2 * rows) },
    });
    // What is written into has room for all.
    const into = { y: new Float32Array(6).fill(1) };
    expect(session.runSync(feeds, into).y).toEqual(new Float32Array(6));
    expect(() => session.runSync(feeds, { y: new Float32Array(4) })).toThrow(
      expect.objectContaining({ code: "INPUT" }),
    );
    expect(() => session.stream({ y: "x" })).toThrow(expect.objectContaining({ code: "ARGUMENT" }));
  });

  it.each([
    { what: "no most", rows: { count: 0 } },
    { what: "a most that is no number", rows: { count: 0, most: "3" } },
    { what: "a count behind its memory", rows: { count: 65_536, most: 1 } },
    { what: "rows behind its memory", rows: { count: 0, most: 65_536 } },
  ])("that says $what of rows is refused", async ({ rows }) => {
    const y = { ...value("y", 16), dims: [null, 2], ...rows };
    await expect(load({ ...whole, outputs: [y] })).rejects.toMatchObject({ code: "ENGINE" });
  });

  it("takes no weights that would lie behind its memory", async () => {
    const facts = { ...whole, weights: { at: 65_532, bytes: 8 } };
    await expect(load(facts, [], new Uint8Array(8))).rejects.toMatchObject({ code: "ENGINE" });
  });
});
