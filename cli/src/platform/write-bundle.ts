import { renameSync } from "node:fs";
import { access, constants, readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isPareError, messageOf, PareError } from "@pare/runtime/format";
import type { BundleSink } from "@pare/compiler";
import { makeFolder } from "./make-folder.js";

/**
 * Writes bundles into a folder. Variants go to their own names, which an old manifest does not use; all else
 * goes to temporary names, and then into place in one synchronous go, the manifest last. What a failed write
 * leaves is the old bundle; what an interrupted one leaves beside it is removed by the next.
 * @throws PareError NO_SPACE, PERMISSION, ARGUMENT when the folder holds something other than a bundle
 */
export function folderSink(folder: string): BundleSink {
  return {
    async write(files) {
      try {
        await demandBundleOrNothing(folder);
        await makeFolder(join(folder, "variants"));
        await removeStale(folder, (name) => name.endsWith(temporary));
        const moves: [from: string, to: string][] = [];
        for (const [path, bytes] of files) {
          const to = join(folder, path);
          const from = join(dirname(to), `.${path.replaceAll("/", "-")}${temporary}`);
          if (path.startsWith("variants/") && (await holds(to, bytes))) continue;
          moves.push([from, to]);
          await writeFile(from, bytes, { flush: true });
        }
        for (const [from, to] of moves) renameSync(from, to);
        await removeStale(join(folder, "variants"), (name) => !files.has(`variants/${name}`));
      } catch (error) {
        await removeLeftovers(folder);
        throw writeError(error, folder);
      }
    },
  };
}

const temporary = ".pare-tmp";

/**
 * Whether a bundle can go here, to be asked before the work that makes one.
 * @throws PareError PERMISSION, ARGUMENT when the place is a file, or a folder with something other than a bundle in it
 */
export async function checkBundlePlace(folder: string): Promise<void> {
  try {
    await demandBundleOrNothing(folder);
    await access(await nearestThere(resolve(folder)), constants.W_OK);
  } catch (error) {
    throw writeError(error, folder);
  }
}

async function demandBundleOrNothing(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return [] as string[];
    throw error;
  });
  // What an interrupted write leaves is no obstacle.
  const others = names.filter((name) => name !== "variants" && !name.endsWith(temporary));
  if (others.length === 0 || names.includes("golden.json")) return;
  const message = names.includes("package.json")
    ? "The folder holds a package that is not a bundle."
    : `The folder is not empty, and what it holds is no bundle: ${others[0]}.`;
  throw new PareError("ARGUMENT", message, {
    where: folder,
    hint: "Choose another folder with -o.",
  });
}

/** The folder itself, or of those above it the first that exists. */
async function nearestThere(path: string): Promise<string> {
  const there = await access(path).then(
    () => true,
    (error: unknown) => codeOf(error) !== "ENOENT",
  );
  return there || dirname(path) === path ? path : nearestThere(dirname(path));
}

/** Takes away what a failed write left, and the folders that it made, if they are empty. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const each of [join(folder, "variants"), folder]) {
    await removeStale(each, (name) => name.endsWith(temporary)).catch(() => undefined);
    await rmdir(each).catch(() => undefined);
  }
}

async function removeStale(folder: string, stale: (name: string) => boolean): Promise<void> {
  for (const name of await readdir(folder)) {
    if (stale(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function holds(path: string, bytes: Uint8Array): Promise<boolean> {
  return readFile(path).then(
    (content) => content.equals(bytes),
    () => false,
  );
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function writeError(error: unknown, folder: string): PareError {
  if (isPareError(error)) return error;
  const details = { where: folder, cause: error };
  switch (codeOf(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return new PareError("NO_SPACE", "The bundle does not fit on the disk.", {
        ...details,
        hint: "Free some space, or choose another place with -o.",
      });
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new PareError("PERMISSION", "The bundle may not be written here.", {
        ...details,
        hint: "Choose another place with -o.",
      });
    case "ENOTDIR":
    case "EEXIST":
      return new PareError("ARGUMENT", "The bundle's place is a file.", {
        ...details,
        hint: "Choose another place with -o.",
      });
    default:
      return new PareError(
        "INTERNAL",
        `The bundle could not be written: ${messageOf(error)}`,
        details,
      );
  }
}
