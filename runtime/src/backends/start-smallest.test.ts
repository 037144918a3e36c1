import { expect, it } from "vitest";
import { startSmallest } from "./start-smallest.js";

it.each([
  ["expected magic word 00 61 73 6d, found 3c 21 64 6f", "ENGINE_PAGE"],
  ["404 : http://127.0.0.1/ort-wasm-simd-threaded.wasm", "ENGINE_NOT_FOUND"],
  ["Failed to fetch dynamically imported module", "ENGINE_NOT_FOUND"],
  ["no available backend found", "ENGINE_START"],
])("says of an engine that does not start why: %s", async (said, code) => {
  const create = (): Promise<never> => Promise.reject(new Error(said));
  const ort = { InferenceSession: { create } };
  await expect(startSmallest(ort, "wasm")).rejects.toMatchObject({ code });
});
