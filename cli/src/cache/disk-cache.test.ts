import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CacheKey } from "@pare/compiler";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DiskCache, type DiskCacheOptions } from "./disk-cache.js";
import { isEntryName } from "./entry.js";
import { readEntry } from "./entry-file.js";
import { usage } from "./prune.js";

let folder = "";
let notes: string[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-disk-"));
  notes = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const cache = (options: Partial<DiskCacheOptions> = {}) =>
  new DiskCache({
    folder,
    mostBytes: 1e6,
    identity: "this program",
    onNote: (line) => notes.push(line),
    ...options,
  });
const key = (model: string) => CacheKey.of("size", { model });
const bytes = Uint8Array.of(1, 2, 3);

describe("a cache on disk", () => {
  it("keeps results between two of its kind, by key", async () => {
    await cache().put(key("a"), bytes);
    expect(await cache().get(key("a"))).toEqual(bytes);
    expect(await cache().get(key("b"))).toBeUndefined();
    await cache().put(key("a"), Uint8Array.of(4));
    expect(await cache().get(key("a"))).toEqual(Uint8Array.of(4));
    expect((await readdir(folder)).every((name) => isEntryName(name))).toBe(true);
  });

  it("finds nothing that another program kept", async () => {
    await cache({ identity: "an older one" }).put(key("a"), bytes);
    expect(await cache().get(key("a"))).toBeUndefined();
  });

  it("keeps nothing larger than all of it may be", async () => {
    await cache({ mostBytes: 2 }).put(key("a"), bytes);
    expect(await readdir(folder)).toEqual([]);
  });

  it("removes the oldest when it has written much, and when a process begins to write", async () => {
    const many = cache({ mostBytes: 1000 });
    for (let index = 0; index < 40; index++) {
      await many.put(key(String(index)), new Uint8Array(50));
      expect((await usage(folder)).bytes).toBeLessThan(1000 + 1000 / 16 + 150);
    }
    await cache({ mostBytes: 200 }).put(key("last"), new Uint8Array(20));
    expect((await usage(folder)).entries).toBe(1);
  });

  it("goes on after its folder was deleted", async () => {
    const one = cache();
    await one.put(key("a"), bytes);
    await rm(folder, { recursive: true });
    expect(await one.get(key("a"))).toBeUndefined();
    await one.put(key("a"), bytes);
    expect(await one.get(key("a"))).toEqual(bytes);
    if (process.platform !== "win32") expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it("says once that nothing can be written", async () => {
    const path = join(folder, "file");
    await writeFile(path, "");
    const broken = cache({ folder: path });
    await Promise.all(["a", "b"].map((model) => broken.put(key(model), bytes)));
    await broken.put(key("c"), bytes);
    expect(await broken.get(key("a"))).toBeUndefined();
    expect(notes).toEqual([expect.stringContaining("Nothing more is kept in the cache")]);
  });
});

/** Node runs no TypeScript in a child: what was built is imported, and no more of it than is needed: many are started. */
const built = (path: string) => JSON.stringify(new URL(`../../../${path}`, import.meta.url).href);
const prologue = `
  import { DiskCache } from ${built("cli/dist/cache/disk-cache.js")};
  import { CacheKey } from ${built("compiler/dist/pipeline/cache-key.js")};
  const cache = new DiskCache({ folder: process.argv[1], mostBytes: 100_000, identity: "i", onNote: (line) => console.log(line) });
  const key = (model) => CacheKey.of("size", { model });`;

it.skipIf(process.platform === "win32")(
  "leaves no part of an entry when the disk takes no more",
  async () => {
    // A limit on the size of files is the nearest to a full disk that any user can have.
    const script = `${prologue}
      for (const size of [100, 50_000, 60_000, 10]) await cache.put(key(size), new Uint8Array(size));
      console.log((await cache.get(key(100)))?.length, await cache.get(key(50_000)), await cache.get(key(10)));`;
    const child = spawnSync(
      "sh",
      [
        "-c",
        'ulimit -f 16; exec "$0" --input-type=module -e "$1" "$2"',
        process.execPath,
        script,
        folder,
      ],
      { encoding: "utf8" },
    );
    expect(child.stderr).toBe("");
    expect(child.stdout).toBe(
      `Nothing more is kept in the cache ${folder}: writing failed (EFBIG).\n100 undefined undefined\n`,
    );
    expect(await readdir(folder)).toHaveLength(1);
  },
);

/** Reads and writes the same few keys; an entry says which key it belongs to, and all of its bytes follow from that. */
const hammer = `${prologue}
  const fill = (index, seed) => {
    const bytes = new Uint8Array(2 + seed * 150);
    bytes.forEach((_, at) => (bytes[at] = (index * 31 + seed * 17 + at) % 251));
    bytes[0] = index;
    bytes[1] = seed;
    return bytes;
  };
  const random = (below) => Math.floor(Math.random() * below);
  console.log("begun");
  for (let left = Number(process.argv[2]); left > 0; left--) {
    const index = random(8);
    if (random(2) === 0) await cache.put(key(index), fill(index, random(200)));
    const found = await cache.get(key(index));
    if (found === undefined) continue;
    if (found[0] !== index || !Buffer.from(found).equals(fill(index, found[1])))
      throw new Error("key " + index + " gave " + found.length + " bytes of " + found[0]);
  }`;

it("is right after many processes used it at once, some of them killed", async () => {
  const failures: string[] = [];
  const start = (
    rounds: number,
  ): { child: ChildProcess; begun: Promise<void>; ended: Promise<void> } => {
    const child = spawn(
      process.execPath,
      ["--input-type=module", "-e", hammer, folder, String(rounds)],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    const said = (text: string) =>
      text.trim() !== "" && text.trim() !== "begun" && failures.push(text);
    child.stderr.setEncoding("utf8").on("data", said);
    const begun = new Promise<void>((resolve) => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        said(text);
        resolve();
      });
    });
    return { child, begun, ended: new Promise((resolve) => child.on("close", () => resolve())) };
  };
  const steady = [start(300), start(300)];
  for (let kills = 0; kills < 12; kills++) {
    const { child, begun, ended } = start(1e9);
    await begun;
    await new Promise((done) => setTimeout(done, Math.random() * 60));
    child.kill("SIGKILL");
    await ended;
  }
  await Promise.all(steady.map(({ ended }) => ended));
  expect(steady.map(({ child }) => child.exitCode)).toEqual([0, 0]);
  expect(failures).toEqual([]);

  const entries = (await readdir(folder)).filter((name) => isEntryName(name));
  expect(entries.length).toBeGreaterThan(0);
  for (const name of entries) expect(await readEntry(folder, name), name).toBeDefined();
  // What the killed ones left is no obstacle: a dead owner's lock is taken over.
  const last = cache({ mostBytes: 1000, identity: "i" });
  await last.put(key("last"), bytes);
  expect((await usage(folder)).bytes).toBeLessThanOrEqual(1000);
  expect(await last.get(key("last"))).toEqual(bytes);
});
