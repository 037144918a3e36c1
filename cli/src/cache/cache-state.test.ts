import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cacheState } from "./cache-state.js";

let place = "";
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "pare-state-"));
});
afterEach(() => rm(place, { recursive: true, force: true }));

const variable = process.platform === "win32" ? "LOCALAPPDATA" : "XDG_CACHE_HOME";
const state = (more: Readonly<Record<string, string>> = {}) =>
  cacheState({ [variable]: place, ...more });

describe("what doctor says of the cache", () => {
  it("is where it is and what it holds, making nothing", async () => {
    const path = join(place, "pare");
    expect(await state()).toEqual({
      ok: true,
      found: `${path}: 0 entries, 0 B of at most 2.00 GB`,
      hint: null,
    });
    expect(await readdir(place)).toEqual([]);
    await mkdir(path, { mode: 0o700 });
    const name = createHash("sha256").digest("hex");
    await writeFile(join(path, name), new Uint8Array(1080));
    expect(await state({ PARE_CACHE_SIZE: "5MB" })).toEqual({
      ok: true,
      found: `${path}: 1 entry, 1.08 kB of at most 5.00 MB`,
      hint: "To empty it, delete the folder.",
    });
  });

  it("is a finding, not an error, where there is something wrong", async () => {
    await writeFile(join(place, "pare"), "");
    expect(await state()).toMatchObject({ ok: false, hint: "Delete it." });
    expect(await state({ PARE_CACHE_SIZE: "much" })).toMatchObject({
      ok: false,
      found: expect.stringContaining("PARE_CACHE_SIZE"),
    });
  });
});
