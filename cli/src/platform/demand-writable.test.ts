import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { demandWritable } from "./demand-writable.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-writable-"));
  await writeFile(join(folder, "there.onnx"), "as it was");
});
afterAll(() => rm(folder, { recursive: true }));

it("takes a file that is there, and one whose folders are still to be made, and leaves nothing", async () => {
  await demandWritable(join(folder, "there.onnx"));
  await demandWritable(join(folder, "a", "b", "new.onnx"));
  expect(await readdir(folder)).toEqual(["there.onnx"]);
});

it("refuses a folder, and what would lie in a file", async () => {
  const inFile = join(folder, "there.onnx", "a", "new.onnx");
  for (const [place, why] of [
    [folder, "it is a folder"],
    [inFile, "its folder is a file"],
  ] as const)
    await expect(demandWritable(place)).rejects.toMatchObject({
      code: "ARGUMENT",
      where: place,
      message: `${place} cannot be written: ${why}.`,
    });
});

it.runIf(process.platform === "linux")("refuses a folder that may not be written to", async () => {
  const place = "/sys/new.onnx"; // for root neither
  await expect(demandWritable(place)).rejects.toMatchObject({ code: "PERMISSION", where: "/sys" });
});
