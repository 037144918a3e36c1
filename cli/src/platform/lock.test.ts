import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { holderOf, withLock } from "./lock.js";

let folder = "";
let path = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-lock-"));
  path = join(folder, ".lock");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Whether the work was done while the lock is as it is. */
async function taken(): Promise<boolean> {
  let done = false;
  const said = await withLock(path, async () => void (done = true));
  expect(said).toBe(done);
  return done;
}
async function aged(minutes: number): Promise<void> {
  const then = Date.now() / 1000 - minutes * 60;
  await utimes(path, then, then);
}
const owner = (pid: number, host = hostname()) => JSON.stringify({ pid, host, id: "x" });
const gone = () => spawnSync(process.execPath, ["-e", ""]).pid;

describe("a lock", () => {
  it("is there while the work is done, keeps others out, and is gone afterwards", async () => {
    await withLock(path, async () => {
      expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ pid: process.pid });
      expect(await taken()).toBe(false);
    });
    expect(await readdir(folder)).toEqual([]);
    expect(await taken()).toBe(true);
  });

  it("is gone where the process ends in the middle of the work, unless another one took it", async () => {
    // Node runs no TypeScript in a child.
    const built = new URL("../../dist/platform/lock.js", import.meta.url).href;
    const endsIn = (work: string): void => {
      const code = `const { withLock } = await import(${JSON.stringify(built)});
        const { writeFileSync } = await import("node:fs");
        await withLock(${JSON.stringify(path)}, async () => { ${work}; process.exit(3); });`;
      const { status } = spawnSync(process.execPath, ["--input-type=module", "-e", code]);
      expect(status).toBe(3);
    };
    endsIn("");
    expect(await readdir(folder)).toEqual([]);
    endsIn(`writeFileSync(${JSON.stringify(path)}, "another's")`);
    expect(await readFile(path, "utf8")).toBe("another's");
  });

  it("says who has it", async () => {
    await withLock(path, async () => {
      expect(await holderOf(path)).toBe(`Process ${process.pid} on ${hostname()}`);
    });
    await writeFile(path, "nobody");
    expect(await holderOf(path)).toBe("Another process");
  });

  it("is gone when the work fails, too", async () => {
    await expect(
      withLock(path, async () => {
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    expect(await readdir(folder)).toEqual([]);
  });

  it("is given to one of many that ask at once", async () => {
    let inside = 0;
    let most = 0;
    const results = await Promise.all(
      Array.from({ length: 20 }, () =>
        withLock(path, async () => {
          most = Math.max(most, ++inside);
          await new Promise((done) => setTimeout(done, 20));
          inside--;
        }),
      ),
    );
    expect([most, results.filter((each) => each).length > 0]).toEqual([1, true]);
  });

  it("of a process that has ended is taken over", async () => {
    await writeFile(path, owner(gone()));
    expect(await taken()).toBe(true);
    expect(await readdir(folder)).toEqual([]);
  });

  it("of a process on another machine is left, until it is old", async () => {
    await writeFile(path, owner(gone(), `not-${hostname()}`));
    expect(await taken()).toBe(false);
    await aged(9);
    expect(await taken()).toBe(false);
    await aged(11);
    expect(await taken()).toBe(true);
  });

  it("of a process that runs is left, until it is old", async () => {
    await writeFile(path, owner(process.ppid));
    expect(await taken()).toBe(false);
    await aged(11);
    expect(await taken()).toBe(true);
  });

  it.each([
    ["is empty", ""],
    ["is no JSON", "{"],
    ["holds something else", "null"],
    ["names no process", owner(-(2 ** 30))],
    ["is larger than any", owner(2 ** 30).padEnd(5000)],
  ])("that %s is left, until it is old", async (_, content) => {
    await writeFile(path, content);
    expect(await taken()).toBe(false);
    await aged(11);
    expect(await taken()).toBe(true);
  });

  it("that is a folder is taken over when it is old", async () => {
    await mkdir(path);
    await writeFile(join(path, "x"), "");
    expect(await taken()).toBe(false);
    await aged(11);
    expect(await taken()).toBe(true);
    expect(await readdir(folder)).toEqual([]);
  });

  it("that another took over meanwhile is not removed", async () => {
    await withLock(path, () => writeFile(path, owner(process.ppid)));
    expect(await readFile(path, "utf8")).toBe(owner(process.ppid));
  });
});
