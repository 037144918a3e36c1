import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { headerBytes } from "./entry.js";
import { readEntry, writeEntry } from "./entry-file.js";

const name = randomBytes(32).toString("hex");
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-entry-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const path = () => join(folder, name);
const read = () => readEntry(folder, name);
/** A miss, and nothing is left of what was there. */
async function expectRemoved(): Promise<void> {
  expect(await read()).toBeUndefined();
  expect(await readdir(folder)).toEqual([]);
}

describe("an entry's file", () => {
  it("gives back what was written, the last of it, and nothing but it lies there", async () => {
    for (const length of [0, 1, 5000]) {
      const bytes = new Uint8Array(randomBytes(length));
      await writeEntry(folder, name, bytes);
      expect(await read()).toEqual(bytes);
      expect(await readdir(folder)).toEqual([name]);
    }
    if (process.platform !== "win32") expect((await stat(path())).mode & 0o777).toBe(0o600);
  });

  it("that is not there is a miss", async () => {
    expect(await read()).toBeUndefined();
    expect(await readEntry(join(folder, "absent"), name)).toBeUndefined();
  });

  it("is a miss, and gone, with any bit another or any part cut off", async () => {
    const payload = new Uint8Array(randomBytes(40));
    await writeEntry(folder, name, payload);
    const whole = await readFile(path());
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length * 8 - 1), fc.boolean(), async (at, cut) => {
        const bytes = Buffer.from(whole);
        bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7));
        await writeFile(path(), cut ? whole.subarray(0, at >> 3) : bytes);
        await expectRemoved();
      }),
      { numRuns: 300 },
    );
    await writeFile(path(), Buffer.concat([whole, Buffer.of(0)]));
    await expectRemoved();
    await writeFile(path(), whole);
    expect(await read()).toEqual(payload);
  });

  it("is a miss, and gone, when it holds random bytes, alone or behind a whole header", async () => {
    await writeEntry(folder, name, new Uint8Array(64));
    const header = (await readFile(path())).subarray(0, headerBytes);
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.uint8Array({ minLength: 64, maxLength: 64 }),
        async (bytes, payload) => {
          await writeFile(path(), bytes);
          await expectRemoved();
          payload[0] = 1;
          await writeFile(path(), Buffer.concat([header, payload]));
          await expectRemoved();
        },
      ),
    );
  });

  it("under another's name is foreign", async () => {
    const other = randomBytes(32).toString("hex");
    await writeEntry(folder, other, Uint8Array.of(1));
    await rename(join(folder, other), path());
    await expectRemoved();
  });

  it.skipIf(process.platform === "win32")("is neither a link, a folder nor a pipe", async () => {
    const outside = await mkdtemp(join(tmpdir(), "pare-outside-"));
    try {
      await writeEntry(outside, name, Uint8Array.of(7));
      await symlink(join(outside, name), path());
      await expectRemoved();
      await symlink(outside, path());
      await expectRemoved();
      await mkdir(path());
      await symlink(outside, join(path(), "inner"));
      await expectRemoved();
      execFileSync("sh", ["-c", 'mkfifo "$0"', path()]);
      await expectRemoved();
      expect(await readEntry(outside, name)).toEqual(Uint8Array.of(7));
    } finally {
      await rm(outside, { recursive: true });
    }
  });

  it("is marked as used when it is read, at most once an hour", async () => {
    await writeEntry(folder, name, Uint8Array.of(1));
    const usedAgo = async (seconds: number) => {
      const then = Math.floor(Date.now() / 1000) - seconds;
      await utimes(path(), then, then);
      await read();
      return (await stat(path())).mtimeMs / 1000 > then;
    };
    expect(await usedAgo(1800)).toBe(false);
    expect(await usedAgo(7200)).toBe(true);
  });

  it("leaves nothing when it cannot be put into place", async () => {
    await mkdir(join(path(), "in the way"), { recursive: true });
    await expect(writeEntry(folder, name, Uint8Array.of(1))).rejects.toThrow(/rename|EISDIR/);
    expect(await readdir(folder)).toEqual([name]);
  });
});
