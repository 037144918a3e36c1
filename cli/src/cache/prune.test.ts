import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withLock } from "../platform/lock.js";
import { prune, usage } from "./prune.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-prune-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const entry = (index: number) => createHash("sha256").update(String(index)).digest("hex");

async function file(name: string, bytes: number, minutesAgo: number): Promise<void> {
  await writeFile(join(folder, name), new Uint8Array(bytes));
  const then = Date.now() / 1000 - minutesAgo * 60;
  await utimes(join(folder, name), then, then);
}
const names = async () => (await readdir(folder)).toSorted();

describe("pruning", () => {
  it("removes what was used longest ago until there is some room again", async () => {
    for (let index = 0; index < 10; index++) await file(entry(index), 100, 100 + index);
    await prune(folder, 1000);
    expect(await usage(folder)).toEqual({ entries: 10, bytes: 1000 });
    await file(entry(10), 1, 200);
    await prune(folder, 1000);
    const kept = Array.from({ length: 8 }, (_, index) => entry(index)).toSorted();
    expect(await names()).toEqual(kept);
  });

  it("removes what interrupted writes left, an hour later", async () => {
    await file(`.${entry(0)}.1.a`, 100, 61);
    await file(`.${entry(0)}.1.b`, 100, 59);
    await file(".lock.c", 100, 61);
    await file(`.${entry(0)}.1.d`, 100, -61);
    await prune(folder, 1000);
    expect(await names()).toEqual([`.${entry(0)}.1.b`]);
    expect(await usage(folder)).toEqual({ entries: 0, bytes: 0 });
  });

  it("leaves what has another name, and does not count it", async () => {
    await file("notes.txt", 5000, 10_000);
    await mkdir(join(folder, "more"));
    await file(entry(0), 100, 1);
    await prune(folder, 1000);
    expect(await names()).toEqual([entry(0), "more", "notes.txt"].toSorted());
  });

  it("is skipped while another process does it", async () => {
    await file(entry(0), 100, 1);
    await withLock(join(folder, ".lock"), () => prune(folder, 10));
    expect(await names()).toEqual([entry(0)]);
    await prune(folder, 10);
    expect(await names()).toEqual([]);
  });
});

it("counts nothing where there is no folder", async () => {
  expect(await usage(join(folder, "absent"))).toEqual({ entries: 0, bytes: 0 });
});
