import { expect, it } from "vitest";
import { letGo } from "./let-go.js";

it("gives back the memory of whole arrays, and leaves alone what is a part or shared", () => {
  const whole = new Float32Array(4);
  const again = new Uint8Array(whole.buffer);
  const part = new Float32Array(8).subarray(2);
  const shared = new Float32Array(new SharedArrayBuffer(16));
  letGo([whole, again, part, shared, ["text"], new Float32Array()]);
  expect([whole, again, part, shared].map(({ length }) => length)).toEqual([0, 0, 6, 4]);
});

it("does so at once", () => {
  const held = (): number => process.memoryUsage().arrayBuffers;
  const before = held();
  for (let round = 0; round < 100; round++) letGo([new Float64Array(2 ** 20)]);
  expect(held() - before).toBeLessThan(2 ** 24);
});
