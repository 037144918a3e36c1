import { readFile } from "node:fs/promises";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { onnxArtifact, type Session } from "../format/index.js";
import { cpu } from "./ort-node.js";
import type { Ort } from "./ort.js";
import { createSession } from "./ort-session.js";

it("gives back the engine's session of a model that is none of ours: one that makes a sequence", async () => {
  let released = 0;
  const session = {
    inputMetadata: [],
    outputMetadata: [{ name: "boxes", isTensor: false }],
    release: async () => void (released += 1),
  };
  const ort = { InferenceSession: { create: async () => session } } as unknown as Ort;
  await expect(
    createSession(ort, "an engine", onnxArtifact(new Uint8Array()), {}, {}),
  ).rejects.toMatchObject({ code: "ENGINE", message: '"boxes" is no tensor.' });
  expect(released).toBe(1);
});

it("leaves what it is given as it is, a Buffer too, of which a slice is a view", async () => {
  class Tensor {
    readonly data: Uint8Array;
    readonly dims: readonly number[];
    constructor(_type: string, data: Uint8Array, dims: readonly number[]) {
      this.data = data;
      this.dims = dims;
    }
  }
  const x = { name: "x", isTensor: true, type: "uint8", shape: [2] };
  const ran: number[][] = [];
  const session = {
    inputMetadata: [x],
    outputMetadata: [],
    run: async ({ x: fed }: { x: Tensor }) => {
      ran.push([...fed.data]);
      return {};
    },
  };
  const ort = { Tensor, InferenceSession: { create: async () => session } } as unknown as Ort;
  const { run } = await createSession(ort, "an engine", onnxArtifact(new Uint8Array()), {}, {});
  const [one, two] = [Buffer.of(1, 2), Buffer.of(3, 4)];
  const first = run({ x: { type: "uint8", dims: [2], data: one } });
  one.fill(9);
  await first;
  await run({ x: { type: "uint8", dims: [2], data: two } });
  expect(ran).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect([...one]).toEqual([9, 9]);
});

/** y = 2x + shift, of rows of three. */
async function affine(): Promise<Session> {
  const bytes = await readFile(new URL("../../test-models/affine.onnx", import.meta.url));
  return cpu().load(onnxArtifact(new Uint8Array(bytes)));
}

const shift = { type: "float32", dims: [3], data: Float32Array.of(1, 1, 1) } as const;

it("leaves dims to the caller, who may change them before the run and after", async () => {
  const session = await affine();
  const dims = [1, 3];
  const run = (count: number) => {
    const x = { type: "float32", dims, data: new Float32Array(count) } as const;
    return session.run({ x, shift });
  };
  const first = run(3);
  dims[0] = 2;
  expect((await first)["y"]?.dims).toEqual([1, 3]);
  expect((await run(6))["y"]?.dims).toEqual([2, 3]);
  await session.dispose();
});

it("takes an array of another realm, as an iframe's or a test runner's", async () => {
  const session = await affine();
  const data: Float32Array = runInNewContext("Float32Array.of(1, 2, 3)");
  const { y } = await session.run({ x: { type: "float32", dims: [1, 3], data }, shift });
  expect(y?.data).toEqual(Float32Array.of(3, 5, 7));
  await session.dispose();
});
