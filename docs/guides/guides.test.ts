import { execFile } from "node:child_process";
import { copyFile, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseManifest } from "@pare/runtime/format";
import ts from "typescript";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
// Below the repository, so that packages are found by walking up; git ignores the folder.
const place = join(root, ".cache/guides");

/** The fenced blocks of a guide in one language. */
async function blocks(guide: string, language: string): Promise<string[]> {
  const text = await readFile(new URL(`${guide}.md`, import.meta.url), "utf8");
  const fences = text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm"));
  return [...fences].map(([, code = ""]) => code);
}

async function block(guide: string, language: string): Promise<string> {
  const [first] = await blocks(guide, language);
  if (first === undefined) throw new Error(`${guide}.md has no ${language} block`);
  return first;
}

async function runAll(
  program: string,
  ...args: string[]
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const env = { ...process.env, XDG_CACHE_HOME: join(place, "cache") };
  return promisify(execFile)(program, args, { cwd: place, env });
}

const run = async (program: string, ...args: string[]): Promise<string> =>
  (await runAll(program, ...args)).stdout;

const node = (...args: string[]): Promise<string> => run(process.execPath, ...args);

/** Runs what a reader would paste, in order, and gives what each printed. Only `npx pare` is understood. */
async function runCommands(guide: string): Promise<string[]> {
  return (await runAloud(guide)).map(({ stdout }) => stdout);
}

async function runAloud(guide: string): Promise<Awaited<ReturnType<typeof runAll>>[]> {
  const said: Awaited<ReturnType<typeof runAll>>[] = [];
  for (const line of (await blocks(guide, "sh")).join("").trim().split("\n")) {
    const [npx, name, ...args] = line.split(" ");
    expect([npx, name]).toEqual(["npx", "pare"]);
    said.push(await runAll(process.execPath, join(root, "cli/bin/pare.js"), ...args));
  }
  return said;
}

/** Lines with other figures in them are the same: processors differ. */
function wordsOf(text: string): string[] {
  return text
    .trim()
    .replace(/[\d.]*\d( k)?/g, "#")
    .split("\n");
}

async function variantHashes(bundle: string): Promise<string[]> {
  const text = await readFile(join(place, bundle, "manifest.json"), "utf8");
  return parseManifest(JSON.parse(text)).variants.flatMap(({ files }) =>
    files.map(({ sha256 }) => sha256),
  );
}

beforeAll(async () => {
  await rm(place, { recursive: true, force: true });
  await mkdir(place, { recursive: true });
  for (const part of ["fixtures", "docs"]) await symlink(join(root, part), join(place, part));
  // The bundle that the first guide makes is what the others use.
  const said = await runCommands("first-model");
  expect(said[0]).toContain("digits.pare");
  expect(said.find((text) => text.includes("logits"))).toBeDefined();
}, 300_000);
afterAll(() => rm(place, { recursive: true, force: true }));

it("your-own-data: writes a module, and the one that is shown yields samples", async () => {
  await runCommands("your-own-data");
  expect(await readFile(join(place, "digits-data.mjs"), "utf8")).toContain("export");
  const shown = join(place, "shown.mjs");
  await writeFile(shown, await block("your-own-data", "js"));
  const { samples } = (await import(shown)) as { samples(): AsyncIterable<unknown> };
  const found: unknown[] = [];
  for await (const sample of samples()) found.push(sample);
  expect(found).toMatchObject([{ feeds: { x: { dims: [1, 1, 28, 28] } }, label: 7 }]);
});

it.each([
  ["teach-a-small-model", /teacher ([\d.]+), student [\d.]+ before and ([\d.]+) \(/],
  ["prune-for-speed", /samples: ([\d.]+) as it came, [\d.]+ cut, ([\d.]+) \(/],
])(
  "%s: prints what it shows, and the small model is nearly as right",
  async (guide, accuracies) => {
    const said = await runAloud(guide);
    const printed = said.flatMap(({ stdout, stderr }) => wordsOf(`${stderr}${stdout}`));
    const shown = (await blocks(guide, "text")).flatMap(wordsOf);
    expect(shown.length).toBeGreaterThan(0);
    expect(printed).toEqual(expect.arrayContaining(shown));
    const text = said.map(({ stdout }) => stdout).join("");
    const [, large, small] = accuracies.exec(text) ?? [];
    expect(Number(small)).toBeGreaterThan(Number(large) - 0.02);
  },
);

it("in-ci: passes an unchanged model, and builds again what was decided", async () => {
  await copyFile(join(root, "fixtures/models/mnist-cnn.onnx"), join(place, "model.onnx"));
  await node(join(root, "bench/proofs/line/support/write-test-npz.mjs"), "test.npz", "60");
  const git = (...args: string[]): Promise<string> =>
    run("git", "-c", "user.name=test", "-c", "user.email=test@example.invalid", ...args);
  await git("init", "-q");
  await git("add", "model.onnx");
  await git("commit", "-qm", "The model");
  await git("commit", "-qm", "Something else", "--allow-empty");
  await writeFile(join(place, "data.mjs"), 'export * from "./fixtures/data/mnist.mjs";\n');
  await copyFile(join(place, "digits.pare/pare.lock.json"), join(place, "pare.lock.json"));
  await runCommands("in-ci");
  expect(await readFile(join(place, "gate.xml"), "utf8")).toContain("<testsuite");
  expect(await variantHashes("guides.pare")).toEqual(await variantHashes("digits.pare"));
});

it("from-a-program: writes a bundle, says how far it is, and fits the types", async () => {
  const code = await block("from-a-program", "js");
  await writeFile(join(place, "from-a-program.mjs"), code);
  const said = (await node("from-a-program.mjs")).trim().split("\n");
  expect(said[0]).toMatch(/^cpu cpu-\S+ \d+ -?[\d.e-]+$/);
  expect(said.at(-1)).toBe("from-a-program.pare keeps every budget");
  expect((await variantHashes("from-a-program.pare")).length).toBe(1);
  const lib = ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"];
  expect(
    await typeProblems("from-a-program", {
      lib,
      types: ["node"],
      typeRoots: [join(root, "node_modules/@types")],
    }),
  ).toEqual([]);
});

it("in-node: reads the seven, as a module and in CommonJS, wherever it is started", async () => {
  await copyFile(join(root, "docs/guides/seven.json"), join(place, "seven.json"));
  for (const code of await blocks("in-node", "js")) {
    const file = /^\/\/ (\S+)\n/.exec(code)?.[1] ?? "";
    await writeFile(join(place, file), code);
    const { stdout } = await promisify(execFile)(process.execPath, [join(place, file)], {
      cwd: tmpdir(),
    });
    const logits = stdout.trim().split(" ").map(Number);
    expect(logits.indexOf(Math.max(...logits))).toBe(7);
  }
  expect(await blocks("in-node", "js")).toHaveLength(2);
});

it("in-a-browser: fits the types of the runtime and of the bundle", async () => {
  const lib = ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts"];
  expect(await typeProblems("in-a-browser", { lib, types: [] })).toEqual([]);
});

/** What the compiler says of a guide's code, as strict as it can be. */
async function typeProblems(guide: string, options: ts.CompilerOptions): Promise<string[]> {
  const file = join(place, `${guide}.mts`);
  await writeFile(file, await block(guide, "js"));
  const program = ts.createProgram([file], {
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    skipDefaultLibCheck: true, // TypeScript's own
    noEmit: true,
    ...options,
  });
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}
