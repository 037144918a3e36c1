import { chmod, lstat } from "node:fs/promises";
import { systemCode } from "../platform/file-error.js";
import { makeFolder } from "../platform/make-folder.js";

/** Why a folder will not do for the cache, and what to do about it. */
export interface Refusal {
  readonly reason: string;
  readonly hint: string;
}

/**
 * Makes the folder if it is not there, and takes from others what they may do in it.
 * @param path as `cachePlace` says
 * @returns why it will not do; null: it is this user's own
 * @throws the system's error where it cannot be made or looked at
 */
export async function claimFolder(path: string | null): Promise<Refusal | null> {
  const before = await refusalOf(path);
  if (path === null || before !== null) return before;
  await makeFolder(path, 0o700);
  const refusal = await refusalOf(path);
  if (refusal === null && process.geteuid !== undefined) await chmod(path, 0o700);
  return refusal;
}

/**
 * Another user who can write to the folder could read what is derived from this user's samples, and choose what is
 * found there. On Windows the folder above belongs to the user alone, and nothing is checked but its kind.
 * @returns why it will not do; null: it is this user's own, or not there
 */
export async function refusalOf(path: string | null): Promise<Refusal | null> {
  if (path === null) {
    return {
      reason: "this user has no home folder",
      hint: "Set XDG_CACHE_HOME to a folder of yours.",
    };
  }
  const found = await lstat(path).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return null;
    throw error;
  });
  if (found === null) return null;
  if (found.isSymbolicLink()) {
    return { reason: "it is a symbolic link", hint: "Delete it." };
  }
  if (!found.isDirectory()) return { reason: "it is no folder", hint: "Delete it." };
  if (process.geteuid === undefined) return null;
  if (found.uid !== process.geteuid()) {
    return {
      reason: "it belongs to another user",
      hint: "Set XDG_CACHE_HOME to a folder of yours.",
    };
  }
  if ((found.mode & 0o022) !== 0) {
    return {
      reason: "other users may write to it",
      hint: `Delete it, or take that away: chmod 700 ${path}`,
    };
  }
  return null;
}
