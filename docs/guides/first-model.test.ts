import { execFile } from "node:child_process";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { blocks, Reader, root } from "./guide.test.support.js";

// The bundle that the first guide makes, and the guides that use it.

let reader: Reader;
beforeAll(async () => {
  reader = await Reader.start("first-model");
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
  await reader.follow("in-ci");
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
