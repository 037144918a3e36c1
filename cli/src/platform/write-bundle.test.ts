import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { checkBundlePlace, folderSink, whileWriting } from "./write-bundle.js";

let place: string;
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "pare-sink-"));
});
afterEach(() => rm(place, { recursive: true, force: true }));

function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

/** Variants are named by their content; here, by a digit of a hash. */
const hashed = (digit: string): string => `variants/${digit.repeat(64)}.onnx`;
const saying = (version: string): string => JSON.stringify({ formatVersion: 2, version });

function bundle(version: string, ...variants: string[]): Map<string, Uint8Array> {
  return new Map([
    ...variants.map((digit) => [hashed(digit), text(digit)] as const),
    ["package.json", text(version)],
    ["golden.json", text(saying(version))],
    ["manifest.json", text(saying(version))],
  ]);
}

async function listing(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).filter((name) => name !== "variants").sort();
}

it("writes a bundle where nothing was, and folders above it", async () => {
  const folder = join(place, "a", "b.pare");
  await folderSink(folder).write(bundle("1", "a", "b"));
  expect(await listing(folder)).toEqual([
    "golden.json",
    "manifest.json",
    "package.json",
    hashed("a"),
    hashed("b"),
  ]);
});

it("replaces a bundle, repairs a damaged variant, and removes variants that are no more", async () => {
  await folderSink(place).write(bundle("1", "a", "b"));
  await writeFile(join(place, hashed("b")), "B");
  await folderSink(place).write(bundle("2", "b", "c"));
  expect(await listing(place)).toEqual([
    "golden.json",
    "manifest.json",
    "package.json",
    hashed("b"),
    hashed("c"),
  ]);
  expect(await readFile(join(place, "manifest.json"), "utf8")).toBe(saying("2"));
  expect(await readFile(join(place, hashed("b")), "utf8")).toBe("b");
});

it("leaves the old bundle whole when a write fails", async () => {
  await folderSink(place).write(bundle("1", "a"));
  const before = await listing(place);
  const impossible = new Map([
    ...bundle("2", "c"),
    ["no-such-folder/file", new Uint8Array(1)] as const,
  ]);
  await expect(folderSink(place).write(impossible)).rejects.toMatchObject({ name: "PareError" });
  expect(await readFile(join(place, "manifest.json"), "utf8")).toBe(saying("1"));
  expect(await readFile(join(place, "golden.json"), "utf8")).toBe(saying("1"));
  expect((await listing(place)).filter((name) => !name.startsWith("variants/"))).toEqual(
    before.filter((name) => !name.startsWith("variants/")),
  );
});

it("keeps what the old manifest names until the new one is there", async () => {
  const golden = (digit: string): string => `golden-${digit.repeat(64)}.json`;
  const named = (version: string): Map<string, Uint8Array> =>
    new Map([[golden(version), text(version)], ...bundle(version, version)]);
  await folderSink(place).write(named("1"));
  // The manifest cannot be replaced.
  await rm(join(place, "manifest.json"));
  await mkdir(join(place, "manifest.json", "in-the-way"), { recursive: true });
  await expect(folderSink(place).write(named("2"))).rejects.toMatchObject({ name: "PareError" });
  expect(await readFile(join(place, golden("1")), "utf8")).toBe("1");
  expect(await readFile(join(place, hashed("1")), "utf8")).toBe("1");
  await rm(join(place, "manifest.json"), { recursive: true });
  await folderSink(place).write(named("2"));
  expect(await listing(place)).toEqual([
    golden("2"),
    "golden.json",
    "manifest.json",
    "package.json",
    hashed("2"),
  ]);
});

it("lets one write at a time, and says who does", async () => {
  const folder = join(place, "a", "b.pare");
  await whileWriting(folder, async () => {
    await expect(whileWriting(folder, async () => {})).rejects.toMatchObject({
      code: "BUSY",
      message: expect.stringContaining(`Process ${process.pid} on`),
    });
    await whileWriting(join(place, "a", "c.pare"), async () => {});
  });
  await whileWriting(folder, async () => {});
  await expect(whileWriting(folder, () => Promise.reject(new Error("failed")))).rejects.toThrow(
    "failed",
  );
  expect(await readdir(join(place, "a"))).toEqual([]);
});

it("removes what an interrupted write left", async () => {
  await folderSink(place).write(bundle("1", "a"));
  await writeFile(join(place, ".manifest.json.pare-tmp"), "half");
  await writeFile(join(place, "variants", ".x.onnx.pare-tmp"), "half");
  await folderSink(place).write(bundle("1", "a"));
  expect(await listing(place)).toEqual([
    "golden.json",
    "manifest.json",
    "package.json",
    hashed("a"),
  ]);
});

it("never writes over a package that is not a bundle", async () => {
  await writeFile(join(place, "package.json"), "mine");
  await expect(folderSink(place).write(bundle("1"))).rejects.toMatchObject({ code: "ARGUMENT" });
  expect(await readFile(join(place, "package.json"), "utf8")).toBe("mine");
});

it("says that the place is a file", async () => {
  const file = join(place, "file");
  await writeFile(file, "");
  await expect(folderSink(file).write(bundle("1"))).rejects.toMatchObject({
    code: "ARGUMENT",
    where: file,
  });
  await expect(checkBundlePlace(join(place, "x".repeat(300)))).rejects.toMatchObject({
    code: "ARGUMENT",
  });
  await mkdir(join(place, "dir"));
  await expect(folderSink(join(file, "below")).write(bundle("1"))).rejects.toMatchObject({
    code: "ARGUMENT",
  });
});

it("is asked beforehand whether a bundle can go somewhere", async () => {
  await expect(checkBundlePlace(join(place, "a", "b.pare"))).resolves.toBeUndefined();
  await folderSink(place).write(bundle("1", "a"));
  await expect(checkBundlePlace(place)).resolves.toBeUndefined();
  await expect(checkBundlePlace(join(place, "golden.json"))).rejects.toMatchObject({
    code: "ARGUMENT",
  });
  await expect(checkBundlePlace(join(place, "golden.json", "x"))).rejects.toMatchObject({
    code: "ARGUMENT",
  });
});

it("never mixes a bundle with what somebody else keeps in a folder", async () => {
  await mkdir(join(place, "variants"));
  await writeFile(join(place, "variants", "mine.txt"), "mine");
  await writeFile(join(place, "index.js"), "mine");
  await expect(checkBundlePlace(place)).rejects.toThrow(/no bundle: index\.js/);
  await expect(folderSink(place).write(bundle("1"))).rejects.toMatchObject({ code: "ARGUMENT" });
  expect(await readFile(join(place, "variants", "mine.txt"), "utf8")).toBe("mine");
});

it("never takes for a bundle's what lies in a folder of that name, or files of those names", async () => {
  const variants = join(place, "variants");
  await mkdir(variants);
  await writeFile(join(variants, "model.onnx"), "mine");
  await expect(checkBundlePlace(place)).rejects.toThrow(/no bundle: variants\/model\.onnx/);
  await expect(folderSink(place).write(bundle("1"))).rejects.toMatchObject({ code: "ARGUMENT" });
  await writeFile(join(place, "golden.json"), '{"of": "my tests"}');
  await expect(folderSink(place).write(bundle("1"))).rejects.toMatchObject({ code: "ARGUMENT" });
  await writeFile(join(place, "golden.json"), saying("1"));
  await folderSink(place).write(bundle("2", "a"));
  expect(await readFile(join(variants, "model.onnx"), "utf8")).toBe("mine");
});

it("removes loaders of modules that are no more", async () => {
  const loaders = ["aot-loader.js", "aot-loader.d.ts", "aot-workerd.js", "aot-workerd.d.ts"];
  const files = bundle("1", "a");
  for (const name of loaders) files.set(name, text("loads a"));
  await folderSink(place).write(files);
  expect(await listing(place)).toEqual(expect.arrayContaining(loaders));
  await folderSink(place).write(bundle("2", "b"));
  expect((await listing(place)).filter((name) => name.startsWith("aot"))).toEqual([]);
});

it("leaves no folder of its own when the first write fails", async () => {
  const folder = join(place, "new.pare");
  const impossible = new Map([
    ...bundle("1", "a"),
    ["no-such-folder/file", new Uint8Array(1)] as const,
  ]);
  await expect(folderSink(folder).write(impossible)).rejects.toMatchObject({ name: "PareError" });
  expect(await readdir(place)).toEqual([]);
});
