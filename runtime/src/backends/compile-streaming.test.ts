import { expect, it } from "vitest";
import { compileWhileItComes } from "./compile-streaming.js";

const module = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

it("gives the module of what came, and none of what began anew", async () => {
  const whole = compileWhileItComes();
  whole?.write(module.subarray(0, 4), 4);
  whole?.write(module.subarray(4), 8);
  expect(await whole?.module(8)).toBeInstanceOf(WebAssembly.Module);
  const anew = compileWhileItComes();
  anew?.write(module.subarray(0, 4), 4);
  anew?.write(module, 8);
  expect(await anew?.module(8)).toBeUndefined();
});

it("ends what was cancelled: the engine waits for no more of it", async () => {
  const given = compileWhileItComes();
  given?.write(module.subarray(0, 4), 4);
  given?.cancel();
  given?.write(module.subarray(4), 8);
  given?.cancel();
});
