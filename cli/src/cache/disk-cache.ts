import type { Cache, CacheKey } from "@pare/compiler";
import { sha256 } from "@pare/runtime/format";
import { systemCode } from "../platform/file-error.js";
import { mostPayloadBytes } from "./entry.js";
import { readEntry, writeEntry } from "./entry-file.js";
import { claimFolder } from "./own-folder.js";
import { prune } from "./prune.js";

export interface DiskCacheOptions {
  /** A folder that was claimed. */
  readonly folder: string;
  /** Of all entries together. */
  readonly mostBytes: number;
  /** Of this program: entries of another one are not found. */
  readonly identity: string;
  /** Told once, when entries cannot be written. */
  readonly onNote: (line: string) => void;
}

/** This entry is not kept, the next one may be. On Windows, a file that another program has open cannot be replaced. */
const passing: readonly unknown[] =
  process.platform === "win32"
    ? ["ENOENT", "EMFILE", "ENFILE", "EBUSY", "EPERM", "EACCES"]
    : ["ENOENT", "EMFILE", "ENFILE"];

/** Entries as files of one folder, which any number of processes share. */
export class DiskCache implements Cache {
  readonly #options: DiskCacheOptions;
  /** Written since this process last pruned; it prunes after its first entry, too. */
  #written = Infinity;
  #writable = true;

  constructor(options: DiskCacheOptions) {
    this.#options = options;
  }

  async get(key: CacheKey): Promise<Uint8Array | undefined> {
    return readEntry(this.#options.folder, await this.#name(key));
  }

  async put(key: CacheKey, bytes: Uint8Array): Promise<void> {
    const { mostBytes } = this.#options;
    if (!this.#writable || bytes.length > Math.min(mostPayloadBytes, mostBytes)) return;
    try {
      await this.#write(await this.#name(key), bytes);
      this.#written += bytes.length;
      if (this.#written < mostBytes / 16) return;
      this.#written = 0;
      await prune(this.#options.folder, mostBytes);
    } catch (error) {
      if (!passing.includes(systemCode(error))) this.#stopWriting(error);
    }
  }

  async #write(name: string, bytes: Uint8Array): Promise<void> {
    const { folder } = this.#options;
    try {
      await writeEntry(folder, name, bytes);
    } catch (error) {
      // Deleting the folder is how a user empties the cache: it is made again.
      if (systemCode(error) !== "ENOENT" || (await claimFolder(folder)) !== null) throw error;
      await writeEntry(folder, name, bytes);
    }
  }

  #stopWriting(error: unknown): void {
    if (!this.#writable) return;
    this.#writable = false;
    const { folder, onNote } = this.#options;
    onNote(`Nothing more is kept in the cache ${folder}: ${reasonOf(error)}.`);
  }

  /** The program's identity and the key, hashed: a name, and no part of either. */
  #name(key: CacheKey): Promise<string> {
    return sha256(new TextEncoder().encode(`${this.#options.identity} ${key.hash}`));
  }
}

function reasonOf(error: unknown): string {
  const code = systemCode(error);
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return "the disk is full";
    case "EROFS":
    case "EACCES":
    case "EPERM":
      return "it may not be written";
    default:
      return `writing failed${code === null ? "" : ` (${code})`}`;
  }
}
