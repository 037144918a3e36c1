import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, dirname, posix } from "node:path";
import type { ModelSource } from "@pare/compiler";
import {
  byteSource,
  type ByteSource,
  isPareError,
  messageOf,
  PareError,
} from "@pare/runtime/format";
import { systemCode } from "../../platform/file-error.js";

/**
 * A model as it was at a commit: its file and, when it names them, those beside it. Filters apply, so
 * files in Git LFS are read too, and what a link leads to.
 * @throws PareError MODEL_NOT_FOUND when there is no repository, no such commit, or no such file in it
 */
export function modelAtCommit(path: string, ref: string): ModelSource {
  const folder = dirname(path);
  return {
    name: basename(path),
    main: byteSource(fileAtCommit(folder, basename(path), ref)),
    beside: new FilesAtCommit(folder, ref),
  };
}

class FilesAtCommit extends Map<string, ByteSource> {
  readonly #folder: string;
  readonly #ref: string;

  constructor(folder: string, ref: string) {
    super();
    this.#folder = folder;
    this.#ref = ref;
  }

  override get(location: string): ByteSource | undefined {
    const known = super.get(location);
    if (known !== undefined) return known;
    const source = byteSource(fileAtCommit(this.#folder, location, this.#ref));
    this.set(location, source);
    return source;
  }
}

/** So many links in a row are one that leads to itself. */
const mostLinks = 8;

function fileAtCommit(folder: string, name: string, ref: string, links = 0): Uint8Array {
  const where = `${ref}:${name}`;
  if (ref.startsWith("-"))
    throw new PareError("ARGUMENT", `"${ref}" is no commit.`, { where: "--base" });
  try {
    const listed = git(folder, ["ls-tree", ref, "--", `./${name}`]).toString();
    if (listed.startsWith("040000 ")) throw isFolder(name, ref, where);
    const file = git(folder, ["cat-file", "--filters", `${ref}:./${name}`]);
    if (!listed.startsWith("120000 ") || links === mostLinks) return file;
    const target = posix.join(posix.dirname(name), new TextDecoder().decode(file));
    return fileAtCommit(folder, target, ref, links + 1);
  } catch (cause) {
    if (isPareError(cause)) throw cause;
    const { said, hint } = reasonOf(cause, folder);
    throw new PareError(
      "MODEL_NOT_FOUND",
      `git has no ${name} at ${ref}: ${said.replace(/\.$/, "")}.`,
      { where, hint, cause },
    );
  }
}

function git(folder: string, args: readonly string[]): Buffer {
  return execFileSync("git", args, {
    cwd: folder,
    env: { ...process.env, LC_ALL: "C" },
    maxBuffer: 2 ** 31 - 1,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function isFolder(name: string, ref: string, where: string): PareError {
  return new PareError("MODEL_NOT_FOUND", `${name} is a folder at ${ref}, but a file is needed.`, {
    where,
    hint: "Name a file inside it.",
  });
}

/** Why there is no such file, and what to do. */
function reasonOf(
  cause: unknown,
  folder: string,
): { readonly said: string; readonly hint: string } {
  // Of a program and of the folder to start it in, the system says the same.
  if (systemCode(cause) === "ENOENT")
    return existsSync(folder)
      ? {
          said: "git is not installed",
          hint: "Install git, or name a file with the baseline in the place of --base.",
        }
      : {
          said: `there is no folder ${folder}`,
          hint: "Check the path; relative ones start at the current folder.",
        };
  const stderr: unknown = cause instanceof Error && "stderr" in cause ? cause.stderr : null;
  const text = Buffer.isBuffer(stderr) || typeof stderr === "string" ? stderr.toString() : "";
  const [said = ""] = text.trim().split("\n");
  return {
    said: said === "" ? messageOf(cause) : said,
    hint: "Name a commit, branch or tag that has the file. In CI, check out with its history: fetch-depth: 0.",
  };
}
