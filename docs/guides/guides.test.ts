import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  graphModel,
  someStripes,
  stripes,
  writeModel,
} from "../../cli/src/stripes.test.support.js";
import { block, blocks, Reader, root } from "./guide.test.support.js";

// Guides that need none of another's files.

let reader: Reader;
beforeAll(async () => {
  reader = await Reader.start("guides");
  // What is shown was said of all digits.
  await reader.thinOut(4, "mnist-training.mjs");
});
afterAll(() => reader.leave());

/** Lines with other figures in them are the same: processors differ. */
function wordsOf(text: string): string[] {
  return text
    .trim()
    .replace(/[\d.]*\d( k)?/g, "#")
    .split("\n");
}

it("your-own-data: writes a module, and the one that is shown yields samples", async () => {
  await reader.follow("your-own-data");
  expect(await readFile(join(reader.place, "digits-data.mjs"), "utf8")).toContain("export");
  const shown = join(reader.place, "shown.mjs");
  const [module = "", ofSequences = ""] = await blocks("your-own-data", "js");
  await writeFile(shown, module);
  const { samples } = (await import(shown)) as { samples(): AsyncIterable<unknown> };
  const found: unknown[] = [];
  for await (const sample of samples()) found.push(sample);
  expect(found).toMatchObject([{ feeds: { x: { dims: [1, 1, 28, 28] } }, label: 7 }]);
  const other = join(reader.place, "sequences.mjs");
  await writeFile(other, ofSequences);
  expect(await import(other)).toMatchObject({
    state: { stateN: "state" },
    samples: [{ steps: [{ label: 0 }, { label: 1 }] }],
  });
});

it.each([
  ["teach-a-small-model", /teacher ([\d.]+), student [\d.]+ before and ([\d.]+) \(/],
  ["prune-for-speed", /samples: ([\d.]+) as it came, [\d.]+ cut, ([\d.]+) \(/],
])(
  "%s: prints what it shows, and the small model is nearly as right",
  async (guide, accuracies) => {
    const said = await reader.follow(guide);
    const printed = said.flatMap(({ stdout, stderr }) => wordsOf(`${stderr}${stdout}`));
    const shown = (await blocks(guide, "text")).flatMap(wordsOf);
    expect(shown.length).toBeGreaterThan(0);
    expect(printed).toEqual(expect.arrayContaining(shown));
    const text = said.map(({ stdout }) => stdout).join("");
    const [, large, small] = accuracies.exec(text) ?? [];
    expect(Number(small)).toBeGreaterThan(Number(large) - 0.02);
  },
);

it("from-tensorflow-js: a model.json becomes a bundle, and an ONNX file", async () => {
  await writeModel(join(reader.place, "my-model"), graphModel);
  await writeFile(join(reader.place, "samples.jsonl"), someStripes(60));
  await reader.follow("from-tensorflow-js", { PARE_CHROMIUM: "none" });
  const code = await block("from-tensorflow-js", "js");
  const data = `const data = Float32Array.from(${JSON.stringify(stripes(1).x)}.flat(2));`;
  const printed = "console.log(JSON.stringify([...scores.data]));";
  await writeFile(join(reader.place, "stripes.mjs"), `${data}\n${code}\n${printed}\n`);
  const [lying, standing] = JSON.parse(await reader.node("stripes.mjs"));
  expect(standing).toBeGreaterThan(lying);
  expect(await readFile(join(reader.place, "my-model.onnx"))).not.toHaveLength(0);
});

it("from-the-python-quantizer: its three files and a recipe of its passes run", async () => {
  const { place } = reader;
  await copyFile(join(root, "fixtures/models/mnist-cnn.onnx"), join(place, "my-model.onnx"));
  const row = (at: number) => Array.from({ length: 28 }, (_, x) => ((x * at) % 9) / 8);
  const sample = (at: number) => JSON.stringify({ x: [Array.from({ length: 28 }, () => row(at))] });
  await writeFile(join(place, "samples.jsonl"), [1, 2, 3, 4].map(sample).join("\n"));
  const said = await reader.follow("from-the-python-quantizer");
  expect(said.map(({ stdout }) => stdout)).toEqual(
    ["dynamic", "weights", "static"].map((mode) =>
      expect.stringMatching(new RegExp(`^Wrote my-model\\.${mode}\\.onnx: .*; runs on `)),
    ),
  );
  const recipe = await block("from-the-python-quantizer", "yaml");
  await writeFile(join(place, "recipe.yaml"), recipe);
  const how = ["--recipe", "recipe.yaml", "--data", "samples.jsonl", "-o", "by-recipe.onnx"];
  const pare = join(root, "cli/bin/pare.js");
  expect(await reader.node(pare, "quantize", "my-model.onnx", ...how)).toMatch(/runs on /);
});
