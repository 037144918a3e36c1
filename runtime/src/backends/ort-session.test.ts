import { expect, it } from "vitest";
import { onnxArtifact } from "../format/index.js";
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
