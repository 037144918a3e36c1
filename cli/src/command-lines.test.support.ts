import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const entry = fileURLToPath(new URL("../test-data/command-lines-child.mjs", import.meta.url));

const mostAtOnce = 2;

/** How a command line ended; the code is null where its process was killed. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandLineOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Command lines of what was built, in processes that load it once: that is what most of them cost. One that ends its
 * process, or takes longer than `patienceMs`, is lost alone; the next gets another process.
 */
export class CommandLines {
  readonly #cwd: () => string;
  readonly #execArgv: readonly string[];
  readonly #patienceMs: number;
  readonly #idle: ChildProcess[] = [];
  readonly #waiting: (() => void)[] = [];
  #free = mostAtOnce;

  /** @param cwd where a command line runs that does not say where */
  constructor(
    cwd: () => string,
    {
      execArgv = [],
      patienceMs = 110_000,
    }: { execArgv?: readonly string[]; patienceMs?: number } = {},
  ) {
    this.#cwd = cwd;
    this.#execArgv = execArgv;
    this.#patienceMs = patienceMs;
  }

  /** Two run at once, whatever is asked for at once: each has time of its own. */
  async run(
    args: readonly string[],
    { cwd = this.#cwd(), env = {} }: CommandLineOptions = {},
  ): Promise<Ended> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free -= 1;
    const child = this.#idle.pop() ?? this.#start();
    const ended = await new Promise<Ended>((resolve) => {
      const timer = setTimeout(() => child.kill("SIGKILL"), this.#patienceMs);
      const finish = (as: Ended): void => {
        clearTimeout(timer);
        child.off("message", answered).off("exit", killed);
        resolve(as);
      };
      const answered = (message: unknown): void => finish(message as Ended);
      const killed = (): void => finish({ code: null, stdout: "", stderr: "" });
      child.on("message", answered).on("exit", killed);
      child.send({ args, cwd, env });
    });
    if (ended.code !== null) this.#idle.push(child);
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
    return ended;
  }

  async dispose(): Promise<void> {
    const gone = this.#idle.splice(0).map(async (child) => {
      child.disconnect();
      await once(child, "exit");
    });
    await Promise.all(gone);
  }

  #start(): ChildProcess {
    return fork(entry, [], {
      execArgv: [...this.#execArgv],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
  }
}
