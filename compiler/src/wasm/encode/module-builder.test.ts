import * as fc from "fast-check";
import { expect, it } from "vitest";
import { ByteWriter } from "./byte-writer.js";
import { f32x4, floats, i32, i32Add, load, loadLane, shuffle } from "./expression.js";
import { FunctionBuilder } from "./function-builder.js";
import { ModuleBuilder, pageBytes } from "./module-builder.js";

it("writes numbers as LEB128 that reads back", () => {
  fc.assert(
    fc.property(fc.integer(), (value) => {
      const signed = new ByteWriter();
      signed.signed(value);
      let [result, shift, byte] = [0, 0, 0];
      for (byte of signed.written) {
        result |= (byte & 0x7f) << shift;
        shift += 7;
      }
      if (shift < 32 && byte & 0x40) result |= -1 << shift;
      expect(result).toBe(value);
      const unsigned = new ByteWriter();
      unsigned.unsigned(value);
      const back = [...unsigned.written].reduce(
        (sum, part, at) => sum + (part & 0x7f) * 2 ** (7 * at),
        0,
      );
      expect(back).toBe(value >>> 0);
    }),
    { numRuns: 1000 },
  );
});

function floatsAfter(f: FunctionBuilder, start: readonly number[], parameters: readonly number[]) {
  const module = new ModuleBuilder();
  module.add(f, "call");
  module.data(64, new Uint8Array(Float32Array.from(start).buffer));
  const bytes = module.encode(pageBytes + 1);
  expect(WebAssembly.validate(bytes)).toBe(true);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const { call, memory } = exports;
  if (typeof call !== "function" || !(memory instanceof WebAssembly.Memory)) throw new Error("no");
  expect(memory.buffer.byteLength).toBe(2 * pageBytes);
  expect(() => memory.grow(1)).toThrow();
  call(...parameters);
  return [...new Float32Array(memory.buffer, 64, start.length)];
}

it("encodes loops, lanes and shuffles that do what they say", () => {
  const f = new FunctionBuilder(1);
  const at = f.parameter(0);
  const x = f.local("v128");
  f.times(2, () => {
    f.set(x, f32x4.add(load(at), floats(1, 2, 3, 4)));
    f.set(x, shuffle(x, floats(9), [3, 2, 4, 0]));
    f.store(at, 0, x);
    f.advance(at, 16);
  });
  f.set(x, loadLane(x, 1, i32Add(at, i32(-4))));
  f.storeLanes(at, 0, x, 3);
  const after = floatsAfter(f, [0, 10, 20, 30, 1, 2, 3, 4, 7, 7, 7, 7], [64]);
  expect(after).toEqual([34, 23, 9, 1, 8, 6, 9, 2, 8, 2, 9, 7]);
});

it("encodes a module of many functions and a large segment", () => {
  const module = new ModuleBuilder();
  for (let at = 0; at < 200; at += 1) module.add(new FunctionBuilder(at % 7), `f${at}`);
  module.data(128, new Uint8Array(100_000).fill(7));
  module.custom("said", new Uint8Array([1, 2, 3]));
  const compiled = new WebAssembly.Module(module.encode(200_000));
  expect(WebAssembly.Module.exports(compiled)).toHaveLength(201);
  expect(WebAssembly.Module.imports(compiled)).toEqual([]);
  expect(WebAssembly.Module.customSections(compiled, "said")).toHaveLength(1);
});
