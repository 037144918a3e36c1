import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, open, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { LastCheckpoint } from "./last-checkpoint.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-checkpoint-"));
});
afterAll(() => rm(folder, { recursive: true }));

const notes: string[] = [];
const say = { note: (line: string) => void notes.push(line) };
beforeEach(() => void notes.splice(0));
const at = (name: string): string => join(folder, name);

it("is in the file that was named, and else in another once it is left", async () => {
  const named = new LastCheckpoint(at("named"), say);
  for (const byte of [1, 2]) named.put(Uint8Array.of(byte));
  await named.leave(at("other"));
  expect([...(await readFile(at("named")))]).toEqual([2]);
  const unnamed = new LastCheckpoint(undefined, say);
  unnamed.put(Uint8Array.of(3));
  await unnamed.leave(at("left"));
  expect([...(await readFile(at("left")))]).toEqual([3]);
  expect(await readdir(folder)).toEqual(["left", "named"]);
  expect(notes).toEqual(
    [at("named"), at("left")].map(
      (file) => `What was learned is in ${file}: --checkpoint ${file} goes on.`,
    ),
  );
});

it.runIf(process.platform === "linux")("is all that waits while one is written", async () => {
  execFileSync("mkfifo", [at("pipe")]);
  // A pipe shows all that is written.
  const pipe = await open(at("pipe"), "r+");
  const saved = new LastCheckpoint(at("pipe"), say);
  for (const byte of [1, 2, 3, 4]) saved.put(Uint8Array.of(byte));
  await saved.settled();
  saved.put(Uint8Array.of(5));
  await saved.settled();
  const { buffer, bytesRead } = await pipe.read(new Uint8Array(8), 0, 8);
  expect([...buffer.subarray(0, bytesRead)]).toEqual([1, 4, 5]);
  await pipe.close();
  await rm(at("pipe"));
});

it("is left elsewhere where its file cannot be written, which is said once and ends nothing", async () => {
  await mkdir(at("taken"));
  const saved = new LastCheckpoint(at("taken"), say);
  for (const byte of [4, 5]) saved.put(Uint8Array.of(byte));
  await saved.settled();
  expect(notes).toEqual([
    expect.stringMatching(/^The checkpoint cannot be written, .*taken is a folder/),
  ]);
  await saved.leave(at("elsewhere"));
  expect([...(await readFile(at("elsewhere")))]).toEqual([5]);
  expect(notes).toHaveLength(2);
});

it("says that it is lost where it can be left nowhere", async () => {
  await mkdir(at("taken too"));
  const saved = new LastCheckpoint(undefined, say);
  saved.put(Uint8Array.of(6));
  await saved.leave(at("taken too"));
  expect(notes).toEqual([
    expect.stringMatching(/^What was learned cannot be kept: .* is a folder/),
  ]);
});

it("is nothing before anything was learned", async () => {
  await new LastCheckpoint(undefined, say).leave(at("nothing"));
  expect(await readdir(folder)).not.toContain("nothing");
  expect(notes).toEqual([]);
});
