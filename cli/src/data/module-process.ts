import { type ChildProcess, execFile, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { isErrorCode, PareError } from "@pare/runtime/format";
import type {
  ModuleCall,
  ModuleProblem,
  ModuleReplies,
  ModuleReply,
  ModuleRequest,
} from "./module-protocol.js";

export interface ModuleOptions {
  readonly signal?: AbortSignal;
  /** How long the module may take to load, and to give a sample. Default two minutes. */
  readonly patienceMs?: number;
  /** More samples than this, and the iterable is held to be endless. Default one million. */
  readonly mostSamples?: number;
  /** What the module prints. Default: this process's stderr. */
  readonly onPrint?: (text: string) => void;
}

/** Time for work of the module's that may be long: bootstrapping its own metric. */
const longWorkMs = 30 * 60_000;

/** For what an ended process printed last. */
const lastWordsMs = 1000;

/** A module may send messages of its own: what is no reply to a call is none of ours. */
function isReply(message: unknown): message is ModuleReply {
  if (typeof message !== "object" || message === null) return false;
  return "id" in message && typeof message.id === "number" && "ok" in message;
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: PareError) => void;
}

/** The process that a module runs in: calls are answered, or fail when it ends or takes too long. */
export class ModuleProcess {
  readonly #path: string;
  readonly #options: ModuleOptions;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #tail = "";
  #ended: PareError | null = null;
  readonly #onAbort = (): void => this.#fail(new PareError("ABORTED", "The work was cancelled."));

  constructor(path: string, options: ModuleOptions) {
    this.#path = path;
    this.#options = options;
    this.#child = fork(childFile(), [], {
      execArgv: [],
      serialization: "advanced",
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#child.on("message", (message) => {
      if (isReply(message)) void this.#receive(message);
    });
    this.#child.on("error", (cause) =>
      this.#fail(this.#error(`Its process cannot run: ${cause.message}.`, null)),
    );
    // "close" comes after the last of what it printed; never, where a process that it started still holds its output.
    this.#child.on("exit", (code, signal) => {
      setTimeout(() => this.#tellEnd(code, signal), lastWordsMs).unref();
    });
    this.#child.on("close", (code, signal) => this.#tellEnd(code, signal));
    const print = options.onPrint ?? ((text: string) => void process.stderr.write(text));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#tail = (this.#tail + text).slice(-4096);
        print(text);
      });
    }
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  #tellEnd(code: number | null, signal: NodeJS.Signals | null): void {
    const how = signal === null ? `with exit code ${code ?? "unknown"}` : `by the signal ${signal}`;
    const said = this.#tail.split("\n").filter((line) => line.trim() !== "" && !isTrace(line));
    const last = said.slice(-5).join("\n");
    const words = last === "" ? "" : `\nIts last words:\n${last}`;
    this.#fail(this.#error(`It ended its process, ${how}.${words}`, null));
  }

  /** @throws PareError DATA_MODULE with the module's own error and line, ABORTED, DISPOSED */
  call<K extends ModuleRequest["kind"]>(
    request: Extract<ModuleRequest, { kind: K }>,
  ): Promise<ModuleReplies[K]> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = this.#next++;
    const limit = request.kind === "reduce" ? longWorkMs : (this.#options.patienceMs ?? 120_000);
    return new Promise<ModuleReplies[K]>((resolve, reject) => {
      const timer = setTimeout(() => {
        const doing =
          request.kind === "next"
            ? "give a sample"
            : request.kind === "open" || request.kind === "store"
              ? "load"
              : `answer ${request.kind}()`;
        this.#fail(
          this.#error(
            `It took more than ${limit / 1000} s to ${doing}.`,
            "Look for an endless loop, or for a promise that never settles.",
          ),
        );
      }, limit);
      this.#waiting.set(id, {
        resolve: (value) => (clearTimeout(timer), resolve(value)),
        reject: (error) => (clearTimeout(timer), reject(error)),
      });
      this.#child.send({ id, request } satisfies ModuleCall, (error) => {
        if (error)
          this.#waiting
            .get(id)
            ?.reject(this.#error(`It cannot be reached: ${error.message}`, null));
      });
    });
  }

  end(): void {
    this.#fail(new PareError("DISPOSED", "The data module was already closed."));
  }

  async #receive(reply: ModuleReply): Promise<void> {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.ok) waiting?.resolve(reply.value as never);
    else waiting?.reject(await this.#problem(reply.problem));
  }

  async #problem(problem: ModuleProblem): Promise<PareError> {
    const { code, message, hint } = problem;
    if (code !== null && isErrorCode(code))
      return new PareError(code, message, {
        where: problem.where ?? this.#path,
        ...(hint !== null && { hint }),
      });
    const where = problem.syntax
      ? ((await syntaxErrorLine(this.#path)) ?? problem.where)
      : problem.where;
    return this.#error(problem.message, problem.hint, where);
  }

  #error(message: string, hint: string | null, where: string | null = null): PareError {
    return new PareError("DATA_MODULE", `The data module ${this.#path} failed: ${message}`, {
      where: where ?? this.#path,
      hint: hint ?? "Run it by itself to find out more, or see the guide on your own data.",
    });
  }

  #fail(error: PareError): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#child.kill("SIGKILL");
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}

/** Node runs no TypeScript in a child: under a test runner the built file stands in. */
function childFile(): string {
  const url = import.meta.url.replace(/\/src\/data\/[^/]+\.ts$/, "/dist/data/module-process.js");
  return fileURLToPath(new URL("./data-child.js", url));
}

/** `import` does not say where a syntax error is; `node --check` does. */
function syntaxErrorLine(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(process.execPath, ["--check", path], (_error, _stdout, stderr) => {
      const first = stderr.split("\n")[0]?.trim() ?? "";
      resolve(/:\d+$/.test(first) ? first : null);
    });
  });
}

/** What Node writes below an error that nobody caught, or that ended it: where it was, and its version. */
function isTrace(line: string): boolean {
  return /^(\s+at |Node\.js v\d|-----|\s*\d+: 0x)/.test(line);
}
