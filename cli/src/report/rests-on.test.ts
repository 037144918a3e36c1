import { expect, it } from "vitest";
import { restsOn } from "./rests-on.js";

const seven = [{ steps: [{ with: { granularity: "channel" } }, {}] }];
const eight = [{ steps: [{ with: { reduceRange: false } }] }];

it("says of an integer file for the CPU engine which processors it was timed for", () => {
  const file = { target: "cpu", precision: "int8", groups: seven } as const;
  expect(restsOn(file, false)).toMatch(/x64 with VNNI, arm64.*slower.*seven bits/);
  expect(restsOn(file, true)).toMatch(/x64 without VNNI.*seven bits/);
  expect(restsOn({ ...file, groups: eight }, false)).toMatch(/all 8 bits.*refuses it there/);
});

it("says nothing where processors are alike, or nothing is known", () => {
  const file = { target: "cpu", precision: "int8", groups: seven } as const;
  expect(restsOn(file, null)).toBeNull();
  expect(restsOn({ ...file, target: "wasm" }, false)).toBeNull();
  expect(restsOn({ ...file, precision: "int8-weights" }, false)).toBeNull();
});
