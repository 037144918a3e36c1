import type { Executor } from "@pare/runtime/format";
import { wasm } from "@pare/runtime/ort-web";
import { expect, it } from "vitest";
import { exactEngine } from "./exact-engine.test.support.js";
import { saturates } from "./saturation.js";

it("is told from what an engine answers", async () => {
  const answering = (value: number): Executor => ({
    load: async () => ({
      inputs: [],
      outputs: [],
      run: async () => ({ y: { type: "int32", dims: [1, 1], data: Int32Array.of(value) } }),
      dispose: async () => {},
    }),
  });
  expect(await saturates(answering(64 * 255 * 127))).toBe(false);
  // What 32 pairs that stop at 32767 add up to.
  expect(await saturates(answering(32 * 32767))).toBe(true);
});

it("is no matter of WebAssembly's kernels, so that wasm may use all eight bits", async () => {
  expect(await saturates(wasm())).toBe(false);
  expect(await saturates(await exactEngine())).toBe(false);
});
