// Processes that answer one request at a time, within a time and a memory; one that does not is killed and replaced.
import { fork } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

/** How often a process's memory is looked at, besides once after each answer. */
const lookEveryMs = 100;

export class WatchedChild {
  #start;
  #limits;
  #child = null;

  /** @param start gives `{ file, args, execArgv, env }` */
  constructor(start, { limitMs, limitBytes }) {
    this.#start = start;
    this.#limits = { limitMs, limitBytes };
  }

  /** @returns the answer, or `{ outcome: "finding", what }` where the process hung, took too much, or ended */
  async ask(request) {
    this.#child ??= await this.#spawn();
    const child = this.#child;
    return new Promise((resolve) => {
      const end = (answer) => {
        clearTimeout(timer);
        clearInterval(watch);
        child.off("message", onMessage).off("exit", onExit);
        resolve(answer);
      };
      const fail = (what) => {
        this.replace();
        end({ outcome: "finding", what });
      };
      const checkMemory = () => {
        const peak = peakBytes(child.pid);
        if (peak <= this.#limits.limitBytes) return true;
        fail(`memory: ${Math.round(peak / 2 ** 20)} MB resident`);
        return false;
      };
      const onMessage = (answer) => {
        if (!checkMemory()) return;
        forgetPeak(child.pid);
        end(answer);
      };
      const onExit = (code, signal) => {
        this.#child = null;
        end({ outcome: "finding", what: `crash: the process ended (${code ?? signal})` });
      };
      const timer = setTimeout(
        () => fail(`hang: no answer in ${this.#limits.limitMs} ms`),
        this.#limits.limitMs,
      );
      const watch = setInterval(checkMemory, lookEveryMs);
      child.on("message", onMessage).on("exit", onExit);
      child.send(request);
    });
  }

  /** The next request gets a fresh process. */
  replace() {
    this.#child?.removeAllListeners("exit");
    this.#child?.kill("SIGKILL");
    this.#child = null;
  }

  #spawn() {
    const { file, args = [], ...options } = this.#start();
    const child = fork(file, args, { stdio: ["ignore", "ignore", "ignore", "ipc"], ...options });
    return new Promise((resolve, reject) => {
      child.once("message", () => resolve(child));
      child.once("exit", (code) => reject(new Error(`${file} ended at once (${code}).`)));
    }).finally(() => child.removeAllListeners("exit"));
  }
}

/** Linux alone tells of another process; elsewhere its time is watched alone. */
function peakBytes(pid) {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function forgetPeak(pid) {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
  } catch {
    // It may have ended; or the peak stays, which refuses more and hides nothing.
  }
}
