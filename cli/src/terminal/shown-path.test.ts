import { resolve } from "node:path";
import { expect, it } from "vitest";
import { shownArgument, shownPath } from "./shown-path.js";

it("tells a path from the current folder, and of what lies outside only its last part", () => {
  expect(shownPath(resolve("a/b.onnx"))).toBe("a/b.onnx");
  expect(shownPath(process.cwd())).toBe(".");
  expect(shownPath(resolve("..", "elsewhere", "m.onnx"))).toBe("m.onnx");
  expect(shownPath("../m.onnx")).toBe("../m.onnx");
  expect(shownPath(resolve("..more.onnx"))).toBe("..more.onnx");
  expect(shownArgument(`html=${resolve("r.html")},md=${resolve("/elsewhere/r.md")}`)).toBe(
    "html=r.html,md=r.md",
  );
});
