import { PareError } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { failureDocument, failureText } from "./failure.js";

it("sends who runs a model that fails on its inputs to them", () => {
  const failed = new PareError("ENGINE", "onnxruntime-node failed in a run: out of bounds");
  expect(failureText(failed)).toContain("to do: Look at the inputs");
  expect(failureDocument(failed)).toMatchObject({
    error: { hint: expect.stringContaining("Look at the inputs") },
  });
  const refused = new PareError("ENGINE", "onnxruntime-node refused the model: no kernel");
  expect(failureText(refused)).not.toContain("to do");
});
