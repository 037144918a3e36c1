import { execFile } from "node:child_process";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { block, blocks, Reader, root } from "./guide.test.support.js";

// The bundle that the first guide makes, and the guides that use it, or ask again what was measured for it.

let reader: Reader;
beforeAll(async () => {
  reader = await Reader.start("first-model");
  await reader.thinOut(4, "mnist.mjs");
  const said = (await reader.follow("first-model")).map(({ stdout }) => stdout);
  expect(said[0]).toContain("digits.pare");
  expect(said.find((text) => text.includes("logits"))).toBeDefined();
}, 300_000);
afterAll(() => reader.leave());

it("in-ci: passes an unchanged model, and builds again what was decided", async () => {
  const { place } = reader;
  await copyFile(join(root, "fixtures/models/mnist-cnn.onnx"), join(place, "model.onnx"));
  await reader.node(join(root, "bench/proofs/line/support/write-test-npz.mjs"), "test.npz", "60");
  const git = (...args: string[]) =>
    reader.run("git", "-c", "user.name=test", "-c", "user.email=test@example.invalid", ...args);
  await git("init", "-q");
  await git("add", "model.onnx");
  await git("commit", "-qm", "The model");
  await git("commit", "-qm", "Something else", "--allow-empty");
  await writeFile(join(place, "data.mjs"), 'export * from "./fixtures/data/mnist.mjs";\n');
  await copyFile(join(place, "digits.pare/pare.lock.json"), join(place, "pare.lock.json"));
  // A machine that only builds has no browser.
  await reader.follow("in-ci", { PARE_CHROMIUM: "none" });
  expect(await readFile(join(place, "gate.xml"), "utf8")).toContain("<testsuite");
  expect(await reader.variantHashes("first-model.pare")).toEqual(
    await reader.variantHashes("digits.pare"),
  );
});

it("in-node: reads the seven, as a module and in CommonJS, wherever it is started", async () => {
  const { place } = reader;
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
  expect(await reader.typeProblems("in-a-browser", { lib, types: [] })).toEqual([]);
});

it("from-a-program: writes a bundle, says how far it is, and fits the types", async () => {
  const code = await block("from-a-program", "js");
  await writeFile(join(reader.place, "from-a-program.mjs"), code);
  const said = (await reader.node("from-a-program.mjs")).trim().split("\n");
  expect(said[0]).toMatch(/^cpu cpu-\S+ \d+ -?[\d.e-]+$/);
  expect(said.at(-1)).toBe("from-a-program.pare keeps every budget");
  expect((await reader.variantHashes("from-a-program.pare")).length).toBe(1);
  const lib = ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"];
  expect(
    await reader.typeProblems("from-a-program", {
      lib,
      types: ["node"],
      typeRoots: [join(root, "node_modules/@types")],
    }),
  ).toEqual([]);
});
