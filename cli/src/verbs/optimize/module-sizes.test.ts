import { findTarget, type Graph, parseGraph, supportOf } from "@pare/compiler";
import { expect, it } from "vitest";
import { sizesOfOne, SizesOfSamples } from "../../data/sizes-seen.js";
import { moduleSizesText, severalSizesText } from "./module-sizes.js";

const pictures = (op = "GlobalAveragePool"): Graph =>
  parseGraph(
    `graph main opset 21 (x: float32[N, 3, H, W]) -> (y) {\n  %1 = ${op}(x) : float32[N, 3, 1, 1]\n  return %1\n}\n`,
  );
const shapes = { x: [1, 3, 48, 320] };

it("names the sizes that would let a module be compiled, and compiles with them", async () => {
  const graph = pictures();
  expect(await moduleSizesText(graph, {}, sizesOfOne(shapes), false)).toBe(
    "aot: --dim H=48 --dim W=320 (as the samples have it) compiles a module, and fixes it on every target. Several values, H=48,96, give the module an entry each and leave it free elsewhere.",
  );
  const given = await supportOf(graph, findTarget("aot"), { H: [48], W: [320] });
  expect(given.obstacles).toEqual([]);
});

it("names only what nobody gave, and says what was guessed", async () => {
  expect(await moduleSizesText(pictures(), { H: [48] }, sizesOfOne(shapes), true)).toMatch(
    /^aot: --dim W=320 \(as was guessed\) compiles/,
  );
});

it("says nothing where all is given, or where sizes would not help", async () => {
  expect(
    await moduleSizesText(pictures(), { H: [48], W: [320] }, sizesOfOne(shapes), false),
  ).toBeNull();
  expect(await moduleSizesText(pictures("Unheard"), {}, sizesOfOne(shapes), false)).toBeNull();
  expect(await moduleSizesText(pictures(), {}, sizesOfOne({}), false)).toBeNull();
});

it("says so where samples have several sizes, and lists them", async () => {
  const sizes = new SizesOfSamples();
  for (const width of [320, 64, 192, 64]) sizes.add({ x: [1, 3, 48, width] });
  expect(await moduleSizesText(pictures(), {}, sizes.seen, false)).toMatch(
    /samples have 3 sizes of W, 64 to 320: pad them .* all of them, --dim W=64,192,320, an entry/,
  );
});

it("says what several sizes come to, and which is measured", () => {
  const sizes = { W: [160, 320] };
  expect(severalSizesText({}, ["cpu", "aot"], shapes)).toBeNull();
  expect(severalSizesText(sizes, ["cpu"], shapes)).toBe(
    "--dim W=160,320: on cpu it stays free, and is measured as x [1, 3, 48, 320].",
  );
  expect(severalSizesText(sizes, ["aot"], shapes)).toBe(
    "--dim W=160,320: the module has an entry for each, and is timed by the first.",
  );
});
