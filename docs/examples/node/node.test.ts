import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeDigitsBundle } from "../testing/digits-bundle.js";

interface Answer {
  readonly digit: number;
  readonly logits: readonly number[];
  readonly selection: { readonly chosen: string; readonly proven: boolean };
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

let place: string;
let bundle: string;
let pixels: number[];
let reference: Answer;

async function inProcess(...args: string[]): Promise<Answer> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    here("classify.js"),
    bundle,
    here("seven.json"),
    ...args,
  ]);
  return JSON.parse(stdout) as Answer;
}

function inWorker(target: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(here("worker.js"), {
      execArgv: [],
      workerData: { bundle, pixels, target },
    });
    worker.once("message", resolve).once("error", reject);
  });
}

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "pare-node-"));
  bundle = join(place, "digits.pare");
  await writeDigitsBundle(bundle);
  pixels = JSON.parse(await readFile(here("seven.json"), "utf8")) as number[];
  reference = await inProcess();
});
afterAll(() => rm(place, { recursive: true, force: true }));

describe("the Node example", () => {
  it("reads a seven on the native engine", () => {
    expect(reference).toMatchObject({
      digit: 7,
      selection: { chosen: "cpu-float32", proven: true },
    });
  });

  it.each(["cpu", "wasm"])(
    "answers the same on %s, in a process and in a worker thread",
    async (target) => {
      for (const answer of [await inProcess(target), await inWorker(target)]) {
        expect(answer.selection).toMatchObject({ chosen: `${target}-float32`, proven: true });
        for (const [index, logit] of answer.logits.entries())
          expect(logit).toBeCloseTo(reference.logits[index] ?? NaN, 3);
      }
    },
  );
});
