import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { presets } from "@pare/compiler";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadRecipe } from "./recipe.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-recipe-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const yaml = `
# for phones
name: phones
steps:
  - simplify
  - together:
      - use: quantize-static
        with: &coarse { granularity: tensor, weightBits: 8 }
      - quantize-weights
    required: true
  - use: quantize-dynamic
    with: *coarse
`;
const groups = [
  { steps: [{ use: "simplify" }], required: false },
  {
    steps: [
      { use: "quantize-static", with: { granularity: "tensor", weightBits: 8 } },
      { use: "quantize-weights" },
    ],
    required: true,
  },
  {
    steps: [{ use: "quantize-dynamic", with: { granularity: "tensor", weightBits: 8 } }],
    required: false,
  },
];

describe("loadRecipe", () => {
  it("knows presets by name", async () => {
    expect(await loadRecipe("auto")).toBe(presets.auto);
    await expect(loadRecipe("phones")).rejects.toMatchObject({
      code: "RECIPE",
      hint: expect.stringMatching(/auto, simplify.*\.yaml file/),
    });
  });

  it.each(["r.yaml", "r.yml", "r.YAML"])("reads YAML from %s", async (name) => {
    expect(await loadRecipe(await file(name, yaml))).toEqual({
      name: "phones",
      summary: "",
      propose: false,
      groups,
    });
  });

  it("reads JSON, and names a recipe by its file", async () => {
    const path = await file(
      "for phones.v2.json",
      '\ufeff{ "steps": ["simplify"], "propose": true }',
    );
    const recipe = await loadRecipe(path);
    expect(recipe).toMatchObject({
      name: "for-phones.v2",
      propose: true,
      groups: [groups[0]],
    });
  });

  it.each([
    [
      "wrong.yaml",
      "steps:\n  - simplify\n  - use: fp16\n    with:\n      keepFlaot: []\n",
      5,
      /keepFlaot/,
    ],
    [
      "value.yaml",
      "steps:\n  - use: quantize-static\n    with:\n      ranges: mean\n",
      4,
      /ranges is "mean"/,
    ],
    ["item.yaml", "steps:\n- simplify\n- fp15\n", 3, /steps\[1\] is "fp15"/],
    [
      "nested.yml",
      "steps:\n- together:\n  - simplify\n  - together: [simplify]\n",
      4,
      /group inside/,
    ],
    [
      "alias.yml",
      "steps:\n- use: fp16\n  with: &w\n    half: 1\n- use: fp16\n  with: *w\n",
      4,
      /half/,
    ],
    [
      "elsewhere.yml",
      "steps:\n- use: quantize-static\n  with: &w\n    ranges: mse\n- use: fp16\n  with: *w\n",
      6,
      /steps\[1\]\.with\.ranges is not an option/,
    ],
    ["missing.yaml", "# nothing\nname: x\n", 2, /steps is missing/],
    [
      "wrong.json",
      '{"steps": [\n"simplify",\n{"use": "fp16",\n "with": {"keep": 1}}]}',
      4,
      /with\.keep/,
    ],
    ["syntax.yaml", "steps:\n\t- simplify\n", 2, /not YAML: Tabs/],
    ["twice.yaml", "steps: []\nname: x\nsteps: []\n", 3, /steps twice/],
    ["two.yaml", "steps: []\n---\nsteps: []\n", 2, /one document/],
    ["tag.yaml", "steps:\n  - !!js/function simplify\n", 2, /not plain data/],
    ["own-tag.yaml", "steps: !mine []\n", 1, /not plain data/],
    ["syntax.json", "{\n", null, /not JSON/],
    ["comment.json", "{} // no", null, /not JSON/],
    ["cycle.yaml", "steps: &a [*a]\n", 1, /steps\[0\] is no step/],
    ["laughs.yaml", laughs(), null, /cannot be unfolded/],
    ["deep.yaml", `steps: ${"[".repeat(5000)}${"]".repeat(5000)}`, null, /64 levels/],
    ["deep-lines.yaml", "- ".repeat(5000), null, /64 levels/],
    ["large.json", " ".repeat(1_000_001), null, /larger than 1000 kB/],
    ["large.yaml", `# ${"x".repeat(100_000)}`, null, /larger than 100 kB/],
    ["binary.yaml", Uint8Array.of(0xff, 0xfe, 0x41), null, /not text in UTF-8/],
    ["proto.json", '{"__proto__": {"steps": []}, "steps": []}', 1, /__proto__ is not a field/],
    ["proto.yaml", "__proto__: { steps: [] }\nsteps: []\n", 1, /__proto__ is not a field/],
  ])("refuses %s, saying where", async (name, content, line, message) => {
    const path = await file(name, content);
    const place = line === null ? path : `${path}, line ${line}`;
    await expect(loadRecipe(path)).rejects.toMatchObject({
      code: "RECIPE",
      message: expect.stringMatching(message),
      where: expect.stringMatching(line === null ? /(json|ya?ml)$/ : /./),
    });
    await expect(loadRecipe(path)).rejects.toThrow(`${place}${line === null ? " " : ""}`);
  });

  it("says which file is not there", async () => {
    await expect(loadRecipe(join(folder, "absent.yaml"))).rejects.toMatchObject({
      code: "RECIPE",
      message: expect.stringContaining("absent.yaml"),
    });
  });

  it("gets through nine thousand names", async () => {
    const names = Array.from({ length: 9_000 }, (_, index) => `k${index}: 1`).join("\n");
    await expect(loadRecipe(await file("names.yaml", names))).rejects.toThrow(/k0 is not a field/);
  });
});

/** Ten times ten times ten: small in the file, large when it is unfolded. */
function laughs(): string {
  const levels = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
  for (const [from, to] of ["ab", "bc", "cd"].map((pair) => pair.split("")))
    levels.push(`${to}: &${to} [${Array(10).fill(`*${from}`).join(", ")}]`);
  return `${levels.join("\n")}\nsteps: []\n`;
}
