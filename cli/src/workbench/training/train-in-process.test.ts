import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { distill } from "@pare/compiler";
import { afterAll, beforeAll, expect, it } from "vitest";
import { isExitHeld } from "../../platform/exit-waits.js";
import { trainInProcess } from "./train-in-process.js";
import type { TrainingJob } from "./training-protocol.js";

// With processes that train nothing, and take as long as they are to.

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-training-"));
});
afterAll(() => rm(folder, { recursive: true }));

const job: TrainingJob = {
  student: new Uint8Array(),
  teacher: null,
  options: distill.parse({}),
  seed: 0,
  threads: 1,
  training: [],
  validation: [],
  resume: null,
};

/** What is left of a training that is stopped as soon as it began. @param atStop what its process does then */
async function stopped(atStop: string): Promise<{ readonly left: number; readonly held: boolean }> {
  const entry = join(folder, `${atStop.length}.mjs`);
  const begin = '{ file = handover; process.send({ kind: "note", note: "begun" }); }';
  const child = `import { writeFileSync } from "node:fs";
let file;
process.on("message", ({ kind, handover }) => { if (kind === "train") ${begin} else { ${atStop} } });`;
  await writeFile(entry, child);
  const stop = new AbortController();
  let [left, held] = [0, false];
  const trained = trainInProcess(
    job,
    {
      signal: stop.signal,
      async onReady() {},
      onTeacher() {},
      onProgress() {},
      onNote: () => stop.abort(),
      onCheckpoint(bytes) {
        left = bytes.length;
        held = isExitHeld();
      },
    },
    entry,
  );
  await expect(trained).rejects.toMatchObject({ code: "ABORTED" });
  expect(isExitHeld()).toBe(false);
  return { left, held };
}

const checkpoint = `writeFileSync(file, new Uint8Array(3));
process.send({ kind: "checkpoint" });
process.send({ kind: "failed", code: "ABORTED", message: "", where: null, hint: null });`;

it("waits for a checkpoint that is on its way, and so does the process's end", async () => {
  const late = `process.send({ kind: "stopping" }); setTimeout(() => { ${checkpoint} }, 1500);`;
  expect(await stopped(late)).toEqual({ left: 3, held: true });
});

it("gives up a step that takes too long", async () => {
  expect(await stopped(`setTimeout(() => { ${checkpoint} }, 60_000);`)).toEqual({
    left: 0,
    held: false,
  });
});
