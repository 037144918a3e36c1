import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BundleFile, Manifest, VariantEntry } from "@pare/runtime/format";
import { afterEach, beforeEach, expect, it } from "vitest";
import { demandIntact } from "./demand-intact.js";

const { signal } = new AbortController();
let folder: string;
const bytes = Uint8Array.of(1, 2, 3);
const file = (path: string): BundleFile => ({
  path,
  bytes: bytes.length,
  sha256: createHash("sha256").update(bytes).digest("hex"),
});
const manifest = {
  golden: file("golden.json"),
  variants: [
    { files: [file("variants/a.onnx"), file("variants/b.bin")] } as unknown as VariantEntry,
  ],
} as unknown as Manifest;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-intact-"));
  await mkdir(join(folder, "variants"));
  for (const name of ["golden.json", "variants/a.onnx", "variants/b.bin"])
    await writeFile(join(folder, name), bytes);
});
afterEach(() => rm(folder, { recursive: true }));

it("takes a bundle whose files are as they were written", async () => {
  await expect(demandIntact(folder, manifest, signal)).resolves.toBeUndefined();
});

it("names every file that is missing, cut off or changed", async () => {
  await rm(join(folder, "golden.json"));
  await writeFile(join(folder, "variants/a.onnx"), bytes.subarray(1));
  await writeFile(join(folder, "variants/b.bin"), Uint8Array.of(1, 2, 4));
  await expect(demandIntact(folder, manifest, signal)).rejects.toMatchObject({
    code: "INTEGRITY",
    message:
      "Of the bundle's 3 files 3 are not what its manifest names: golden.json is missing; variants/a.onnx has 2 bytes instead of 3; variants/b.bin has other bytes.",
  });
});
