import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Workers } from "@pare/compiler";
import {
  aborted,
  type Artifact,
  completeFeeds,
  type Executor,
  type Feeds,
  isErrorCode,
  isTypedArray,
  type LoadOptions,
  PareError,
  type Session,
  type TargetName,
  type Tensor,
  type Tensors,
} from "@pare/runtime/format";
import { EventLoopSpin } from "./event-loop-spin.js";
import type { ThreadData, ThreadReply, ThreadRequest, ThreadSession } from "./thread-protocol.js";

/**
 * Threads of this process, each with an engine.
 * @param most how many engines pay here at most, this process's own counted
 * @param threads of each engine
 * @param entry what a thread runs
 */
export function engineThreads(
  target: TargetName,
  most: number,
  threads: number,
  entry = entryFile(),
): Workers {
  return {
    most,
    async open(count) {
      const executors = Array.from({ length: count }, (_, index) => {
        // The first is the process's own.
        const name = `worker ${index + 2} of ${count + 1}`;
        return new EngineThread(name, target, threads, entry);
      });
      return {
        executors,
        close: async () => void (await Promise.all(executors.map((one) => one.close()))),
      };
    },
  };
}

type Answered<Kind extends ThreadReply["kind"]> = Extract<ThreadReply, { readonly kind: Kind }>;
type Asked = ThreadRequest extends infer Request
  ? Request extends ThreadRequest
    ? Omit<Request, "id">
    : never
  : never;

interface Waiting {
  readonly resolve: (reply: ThreadReply) => void;
  readonly reject: (error: PareError) => void;
}

/** An engine in a thread. What of feeds lies in shared memory is read where it lies; the rest is copied once, and moved. */
class EngineThread implements Executor {
  readonly #name: string;
  readonly #threads: number;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #spin = new EventLoopSpin();
  #gone: PareError | null = null;
  #last = 0;

  constructor(name: string, target: TargetName, threads: number, entry: string) {
    this.#name = name;
    this.#threads = threads;
    const workerData: ThreadData = { target };
    this.#worker = new Worker(entry, { workerData, execArgv: [] });
    this.#worker.on("message", (reply: ThreadReply) => this.#take(reply));
    this.#worker.on("error", (cause: unknown) => this.#end(this.#death(cause)));
    this.#worker.on("exit", (code) => this.#end(this.#death(`it ended with status ${code}`)));
  }

  async load(artifact: Artifact, { signal }: LoadOptions = {}): Promise<Session> {
    const asked = { kind: "load", artifact, threads: this.#threads } as const;
    const { loaded } = await this.#ask("loaded", asked, [], signal);
    return this.#sessionOf(loaded);
  }

  /** After what it is doing: a thread that is ended in the middle of a run takes the process along. */
  async close(): Promise<void> {
    if (this.#gone !== null) return;
    await this.#ask("done", { kind: "close" }).catch(() => undefined);
    this.#gone ??= new PareError("DISPOSED", `${this.#name} was closed.`);
    await this.#worker.terminate();
  }

  #sessionOf({ session, inputs, outputs }: ThreadSession): Session {
    /** What the thread has seen: shared memory by input, and by output. */
    const known = new Map<string, unknown>();
    const places = new Map<string, unknown>();
    let disposed = false;
    return {
      inputs,
      outputs,
      run: async (feeds, signal, into = {}) => {
        if (disposed) throw new PareError("DISPOSED", "The model was already disposed of.");
        const { sent, moved } = toSend(named(feeds, inputs), known);
        const shared = Object.entries(into).filter(([, tensor]) => isShared(tensor));
        const asked = {
          kind: "run",
          session,
          feeds: sent,
          into: toSend(Object.fromEntries(shared), places).sent,
          placed: shared.map(([name]) => name),
        } as const;
        const given = await this.#ask("ran", asked, moved, signal);
        const placed = shared.filter(([name]) => !(name in given.outputs));
        return { ...given.outputs, ...Object.fromEntries(placed) };
      },
      dispose: async () => {
        if (disposed) return;
        disposed = true;
        if (this.#gone === null) await this.#ask("done", { kind: "dispose", session });
      },
    };
  }

  #ask<Kind extends ThreadReply["kind"]>(
    kind: Kind,
    asked: Asked,
    moved: readonly ArrayBuffer[] = [],
    signal?: AbortSignal,
  ): Promise<Answered<Kind>> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(aborted(signal));
      if (this.#gone !== null) return reject(this.#gone);
      const id = (this.#last += 1);
      const abort = (): void => settle(() => reject(aborted(signal)));
      const settle = (how: () => void): void => {
        this.#waiting.delete(id);
        if (this.#waiting.size === 0) this.#spin.stop();
        signal?.removeEventListener("abort", abort);
        how();
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.set(id, {
        resolve: (reply) =>
          settle(() => (isKind(reply, kind) ? resolve(reply) : reject(this.#failure(reply)))),
        reject: (error) => settle(() => reject(error)),
      });
      this.#worker.postMessage({ ...asked, id }, moved);
      this.#spin.start();
    });
  }

  #take(reply: ThreadReply): void {
    this.#waiting.get(reply.id)?.resolve(reply);
  }

  #end(error: PareError): void {
    this.#gone ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#gone);
  }

  #failure(reply: ThreadReply): PareError {
    if (reply.kind !== "failed")
      return new PareError("INTERNAL", `${this.#name} answers with "${reply.kind}".`);
    const { code, message, hint } = reply;
    return new PareError(isErrorCode(code) ? code : "ENGINE", message, {
      where: this.#name,
      ...(hint !== null && { hint }),
    });
  }

  #death(cause: unknown): PareError {
    const isHeap = cause instanceof Error && "code" in cause && cause.code === heapIsFull;
    const why = cause instanceof Error ? cause.message : String(cause);
    return new PareError(isHeap ? "NO_MEMORY" : "ENGINE", `${this.#name} is gone: ${why}.`, {
      where: this.#name,
      hint: "Train with --workers 1, or go on from the checkpoint.",
      cause,
    });
  }
}

const heapIsFull = "ERR_WORKER_OUT_OF_MEMORY";

function isKind<Kind extends ThreadReply["kind"]>(
  reply: ThreadReply,
  kind: Kind,
): reply is Answered<Kind> {
  return reply.kind === kind;
}

function named(feeds: Feeds, inputs: Session["inputs"]): Tensors {
  const tensors = completeFeeds(inputs, feeds);
  return Object.fromEntries(
    inputs.flatMap(({ name }, index): readonly [string, Tensor][] => {
      const tensor = tensors[index];
      return tensor === undefined ? [] : [[name, tensor]];
    }),
  );
}

function isShared({ data }: Tensor): boolean {
  return isTypedArray(data) && data.buffer instanceof SharedArrayBuffer;
}

/** @param known is kept up to date */
function toSend(
  feeds: Tensors,
  known: Map<string, unknown>,
): { readonly sent: Tensors; readonly moved: readonly ArrayBuffer[] } {
  const sent = new Map<string, Tensor>();
  const moved: ArrayBuffer[] = [];
  for (const [name, tensor] of Object.entries(feeds)) {
    const { type, dims, data } = tensor;
    if (!isTypedArray(data) || type === "string") sent.set(name, tensor);
    else if (data.buffer instanceof SharedArrayBuffer) {
      if (known.get(name) !== data) sent.set(name, tensor);
      known.set(name, data);
    } else {
      // A view would take all of its buffer along.
      const own = data.slice();
      sent.set(name, { type, dims, data: own });
      if (own.buffer instanceof ArrayBuffer) moved.push(own.buffer);
    }
  }
  return { sent: Object.fromEntries(sent), moved };
}

/** Node runs no TypeScript in a thread: under a test runner the built file stands in. */
function entryFile(): string {
  const url = import.meta.url.replace(
    /\/src\/workbench\/training\/[^/]+\.ts$/,
    "/dist/workbench/training/x.js",
  );
  return fileURLToPath(new URL("./engine-thread.js", url));
}
