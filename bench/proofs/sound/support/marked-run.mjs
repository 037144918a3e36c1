// A command whose processes, however deep, can be found again: all inherit a mark in their environment.
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cacheVariable } from "../../shell.mjs";

/** Linux tells what the environment of a process is; without it these proofs cannot look. */
export const canLook = process.platform === "linux";

/** Starts `pare` in a process group of its own, as a terminal does, with a folder of its own for temporary files. */
export function startPare(root, args, { place, env = {} }) {
  const mark = randomUUID();
  const temporary = join(place, "tmp");
  mkdirSync(temporary, { recursive: true });
  const child = spawn(process.execPath, [join(root, "cli/bin/pare.js"), ...args], {
    cwd: root,
    detached: true,
    env: {
      ...process.env,
      TMPDIR: temporary,
      [cacheVariable]: join(place, "cache"),
      PARE_PROOF_MARK: mark,
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  const ended = new Promise((resolve) => {
    child.on("exit", (code, signal) => resolve(code ?? signal));
  });
  /** As a terminal does: to all that it started. */
  const signal = (name) => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, name);
  };
  return { child, mark, temporary, ended, signal, said: () => ({ stdout, stderr }) };
}

/** The processes that run with a mark: number and command line. */
export function markedProcesses(mark) {
  const found = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, "latin1").includes(`PARE_PROOF_MARK=${mark}`))
        continue;
      // One that has ended and is not yet waited for runs nothing.
      if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      found.push({ pid: Number(pid), command });
    } catch {
      // It ended meanwhile, or is somebody else's.
    }
  }
  return found;
}

/** @returns milliseconds until no process has the mark; Infinity, and they are killed, where some still have after `mostMs` */
export async function goneAfter(mark, mostMs) {
  const start = performance.now();
  for (;;) {
    const left = markedProcesses(mark);
    const passed = performance.now() - start;
    if (left.length === 0) return passed;
    if (passed > mostMs) {
      for (const { pid } of left) kill(pid);
      return Infinity;
    }
    await sleep(25);
  }
}

function kill(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What runs of Pare and of the browser left in their folder for temporary files; a foreign program's is not counted. */
export const leftIn = (temporary) =>
  readdirSync(temporary).filter((name) =>
    /^(pare-|playwright|org\.chromium|\.org\.chromium)/.test(name),
  );
