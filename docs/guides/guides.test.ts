import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { blocks, Reader } from "./guide.test.support.js";

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
