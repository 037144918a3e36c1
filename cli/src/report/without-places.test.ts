import { homedir, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, it } from "vitest";
import { withoutPlaces } from "./without-places.js";

it("tells no folder of this machine", () => {
  const told = withoutPlaces({
    reason: `Load of ${join(process.cwd(), "out/m.onnx")} failed: ${join(tmpdir(), "pare-1/x.bin")}`,
    at: [`file://${join(homedir(), "models/m.onnx")}:3`, process.cwd(), 4, null],
    maxError: Infinity,
  });
  expect(told.reason).toBe(`Load of ${join("out", "m.onnx")} failed: ${join("pare-1", "x.bin")}`);
  expect(told.at.slice(1)).toEqual([".", 4, null]);
  expect(JSON.stringify(told)).not.toContain(homedir() === "/" ? "\0" : homedir());
  expect(told.maxError).toBe(Infinity);
});

it("leaves what only looks like a folder, such as the nodes that exporters name by paths", () => {
  for (const text of ["/features/0/Conv", `a${tmpdir()}/b`]) expect(withoutPlaces(text)).toBe(text);
  // What is beside the current folder may itself lie in one that is not told.
  const beside = `${process.cwd()}-other/m.onnx`;
  expect(beside.endsWith(withoutPlaces(beside).replace(/^~/, ""))).toBe(true);
  expect(withoutPlaces(beside)).toContain(`${basename(process.cwd())}-other/m.onnx`);
});

it("leaves the name of a node that begins like a folder of this machine", () => {
  const node = join(process.cwd(), "conv/Conv");
  const reason = `${node} is left`;
  expect(withoutPlaces({ why: [{ node, reason }] })).toEqual({
    why: [{ node, reason: `${join("conv", "Conv")} is left` }],
  });
});
