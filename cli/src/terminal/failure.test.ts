import { PareError } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { asPareError, exitCodeOf, failureDocument, failureText } from "./failure.js";

it("sends who runs a model that fails on its inputs to them", () => {
  const failed = new PareError("ENGINE", "onnxruntime-node failed in a run: out of bounds");
  expect(failureText(failed)).toContain("to do: Look at the inputs");
  expect(failureDocument(failed)).toMatchObject({
    error: { hint: expect.stringContaining("Look at the inputs") },
  });
  const refused = new PareError("ENGINE", "onnxruntime-node refused the model: no kernel");
  expect(failureText(refused)).not.toContain("to do");
});

it("says how to get a locale that a model's texts want", () => {
  const refused =
    "onnxruntime-node refused the model: Failed to construct locale with name:en_US.UTF-8:locale::facet: not valid";
  const text = failureText(new PareError("ENGINE", refused));
  expect(text).toContain("wants the locale en_US.UTF-8, which this machine lacks");
});

const system = (code: string, more: object = {}): Error =>
  Object.assign(new Error(`${code}: of the system`), { code, ...more });

it.each<[string, unknown, string, number, RegExp]>([
  ["an error of Pare's", new PareError("LOCK", "as it is"), "LOCK", 2, /^as it is$/],
  ["what was cancelled", new PareError("ABORTED", "ended"), "ABORTED", 130, /^ended$/],
  ["an engine that crashed", new PareError("ENGINE_CRASHED", "gone"), "ENGINE_CRASHED", 1, /gone/],
  ["a file that is not there", system("ENOENT", { path: "/x" }), "ARGUMENT", 2, /\/x/],
  ["a full disk", system("ENOSPC"), "NO_SPACE", 2, /temporary file/],
  ["memory that there is not", new RangeError("Array buffer allocation failed"), "NO_MEMORY", 2, /not enough memory/],
  ["a bug", new RangeError("Maximum call stack size exceeded"), "INTERNAL", 1, /^Maximum call stack/],
  ["what is no error", "a word", "INTERNAL", 1, /^a word$/],
])("says of %s what it is, and ends as it should", (_, thrown, code, exit, message) => {
  const error = asPareError(thrown);
  expect([error.code, exitCodeOf(error.code)]).toEqual([code, exit]);
  expect(error.message).toMatch(message);
}); // prettier-ignore

it("says of a bug which version it is of, and where it was", () => {
  const text = failureText(asPareError(new TypeError("x is undefined")));
  expect(text).toContain("This is a bug in Pare. Please report it");
  expect(text).toContain(`on Node ${process.version}, ${process.platform}`);
  expect(text).toContain("failure.test.ts");
});
