import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isEntryName, isTemporaryName } from "./entry.js";
import { withLock } from "../platform/lock.js";

/** More entries than this would make looking through the folder slow. */
const mostEntries = 20_000;

/** How full pruning leaves the cache, so that not every entry that comes next prunes again. */
const leave = 7 / 8;

/** Writing the largest entry takes no hour: a temporary file of this age was left behind. */
const temporaryMs = 3_600_000;

export interface Use {
  readonly entries: number;
  readonly bytes: number;
}

/** What the cache holds; nothing, where there is no such folder. */
export async function usage(folder: string): Promise<Use> {
  const files = await look(folder, isEntryName).catch(() => []);
  return { entries: files.length, bytes: total(files) };
}

/**
 * Removes what interrupted writes left and, when there is more than `mostBytes` or too many entries, those that were
 * used longest ago. Does nothing while another process does it. Files of other names are not its own.
 */
export async function prune(folder: string, mostBytes: number): Promise<void> {
  await withLock(join(folder, ".lock"), async () => {
    const now = Date.now();
    for (const { path, mtimeMs } of await look(folder, isTemporaryName)) {
      if (Math.abs(now - mtimeMs) > temporaryMs) await remove(path);
    }
    const files = await look(folder, isEntryName);
    let bytes = total(files);
    let entries = files.length;
    if (bytes <= mostBytes && entries <= mostEntries) return;
    for (const file of files.toSorted((a, b) => a.mtimeMs - b.mtimeMs)) {
      if (bytes <= mostBytes * leave && entries <= mostEntries * leave) break;
      await remove(file.path);
      bytes -= file.bytes;
      entries--;
    }
  });
}

interface Found {
  readonly path: string;
  readonly bytes: number;
  readonly mtimeMs: number;
}

/** Files that others remove meanwhile are left out. */
async function look(folder: string, wanted: (name: string) => boolean): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const name of await readdir(folder)) {
    if (!wanted(name)) continue;
    const path = join(folder, name);
    const stats = await lstat(path).catch(() => null);
    if (stats !== null) found.push({ path, bytes: stats.size, mtimeMs: stats.mtimeMs });
  }
  return found;
}

function total(files: readonly Found[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** What cannot be removed, as an open file on Windows, stays until next time. */
async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(() => undefined);
}
