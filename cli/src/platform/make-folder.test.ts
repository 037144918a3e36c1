import { existsSync } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeFolder } from "./make-folder.js";

let place: string;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "pare-folder-"));
});
afterAll(() => rm(place, { recursive: true, force: true }));

it("makes a folder, those above it, and minds none that is there", async () => {
  const path = join(place, "a", "b", "c");
  await makeFolder(path);
  await makeFolder(path);
  expect((await stat(path)).isDirectory()).toBe(true);
});

it("may be asked for the same folders many times at once", async () => {
  const path = join(place, "p", "q", "r");
  await Promise.all(Array.from({ length: 50 }, () => makeFolder(path, 0o700)));
  expect((await stat(path)).isDirectory()).toBe(true);
});

it("fails where a file is in the way", async () => {
  await writeFile(join(place, "file"), "");
  await expect(makeFolder(join(place, "file"))).rejects.toMatchObject({ code: "EEXIST" });
  await expect(makeFolder(join(place, "file", "x"))).rejects.toMatchObject({ code: "ENOTDIR" });
});

it.skipIf(!existsSync("/proc/self"))("comes to an end where no folder can be made", async () => {
  await expect(makeFolder("/proc/pare/x")).rejects.toMatchObject({ code: "ENOENT" });
});
