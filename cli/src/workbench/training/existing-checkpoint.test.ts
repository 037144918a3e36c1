import { mkdtemp, open, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { existingCheckpoint } from "./existing-checkpoint.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-existing-"));
});
afterAll(() => rm(folder, { recursive: true }));

it("is what its file holds, and nothing where there is none", async () => {
  await writeFile(join(folder, "there"), Uint8Array.of(1, 2, 3));
  expect(await existingCheckpoint(join(folder, "there"))).toEqual(Uint8Array.of(1, 2, 3));
  expect(await existingCheckpoint(join(folder, "absent"))).toBeNull();
  await expect(existingCheckpoint(folder)).rejects.toMatchObject({ code: "DATA_NOT_FOUND" });
});

it.runIf(process.platform === "linux")("has as many bytes as there is memory for", async () => {
  const path = join(folder, "large");
  await (await open(path, "w")).close();
  // A file with a hole takes no space; what it says it holds is more than any array.
  await truncate(path, 2 ** 42);
  await expect(existingCheckpoint(path)).rejects.toMatchObject({ code: "NO_MEMORY" });
});
