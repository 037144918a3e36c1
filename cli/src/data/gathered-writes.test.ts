import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { GatheredWrites } from "./gathered-writes.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-writes-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Beside what is small, what is as large as what is written at once, or larger. */
const length = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 2 ** 20 - 2, max: 2 ** 20 + 2 }),
);

it("leaves what was appended where it said, one after the other", async () => {
  let files = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(length, { maxLength: 6 }), async (lengths) => {
      const path = join(folder, String((files += 1)));
      const file = await open(path, "wx");
      const writes = new GatheredWrites(file);
      const pieces = lengths.map((count, index) => new Uint8Array(count).fill(index + 1));
      const offsets: number[] = [];
      for (const piece of pieces) offsets.push(await writes.append(piece));
      await writes.flush();
      await file.close();
      const found = await readFile(path);
      expect(found.equals(Buffer.concat(pieces))).toBe(true);
      const ends = offsets.map((offset, index) => offset + (lengths[index] ?? 0));
      expect(offsets).toEqual([0, ...ends].slice(0, -1));
      await rm(path);
    }),
    { numRuns: 40 },
  );
});

it("goes on where the disk took a part", async () => {
  const path = join(folder, "part");
  const file = await open(path, "wx");
  const whole = file.write.bind(file) as (
    bytes: Uint8Array,
    from: number,
    count: number,
    at: number,
  ) => Promise<{ bytesWritten: number }>;
  const partly = Object.assign(Object.create(file), {
    write: (bytes: Uint8Array, from: number, count: number, at: number) =>
      whole(bytes, from, Math.min(count, 3), at),
  });
  const writes = new GatheredWrites(partly);
  await writes.append(Uint8Array.of(1, 2, 3, 4, 5));
  await writes.append(Uint8Array.of(6, 7));
  await writes.flush();
  await file.close();
  expect([...(await readFile(path))]).toEqual([1, 2, 3, 4, 5, 6, 7]);
});
