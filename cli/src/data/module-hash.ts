import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { relative } from "node:path";
import { fileError } from "../platform/file-error.js";
import { openFileSource } from "../platform/file-source.js";
import { type Reference, referencesOf } from "./module-references.js";
import { resolveReference } from "./resolve-reference.js";

export interface ModuleHash {
  /** Of the module and all it refers to: 64 hex digits. It does not depend on where the files lie. */
  readonly sha256: string;
  /** Why a change could go unseen, one sentence each. Where there are any, what the module computes is not to be kept. */
  readonly gaps: readonly string[];
}

export interface HashLimits {
  /** Default 2,000. */
  readonly mostFiles?: number;
  /** Of all files together. Default 64 MB. */
  readonly mostBytes?: number;
}

/**
 * Hashes a user's data module with every file that it imports, requires or names by `new URL("…", import.meta.url)`,
 * and those that these name; installed packages by name and version. What a module opens by a path that it puts
 * together itself is not seen.
 * @throws PareError DATA_NOT_FOUND, PERMISSION for the module itself
 */
export async function hashModule(file: string, limits: HashLimits = {}): Promise<ModuleHash> {
  const entry = await realpath(file).catch((cause: unknown) => {
    throw fileError(cause, file, "DATA_NOT_FOUND");
  });
  return new ModuleWalk(limits).hash(entry);
}

/** Of `--data` that is a module; null of any other, and of one that cannot be read: opening it says so. */
export async function hashData(path: string | undefined): Promise<ModuleHash | null> {
  if (path === undefined || !/\.[cm]?js$/i.test(path)) return null;
  return hashModule(path).catch(() => null);
}

class ModuleWalk {
  readonly #mostFiles: number;
  readonly #mostBytes: number;
  readonly #hash = createHash("sha256");
  /** Found so far, each with its number; those at the end are still to be read. */
  readonly #numbers = new Map<string, number>();
  readonly #gaps: string[] = [];
  #bytes = 0;

  constructor({ mostFiles = 2000, mostBytes = 64e6 }: HashLimits) {
    this.#mostFiles = mostFiles;
    this.#mostBytes = mostBytes;
  }

  async hash(entry: string): Promise<ModuleHash> {
    this.#numbers.set(entry, 0);
    // The map grows while it is walked; a file that is found again is not added again, so circles end.
    for (const [path, number] of this.#numbers) {
      if (number >= this.#mostFiles) {
        this.#gaps.push(`It refers to more than ${this.#mostFiles} files.`);
        break;
      }
      await this.#file(path, number);
    }
    return { sha256: this.#hash.digest("hex"), gaps: this.#gaps };
  }

  async #file(path: string, number: number): Promise<void> {
    const bytes = await this.#read(path, number === 0);
    if (bytes === null) return this.#say("unread", number);
    this.#say("file", number, createHash("sha256").update(bytes).digest("hex"));
    if (!/\.[cm]?[jt]s$/.test(path)) return;
    const references = referencesOf(new TextDecoder().decode(bytes));
    if (references === null) this.#gap(path, "cannot be read as JavaScript");
    else if (references.computed) this.#gap(path, "imports what it computes");
    for (const reference of references?.named ?? []) await this.#reference(reference, path);
  }

  async #reference(reference: Reference, from: string): Promise<void> {
    const { how, specifier } = reference;
    const resolved = await resolveReference(reference, from);
    switch (resolved.kind) {
      case "file": {
        const number = this.#numbers.get(resolved.path) ?? this.#numbers.size;
        this.#numbers.set(resolved.path, number);
        return this.#say(how, specifier, number);
      }
      case "package":
        return this.#say(how, specifier, resolved.id);
      case "unknown":
        this.#gap(from, `imports "${specifier}", whose file is not known`);
        return this.#say(how, specifier);
      case "unresolved":
        return this.#say(`unresolved ${specifier}`);
      case "nothing":
        return this.#say(how, specifier);
    }
  }

  /** Null for a file that may not be read, or is too much. */
  async #read(path: string, demanded: boolean): Promise<Uint8Array | null> {
    try {
      const file = openFileSource(path, "DATA_NOT_FOUND");
      try {
        if (this.#bytes + file.size <= this.#mostBytes) {
          this.#bytes += file.size;
          return await file.read(0, file.size);
        }
        this.#gap(
          path,
          `is too large: together more than ${this.#mostBytes / 1e6} MB are not read`,
        );
      } finally {
        file.close();
      }
    } catch (error) {
      if (demanded) throw error;
      this.#gap(path, "cannot be read");
    }
    return null;
  }

  #gap(path: string, what: string): void {
    this.#gaps.push(`${relative(process.cwd(), path)} ${what}.`);
  }

  #say(...parts: readonly (string | number)[]): void {
    this.#hash.update(`${JSON.stringify(parts)}\n`);
  }
}
