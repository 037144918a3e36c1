import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { lstat, readdir, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { PareError } from "@pare/runtime/format";
import { fileError, systemCode } from "./file-error.js";
import { isProcessGone } from "./process-gone.js";

/** A folder of this process's own; gone when disposed of, or at the latest when the process exits. */
export interface TemporaryFolder {
  readonly path: string;
  dispose(): Promise<void>;
}

/**
 * Machines and containers may share a folder for temporary files, and not their processes. Short, as the path of a
 * browser's socket must be.
 */
const machine = createHash("sha256").update(hostname()).digest("hex").slice(0, 6);

/** The name says whose it is from the instant it is there: `pare-1f0c3a-4711-Ab3dEf`. */
const prefixOf = (pid: number): string => `pare-${machine}-${pid}-`;
const ownerIn = new RegExp(`^pare-${machine}-([1-9]\\d{0,9})-\\w{6}$`);

/** A browser that was just ended may still be writing to its folder. */
const removing = { recursive: true, force: true, maxRetries: 5, retryDelay: 50 };

let begun: Promise<void> | null = null;

/**
 * Makes a folder, and removes those that killed processes left.
 * @throws PareError PERMISSION, NO_SPACE
 */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  await (begun ??= begin());
  const prefix = join(tmpdir(), prefixOf(process.pid));
  const path = made(prefix);
  left.add(path);
  return {
    path,
    async dispose() {
      // What is not gone then is tried again at the exit.
      await rm(path, removing).then(
        () => left.delete(path),
        () => undefined,
      );
    },
  };
}

/** At once: a process that was interrupted could end between the folder's being there and its being known. */
function made(prefix: string): string {
  try {
    return mkdtempSync(prefix);
  } catch (cause) {
    if (systemCode(cause) !== "ENOENT") throw fileError(cause, prefix, "PERMISSION");
    throw new PareError("PERMISSION", `There is no folder ${tmpdir()} for temporary files.`, {
      where: "TMPDIR",
      hint: "Set the environment variable TMPDIR to a folder that is there.",
      cause,
    });
  }
}

/** Folders of this process's that are still there. */
const left = new Set<string>();

function removeLeft(): void {
  for (const path of left) {
    try {
      rmSync(path, removing);
    } catch {
      // The next run sweeps it.
    }
  }
}

/** Before the first folder of this process. */
async function begin(): Promise<void> {
  // Behind those that end browsers: these go before all others.
  process.on("exit", removeLeft);
  await sweep();
}

/** What cannot be removed stays: it is nobody's failure. */
async function sweep(): Promise<void> {
  const names = await readdir(tmpdir()).catch((): string[] => []);
  for (const name of names) {
    const owner = ownerIn.exec(name)?.[1];
    if (owner === undefined || !isProcessGone(Number(owner))) continue;
    const path = join(tmpdir(), name);
    const found = await lstat(path).catch(() => null);
    if (found?.isDirectory() && found.uid === (process.getuid?.() ?? found.uid))
      await rm(path, removing).catch(() => undefined);
  }
}
