import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CacheKey, noCache } from "@pare/compiler";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeIdentity, identityOf } from "./code-identity.js";
import { openCache } from "./open-cache.js";

let place = "";
let notes: string[] = [];
const onNote = (line: string) => void notes.push(line);
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "pare-open-"));
  notes = [];
});
afterEach(() => rm(place, { recursive: true, force: true }));

const variable = process.platform === "win32" ? "LOCALAPPDATA" : "XDG_CACHE_HOME";
const environment = (more: Readonly<Record<string, string>> = {}) => ({
  [variable]: place,
  ...more,
});
const key = CacheKey.of("size", { file: "f" });
const open = (more?: Readonly<Record<string, string>>) =>
  openCache({ onNote, environment: environment(more) });

describe("opening the cache", () => {
  it("gives one that the next run finds again", async () => {
    await (await open()).put(key, Uint8Array.of(1));
    expect(await (await open()).get(key)).toEqual(Uint8Array.of(1));
    expect([await readdir(place), notes]).toEqual([["pare"], []]);
  });

  it("makes none when it is turned off", async () => {
    expect(await openCache({ cache: false, onNote, environment: environment() })).toBe(noCache);
    expect([await readdir(place), notes]).toEqual([[], []]);
  });

  it.skipIf(process.platform === "win32")("does without it, and says why", async () => {
    await open();
    await chmod(join(place, "pare"), 0o777);
    expect(await open()).toBe(noCache);
    expect(notes).toEqual([
      `There is no cache ${place}/pare: other users may write to it. Delete it, or take that away: chmod 700 ${place}/pare`,
    ]);
    await writeFile(join(place, "file"), "");
    expect(await open({ XDG_CACHE_HOME: join(place, "file") })).toBe(noCache);
    expect(notes[1]).toMatch(/ENOTDIR.* With --no-cache none is looked for\./);
  });

  it("takes its size from PARE_CACHE_SIZE, and refuses what is none", async () => {
    await (await open({ PARE_CACHE_SIZE: "2B" })).put(key, Uint8Array.of(1, 2, 3));
    expect(await readdir(join(place, "pare"))).toEqual([]);
    await expect(open({ PARE_CACHE_SIZE: "much" })).rejects.toMatchObject({
      code: "ARGUMENT",
      where: "PARE_CACHE_SIZE",
    });
  });
});

it("knows the program by its built code", async () => {
  expect(await codeIdentity()).toMatch(/^[0-9a-f]{64}$/);
  expect(await codeIdentity()).toBe(await codeIdentity());
});

it.each([
  ["all of a package's modules", "index.js", true],
  ["the one that holds them all", "compiler.js", false],
])("knows it by %s", async (_, entry, byModules) => {
  const dist = join(place, "dist");
  await mkdir(join(dist, "deep"), { recursive: true });
  const identities: string[] = [];
  for (const [path, text] of [
    [entry, "1"],
    [entry, "2"],
    ["deep/part.js", "3"],
    ["deep/part.d.ts", "4"],
  ] as const) {
    await writeFile(join(dist, path), text);
    identities.push(await identityOf([join(dist, entry)]));
  }
  const [first, second, withPart, withTypes] = identities;
  expect(second).not.toBe(first);
  expect(withPart !== second).toBe(byModules);
  expect(withTypes).toBe(withPart);
});
