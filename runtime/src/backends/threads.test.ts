import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { onnxArtifact } from "../format/index.js";
import { wasm } from "./ort-web.js";

// The engine starts once per process and keeps its threads, so these cases have a file, and a process, of their own.
const model = onnxArtifact(
  new Uint8Array(await readFile(new URL("../../test-models/affine.onnx", import.meta.url))),
);

it("runs with two threads in Node, and refuses to change them", async () => {
  const session = await wasm({ threads: 2 }).load(model);
  const x = { type: "float32", dims: [1, 3], data: Float32Array.of(1, 2, 3) } as const;
  const { y } = await session.run({ x, shift: Float32Array.of(1, 1, 1) });
  expect(y?.data).toEqual(Float32Array.of(3, 5, 7));
  await session.dispose();

  await (await wasm().load(model)).dispose();
  await expect(wasm({ threads: 1 }).load(model)).rejects.toMatchObject({
    code: "ENGINE_THREADS",
    message: expect.stringContaining("already runs with 2 thread(s)"),
  });
});
