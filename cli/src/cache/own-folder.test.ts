import { chmod, chown, mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimFolder, refusalOf } from "./own-folder.js";

let place = "";
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "pare-own-"));
});
afterEach(() => rm(place, { recursive: true, force: true }));

const mode = async (path: string) => (await stat(path)).mode & 0o777;

describe.skipIf(process.platform === "win32")("the cache's folder", () => {
  it("is made for this user alone, with those above it", async () => {
    const path = join(place, "a", "pare");
    expect(await refusalOf(path)).toBeNull();
    expect(await claimFolder(path)).toBeNull();
    expect(await claimFolder(path)).toBeNull();
    expect([await mode(path), await mode(join(place, "a"))]).toEqual([0o700, 0o700]);
  });

  it("that others may only look into is closed to them", async () => {
    await chmod(place, 0o755);
    expect(await refusalOf(place)).toBeNull();
    expect(await claimFolder(place)).toBeNull();
    expect(await mode(place)).toBe(0o700);
  });

  it.each([0o777, 0o770, 0o702])("that others may write to is refused: %o", async (open) => {
    await chmod(place, open);
    expect(await claimFolder(place)).toMatchObject({ reason: "other users may write to it" });
    expect(await mode(place)).toBe(open);
  });

  it("is refused when it belongs to someone else", async () => {
    const root = process.geteuid?.() === 0;
    if (root) await chown(place, 1, 1);
    expect(await claimFolder(root ? place : "/")).toMatchObject({
      reason: "it belongs to another user",
    });
  });

  it("is refused when it is a link or no folder", async () => {
    await mkdir(join(place, "real"));
    await symlink(join(place, "real"), join(place, "link"));
    await symlink(join(place, "nowhere"), join(place, "broken"));
    await writeFile(join(place, "file"), "");
    expect(await claimFolder(join(place, "link"))).toMatchObject({
      reason: "it is a symbolic link",
    });
    expect(await claimFolder(join(place, "broken"))).toMatchObject({
      reason: "it is a symbolic link",
    });
    expect(await claimFolder(join(place, "file"))).toMatchObject({ reason: "it is no folder" });
  });
});
