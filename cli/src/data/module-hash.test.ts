import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hashModule } from "./module-hash.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-hash-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}
const hash = (name = "data.mjs") => hashModule(join(folder, name));

/** Whether the hash becomes another when one file does, and the old one when it is as before. */
async function covers(name: string, content: string): Promise<boolean> {
  const before = await hash();
  expect(before.gaps).toEqual([]);
  const path = join(folder, name);
  const old = await readFile(path).catch(() => null);
  await write({ [name]: content });
  const after = await hash();
  await (old === null ? rm(path) : writeFile(path, old));
  expect(await hash()).toEqual(before);
  return after.sha256 !== before.sha256;
}

describe("a module's hash", () => {
  it("changes with the module and with what it refers to in any way, and with nothing else", async () => {
    await write({
      "data.mjs": `
        import { a } from "./a.js";
        export * from "./lib/b.mjs";
        const require = createRequire(import.meta.url);
        const c = require("./c"), classes = require("./classes.json");
        const d = await import("./d.js?fresh");
        const text = readFileSync(new URL("./labels.txt", import.meta.url), "utf8");
        const folder = new URL("./", import.meta.url), page = new URL("https://example.com/x", import.meta.url);
        import { readFileSync } from "node:fs"; import "path"; import "data:text/javascript,1";`,
      "a.js": `export const a = 1;`,
      "lib/b.mjs": `import "../a.js"; import "./deep.js";`,
      "lib/deep.js": `export default 1;`,
      "c/index.js": `module.exports = require("./inner")`,
      "c/inner.cjs": "unused",
      "c/inner.js": `with (a) b()`,
      "classes.json": `["cat"]`,
      "d.js": ``,
      "labels.txt": "cat\ndog\n",
      "other.js": "export default 1;",
    });
    for (const name of [
      "data.mjs",
      "a.js",
      "lib/b.mjs",
      "lib/deep.js",
      "c/index.js",
      "c/inner.js",
      "classes.json",
      "d.js",
      "labels.txt",
    ])
      expect(await covers(name, "0"), name).toBe(true);
    for (const name of ["other.js", "c/inner.cjs", "new.js", "c.mjs"])
      expect(await covers(name, "0"), name).toBe(false);
  });

  it("changes when a file appears in the place of one that was missing", async () => {
    await write({ "data.mjs": `try { await import("./own.mjs") } catch {} require("gone")` });
    expect(await covers("own.mjs", "")).toBe(true);
    const before = await hash();
    await write({ "node_modules/gone/package.json": `{ "version": "1.0.0" }` });
    expect((await hash()).sha256).not.toBe(before.sha256);
  });

  it("changes with which of its files it is that is named", async () => {
    await write({
      "data.mjs": `import "./a.js"; import "./b.js"; import "./c.js"`,
      "a.js": "1",
      "b.js": "2",
    });
    const hashes = [];
    for (const name of ["a.js", "b.js"]) {
      await symlink(join(folder, name), join(folder, "c.js"));
      hashes.push((await hash()).sha256);
      await rm(join(folder, "c.js"));
    }
    expect(hashes[0]).not.toBe(hashes[1]);
  });

  it("is the same wherever the files lie", async () => {
    await write({ "here/data.mjs": `import "./a.js"`, "here/a.js": `import "absent"` });
    const here = await hash("here/data.mjs");
    await cp(join(folder, "here"), join(folder, "there/more"), { recursive: true });
    await rename(join(folder, "here"), join(folder, "elsewhere"));
    expect(await hash("there/more/data.mjs")).toEqual(here);
    expect(await hash("elsewhere/data.mjs")).toEqual(here);
  });

  it("ends where imports go in a circle", async () => {
    await write({
      "data.mjs": `import "./a.js"; import "./data.mjs"`,
      "a.js": `import "./b.js"`,
      "b.js": `import "./a.js"; import "./data.mjs"`,
    });
    expect(await covers("b.js", `import "./a.js"; import "./data.mjs"; 1`)).toBe(true);
  });

  it("takes installed packages by name and version, whatever their exports allow", async () => {
    const manifest = (version: string) =>
      JSON.stringify({ name: "p", version, exports: { import: "./index.js" } });
    await write({
      "data.mjs": `import "p/sub"; import "@s/q"`,
      "node_modules/p/package.json": manifest("1.0.0"),
      "node_modules/p/index.js": "1",
      "node_modules/@s/q/package.json": `{ "version": "1.0.0" }`,
    });
    expect(await covers("node_modules/p/index.js", "2")).toBe(false);
    expect(await covers("node_modules/p/package.json", manifest("1.0.1"))).toBe(true);
    expect(await covers("node_modules/@s/q/package.json", `{ "version": "2.0.0" }`)).toBe(true);
  });

  it("looks into packages that are the user's own", async () => {
    await write({
      "package.json": `{ "name": "own", "exports": "./own.js", "imports": { "#i": "./i.js" } }`,
      "data.mjs": `import "w"; import "#i"; import "own"`,
      "packages/w/package.json": `{ "name": "w", "version": "1.0.0", "main": "./main.js" }`,
      "packages/w/main.js": `require("./more")`,
      "packages/w/more.js": "",
      "i.js": "",
      "own.js": "",
    });
    await mkdir(join(folder, "node_modules"));
    await symlink(join(folder, "packages/w"), join(folder, "node_modules/w"), "junction");
    for (const name of ["packages/w/more.js", "i.js", "own.js"])
      expect(await covers(name, "0"), name).toBe(true);
  });
});

describe("what a module's hash may miss", () => {
  const gaps = async (source: string) => {
    await write({ "data.mjs": source });
    return (await hash()).gaps;
  };

  it("is said", async () => {
    await write({
      "types.ts": "export const a: number = 1",
      "node_modules/w/package.json": `{ "exports": { "import": "./w.js" } }`,
    });
    expect(await gaps(`import(name)`)).toEqual([
      expect.stringMatching(/data\.mjs imports what it computes\.$/),
    ]);
    expect(await gaps(`import "./types.ts"`)).toEqual([
      expect.stringMatching(/types\.ts cannot be read as JavaScript\.$/),
    ]);
    expect(await gaps(`import "w"`)).toEqual([
      expect.stringMatching(/data\.mjs imports "w", whose file is not known\.$/),
    ]);
    expect(await gaps(`import "#w"`)).toHaveLength(1);
    expect(await gaps(`import "absent"; import "./absent.js"`)).toEqual([]);
  });

  it.each([
    { import: "./w.mjs", require: "./w.cjs" },
    { node: [{ require: "./w.cjs" }], default: "./w.mjs" },
  ])("is what import gives where require is given another file", async (file) => {
    const manifest = { name: "own", exports: { ".": file }, imports: { "#w": file } };
    await write({
      "package.json": JSON.stringify(manifest),
      "node_modules/w/package.json": JSON.stringify({ exports: file }),
      "node_modules/w/w.cjs": "",
      "w.cjs": "",
    });
    for (const name of ["w", "#w", "own"]) {
      expect(await gaps(`export * from "${name}"`)).toEqual([
        expect.stringContaining(`data.mjs imports "${name}", whose file is not known.`),
      ]);
      expect(await gaps(`require("${name}")`), name).toEqual([]);
    }
    expect(await gaps(`import "absent"`)).toEqual([]);
  });

  it("is what lies beyond the limits, and the work ends there", async () => {
    const count = 50;
    const chain = Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`${index}.js`, `import "./${index + 1}.js"`]),
    );
    await write({ ...chain, [`${count}.js`]: "", "data.mjs": `import "./0.js"` });
    const entry = join(folder, "data.mjs");
    expect((await hashModule(entry, { mostFiles: count + 2 })).gaps).toEqual([]);
    expect((await hashModule(entry, { mostFiles: count + 1 })).gaps).toEqual([
      `It refers to more than ${count + 1} files.`,
    ]);
    expect((await hashModule(entry, { mostBytes: 30 })).gaps).toEqual([
      expect.stringMatching(/1\.js is too large/),
    ]);
  });

  it("is no reason to fail, but a missing module is", async () => {
    await expect(hash("absent.mjs")).rejects.toMatchObject({ code: "DATA_NOT_FOUND" });
    await expect(hash(".")).rejects.toMatchObject({ code: "DATA_NOT_FOUND" });
  });
});
