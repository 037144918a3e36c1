import { onnxArtifact } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { SharedFiles } from "./shared-files.js";

it("gives equal files the same bytes, whatever they are part of", async () => {
  const shared = new SharedFiles();
  const one = await shared.share(onnxArtifact(Uint8Array.of(1, 2, 3)));
  const weights = { name: "weights", bytes: Uint8Array.of(1, 2, 3) };
  const [model] = onnxArtifact(Uint8Array.of(4)).files;
  const other = await shared.share({ ...onnxArtifact(model.bytes), files: [model, weights] });
  expect(other.files.map(({ name }) => name)).toEqual(["model.onnx", "weights"]);
  expect(other.files[0].bytes).toBe(model.bytes);
  expect(other.files[1]?.bytes).toBe(one.files[0].bytes);
});
