import { renameSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { backendsInNode } from "@pare/bench";
import { endWithParent } from "@pare/bench/end-with-parent";
import { distillGraph, encodeModel, type Examples, randomOf } from "@pare/compiler";
import { type Backend, isPareError, messageOf, PareError } from "@pare/runtime/format";
import { readRecord } from "../../data/read-record.js";
import type { StoredAt } from "../../data/sample-writer.js";
import { CheckpointPace } from "./checkpoint-pace.js";
import { engineThreads } from "./engine-threads.js";
import type { TrainingJob, TrainingMessage, TrainingRequest } from "./training-protocol.js";
import { wholeGraph } from "./whole-graph.js";

// The entry of the process that trains: engine, optimizer and samples are all here, so that at each step nothing crosses
// to another process. Its parent decides when it ends: Ctrl-C reaches the whole group.
process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit());

const stop = new AbortController();
const begin = new AbortController();
process.on("message", (request: TrainingRequest) => {
  switch (request.kind) {
    case "stop":
      return stop.abort(new Error("interrupted"));
    case "begin":
      return begin.abort();
    case "train":
      return void train(request.job, request.handover).catch(tellFailure);
    default:
      return request satisfies never;
  }
});
void endWithParent(); // in the middle of a long step it hears of nothing

async function train(job: TrainingJob, handover: string): Promise<void> {
  const { options, seed, threads, training, validation, resume } = job;
  const [student, teacher] = [
    await wholeGraph(job.student),
    job.teacher && (await wholeGraph(job.teacher)),
  ];
  const { backend, engine } = await firstEngine();
  const executor: Backend = {
    ...backend,
    load: (artifact, given) => backend.load(artifact, { ...given, threads }),
  };
  const workers = engineThreads(backend.target, workersHere(threads), threads);
  let [told, epochs] = [-Infinity, 0];
  const pace = new CheckpointPace(() => performance.now());
  const { history, steps, batch } = await distillGraph(student, options, {
    examples: { ...stored(training, executor), workers },
    validation: stored(validation, executor),
    ...(teacher && { teacher }),
    engine: backend.target === "wasm" ? "wasm" : "cpu",
    chooseWorkers: true,
    random: (name) => randomOf(seed, name),
    signal: stop.signal,
    ...(resume && { resume }),
    onReady() {
      const told = once([begin.signal, stop.signal]);
      tell({ kind: "ready" });
      return told;
    },
    onTeacher: (fraction) => tell({ kind: "teacher", fraction }),
    onNote: (note) => tell({ kind: "note", note }),
    onProgress(progress) {
      // Steps of small models take less than what it takes to tell of them.
      const now = performance.now();
      if (now - told < tellEveryMs && progress.history.length === epochs) return;
      [told, epochs] = [now, progress.history.length];
      tell({ kind: "progress", progress });
    },
    checkpointDue: () => pace.isDue,
    onCheckpoint(bytes) {
      if (stop.signal.aborted) tell({ kind: "stopping" });
      pace.pass(() => handOver(bytes, handover));
    },
  });
  const { proto } = await encodeModel(student);
  tell({ kind: "trained", student: proto, engine, history, steps, batch });
}

const tellEveryMs = 50;

let saidWhyNot = false;

/** At once: what is written in the background goes on by a part at each turn of the event loop, and steps are long. */
function handOver(bytes: Uint8Array, file: string): void {
  try {
    writeFileSync(`${file}.new`, bytes);
    renameSync(`${file}.new`, file); // the last one may be being read
    tell({ kind: "checkpoint" });
  } catch (error) {
    if (!saidWhyNot)
      tell({
        kind: "note",
        note: `No checkpoint can be kept, and training goes on: ${messageOf(error)}`,
      });
    saidWhyNot = true;
  }
}

/** One for each core that its threads leave. */
function workersHere(threads: number): number {
  return Math.max(1, Math.floor(availableParallelism() / threads));
}

/** onnxruntime-node where it is installed, else WebAssembly. */
async function firstEngine(): Promise<{ readonly backend: Backend; readonly engine: string }> {
  const reasons: string[] = [];
  for (const backend of await backendsInNode("onnx")) {
    const probe = await backend.probe();
    if (probe.ok) return { backend, engine: probe.engine };
    reasons.push(probe.why);
  }
  throw new PareError("ENGINE_MISSING", `There is no engine to train on. ${reasons.join(" ")}`, {
    hint: "Install onnxruntime-node.",
  });
}

function stored(places: readonly StoredAt[], executor: Examples["executor"]): Examples {
  return {
    executor,
    count: places.length,
    async *read() {
      const [first] = places;
      if (first === undefined) return;
      const file = await open(first.file, "r");
      try {
        for (const place of places) {
          const { feeds, label } = await readRecord(file, place);
          yield { feeds, label, id: place.id };
        }
      } finally {
        await file.close();
      }
    },
  };
}

/** When the first of them is raised. */
function once(signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const any = AbortSignal.any([...signals]);
    if (any.aborted) resolve();
    else any.addEventListener("abort", () => resolve(), { once: true });
  });
}

function tell(message: TrainingMessage): void {
  process.send?.(message);
}

function tellFailure(error: unknown): void {
  const known = isPareError(error) ? error : null;
  tell({
    kind: "failed",
    code: known?.code ?? "INTERNAL",
    message: messageOf(error),
    where: known?.where ?? null,
    hint: known?.hint ?? null,
  });
}
