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
