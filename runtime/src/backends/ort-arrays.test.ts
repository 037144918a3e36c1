import { readFile } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import { onnxArtifact, type Tensor } from "../format/index.js";
import { cpu } from "./ort-node.js";
import { wasm } from "./ort-web.js";

// y = 2 · x + shift
const url = new URL("../../test-models/affine.onnx", import.meta.url);
const model = onnxArtifact(new Uint8Array(await readFile(url)));
const native = await cpu().load(model);
const web = await wasm().load(model);
afterAll(() => Promise.all([native.dispose(), web.dispose()]));

const row = (data: Float32Array): Tensor => ({ type: "float32", dims: [1, 3], data });
const shared = (...values: number[]): Float32Array => {
  const array = new Float32Array(new SharedArrayBuffer(4 * values.length));
  array.set(values);
  return array;
};
const shift = Float32Array.of(1, 1, 1);

describe("a run that is told where outputs may lie", () => {
  it.each([
    ["memory of its own", new Float32Array(3)],
    ["a part of a memory", new Float32Array(8).subarray(2, 5)],
    [
      "memory of WebAssembly",
      new Float32Array(new WebAssembly.Memory({ initial: 1 }).buffer, 96, 3),
    ],
    ["shared memory", shared(0, 0, 0)],
  ])("puts them there: %s", async (_, array) => {
    const into = { y: row(array) };
    for (const first of [1, 5]) {
      const x = row(Float32Array.of(first, 2, 3));
      const { y } = await native.run({ x, shift }, undefined, into);
      expect(y).toBe(into.y);
      expect([...array]).toEqual([2 * first + 1, 5, 7]);
    }
  });

  it("reads feeds where they lie, and otherwise what they were", async () => {
    for (const [into, seen] of [
      [{}, 9],
      [undefined, 3],
    ] as const) {
      const data = Float32Array.of(1, 2, 3);
      const running = native.run({ x: row(data), shift }, undefined, into);
      data[0] = 4;
      expect((await running)["y"]?.data).toEqual(Float32Array.of(seen, 5, 7));
    }
  });

  it("reads shared memory", async () => {
    const { y } = await native.run({ x: row(shared(1, 2, 3)), shift }, undefined, {});
    expect(y?.data).toEqual(Float32Array.of(3, 5, 7));
  });

  it("writes to nothing that was lent before", async () => {
    const lent = row(Float32Array.of(1, 2, 3));
    const into = { y: row(new Float32Array(3)) };
    await native.run({ x: lent, shift }, undefined, into);
    const { y } = await native.run({ x: row(Float32Array.of(7, 8, 9)), shift });
    expect(y?.data).toEqual(Float32Array.of(15, 17, 19));
    expect(lent.data).toEqual(Float32Array.of(1, 2, 3));
    expect(into.y.data).toEqual(Float32Array.of(3, 5, 7));
  });

  it.each([
    ["of another size", { type: "float32", dims: [1, 4], data: new Float32Array(4) }],
    ["of another type", { type: "int32", dims: [1, 3], data: new Int32Array(3) }],
  ] as const)("gives an array of its own where one is %s", async (_, place) => {
    const { y } = await native.run({ x: row(Float32Array.of(1, 2, 3)), shift }, undefined, {
      y: place,
    });
    expect(y?.data).toEqual(Float32Array.of(3, 5, 7));
    expect([...place.data]).toEqual(Array.from(place.data, () => 0));
  });

  it("leaves no copies of them behind", async () => {
    const [rows, bytes] = [100_000, 100_000 * 3 * 4];
    const x: Tensor = { type: "float32", dims: [rows, 3], data: new Float32Array(3 * rows) };
    const into = { y: { ...x, data: new Float32Array(3 * rows) } };
    await native.run({ x, shift }, undefined, into);
    const before = process.memoryUsage().arrayBuffers;
    for (let run = 0; run < 8; run += 1) await native.run({ x, shift }, undefined, into);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(bytes);
    expect(into.y.data.subarray(-3)).toEqual(Float32Array.of(1, 1, 1));
  });

  it("gives its own where the engine reads later", async () => {
    const into = { y: row(new Float32Array(3)) };
    const data = Float32Array.of(1, 2, 3);
    const running = web.run({ x: row(data), shift }, undefined, into);
    data[0] = 4;
    expect((await running)["y"]?.data).toEqual(Float32Array.of(3, 5, 7));
    expect(into.y.data).toEqual(new Float32Array(3));
  });
});
