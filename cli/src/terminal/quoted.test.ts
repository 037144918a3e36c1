import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { quoted } from "./quoted.js";

it("leaves a plain word as it is", () => {
  expect(quoted("models/kws-2.onnx")).toBe("models/kws-2.onnx");
  expect(quoted(String.raw`models\kws.onnx`, "win32")).toBe(String.raw`models\kws.onnx`);
  expect(quoted("my model.onnx")).toBe('"my model.onnx"');
});

it
  .skipIf(process.platform === "win32")
  .each([
    "my model.onnx",
    "$HOME/a b.onnx",
    "`id`.onnx",
    String.raw`a\b "c" it's.onnx`,
    "wow!.onnx",
  ])("is read by a shell as it was: %s", (argument) => {
  const read = execFileSync("sh", ["-c", `printf %s ${quoted(argument, "linux")}`]).toString();
  expect(read).toBe(argument);
});
