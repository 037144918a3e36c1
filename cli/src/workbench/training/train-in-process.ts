import { fork } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TrainingProgress } from "@pare/compiler";
import { aborted, isErrorCode, PareError } from "@pare/runtime/format";
import { holdExit } from "../../platform/exit-waits.js";
import { temporaryFolder } from "../../platform/temporary-folder.js";
import { existingCheckpoint } from "./existing-checkpoint.js";
import { trainingEnvironment } from "./training-environment.js";
import type {
  TrainedStudent,
  TrainingJob,
  TrainingMessage,
  TrainingRequest,
} from "./training-protocol.js";

/**
 * After Ctrl-C a step is waited for, and until its checkpoint is made; what takes longer is given up. That the checkpoint arrives
 * is then waited for as long as it takes.
 */
const longestStepMs = 600;

/** What is told of a training while it goes on. */
export interface TrainingNews {
  readonly signal: AbortSignal;
  /** It waits until then with the first step, and fails with what this throws. */
  onReady(): Promise<void>;
  onTeacher(fraction: number): void;
  onProgress(progress: TrainingProgress): void;
  onNote(note: string): void;
  /** Also once more after the signal is raised, as far as it had come by then; where a step takes long, it is not. */
  onCheckpoint(bytes: Uint8Array): void;
}

/**
 * Trains in a process of its own: this one stays awake for Ctrl-C and progress, and a crash of the engine is an error.
 * @param entry what the process runs
 * @throws PareError as `distillGraph`; ENGINE_CRASHED; ABORTED, after the last checkpoint
 */
export async function trainInProcess(
  job: TrainingJob,
  news: TrainingNews,
  entry = childFile(),
): Promise<TrainedStudent> {
  const folder = await temporaryFolder();
  const child = fork(entry, [], {
    execArgv: [],
    serialization: "advanced",
    env: trainingEnvironment(),
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let words = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-4096);
  });
  const send = (request: TrainingRequest): void => void child.send(request, () => undefined);
  let patience: NodeJS.Timeout | undefined;
  let release: (() => void) | undefined;
  const over = new AbortController();
  // Until the checkpoints that were handed over are read.
  let reading: Promise<void> = Promise.resolve();
  const handover = join(folder.path, "checkpoint");
  const passOn = async (): Promise<void> => {
    // No training ends because a checkpoint is lost.
    const bytes = await existingCheckpoint(handover).catch(() => null);
    if (bytes !== null) news.onCheckpoint(bytes);
  };
  try {
    return await new Promise<TrainedStudent>((resolve, reject) => {
      const abort = (): void => {
        send({ kind: "stop" });
        patience = setTimeout(() => reject(aborted(news.signal)), longestStepMs);
      };
      child.on("message", (message: TrainingMessage) => {
        if (message.kind === "trained") resolve(message);
        else if (message.kind === "failed") reject(errorOf(message));
        else if (message.kind === "ready")
          news.onReady().then(() => send({ kind: "begin" }), reject);
        else if (message.kind === "stopping") {
          clearTimeout(patience);
          release ??= holdExit();
        } else if (message.kind === "checkpoint") reading = reading.then(passOn);
        else pass(message, news);
      });
      child.on("error", (cause) => reject(new CrashError(cause.message, words)));
      child.on("exit", (code, signal) => {
        const how = signal ? `it was ended by ${signal}` : `it ended with status ${code}`;
        const Failure = signal === "SIGKILL" ? KilledError : CrashError;
        reject(new Failure(how, words));
      });
      news.signal.addEventListener("abort", abort, { once: true, signal: over.signal });
      send({ kind: "train", job, handover });
      if (news.signal.aborted) abort();
    });
  } finally {
    clearTimeout(patience);
    over.abort();
    child.removeAllListeners("exit");
    // What is still on its way concerns nobody any more.
    child.removeAllListeners("message");
    child.kill("SIGKILL");
    await reading.finally(() => release?.());
    await folder.dispose();
  }
}

function pass(
  message: Exclude<
    TrainingMessage,
    { kind: "ready" | "trained" | "failed" | "stopping" | "checkpoint" }
  >,
  news: TrainingNews,
): void {
  switch (message.kind) {
    case "teacher":
      return news.onTeacher(message.fraction);
    case "progress":
      return news.onProgress(message.progress);
    case "note":
      return news.onNote(message.note);
    default:
      return message satisfies never;
  }
}

function errorOf({
  code,
  message,
  where,
  hint,
}: Extract<TrainingMessage, { kind: "failed" }>): PareError {
  return new PareError(isErrorCode(code) ? code : "INTERNAL", message, {
    ...(where !== null && { where }),
    ...(hint !== null && { hint }),
  });
}

class CrashError extends PareError {
  constructor(how: string, words: string) {
    const last = words.trim().split("\n").slice(-3).join(" ");
    super(
      "ENGINE_CRASHED",
      `The process that trains is gone: ${how}${last === "" ? "" : ` (${last})`}.`,
      {
        where: "the training",
        hint: "A process that is killed usually ran out of memory: try fewer --workers, or a smaller --batch.",
      },
    );
  }
}

/** Systems kill what takes the memory that they have not got. */
export class KilledError extends CrashError {}

/** Node runs no TypeScript in a child: under a test runner the built file stands in. */
function childFile(): string {
  const url = import.meta.url.replace(
    /\/src\/workbench\/training\/[^/]+\.ts$/,
    "/dist/workbench/training/x.js",
  );
  return fileURLToPath(new URL("./training-child.js", url));
}
