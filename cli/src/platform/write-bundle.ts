import { renameSync } from "node:fs";
import { access, constants, readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { isPareError, messageOf, PareError } from "@pare/runtime/format";
import type { BundleSink } from "@pare/compiler";
import { systemCode } from "./file-error.js";
import { holderOf, withLock } from "./lock.js";
import { makeFolder } from "./make-folder.js";
import { nearestThere } from "./nearest-there.js";

/**
 * Writes bundles into a folder. Everything goes to temporary names first, and then into place, the manifest last. What a
 * manifest names has its hash in its own name, so that until then the old bundle is whole: it is what a failed or an
 * interrupted write leaves, and what that leaves beside it is removed by the next.
 * @throws PareError NO_SPACE, PERMISSION, ARGUMENT when the folder holds something other than a bundle
 */
export function folderSink(folder: string): BundleSink {
  return {
    async write(files) {
      try {
        const before = await demandBundleOrNothing(folder);
        await makeFolder(join(folder, "variants"));
        await removeStale(folder, (name) => name.endsWith(temporary));
        const moves: [from: string, to: string][] = [];
        for (const [path, bytes] of files) {
          const to = join(folder, path);
          const from = join(dirname(to), `.${path.replaceAll("/", "-")}${temporary}`);
          if (isNamedByContent(path) && (await holds(to, bytes))) continue;
          moves.push([from, to]);
          await writeFile(from, bytes, { flush: true });
        }
        // What tells a bundle from another package comes first where there is no bundle yet: an interrupted write can go on.
        if (!before.includes("manifest.json")) moves.sort(([, a], [, b]) => rank(a) - rank(b));
        for (const [from, to] of moves) renameSync(from, to);
        for (const within of ["variants/", ""])
          await removeStale(
            join(folder, within),
            (name) => isReplaced(`${within}${name}`) && !files.has(`${within}${name}`),
          );
      } catch (error) {
        await removeLeftovers(folder);
        throw writeError(error, folder);
      }
    },
  };
}

const temporary = ".pare-tmp";
/** Of every bundle, and the first that is written of one. */
const marker = "golden.json";

function isNamedByContent(path: string): boolean {
  return /^(variants\/[0-9a-f]{64}\.\w+|golden-[0-9a-f]{64}\.json)$/.test(path);
}

/** Files that only some bundles have: what the next one lacks of them would say what is no more. And halves of files. */
function isReplaced(path: string): boolean {
  return isOwn(path) || /^aot-(loader|workerd)\.(js|d\.ts)$/.test(path);
}

/**
 * Does work that writes a bundle into a folder, now and then, while no other process does. The lock lies beside the folder.
 * @throws PareError BUSY, which says who does; what the work throws
 */
export async function whileWriting(folder: string, work: () => Promise<void>): Promise<void> {
  const place = resolve(folder);
  const lock = join(dirname(place), `.${basename(place)}.lock`);
  let begun = false;
  const noted = async (): Promise<void> => {
    begun = true;
    await work();
  };
  try {
    await makeFolder(dirname(place));
    if (await withLock(lock, noted)) return;
  } catch (error) {
    if (begun) throw error;
    // The folder may be writable where nothing may be put beside it.
    if (["EACCES", "EPERM", "EROFS"].includes(String(systemCode(error)))) return work();
    throw writeError(error, folder);
  }
  throw new PareError("BUSY", `${await holderOf(lock)} is writing this bundle.`, {
    where: folder,
    hint: `Wait until it has ended, or choose another place with -o. If there is no such process, remove ${lock}.`,
  });
}

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

function rank(path: string): number {
  return basename(path) === marker ? 0 : 1;
}

/** @returns what the folder holds */
async function demandBundleOrNothing(folder: string): Promise<readonly string[]> {
  const names = await namesIn(folder);
  // What an interrupted write leaves is no obstacle.
  const others = names.filter((name) => name !== "variants" && !name.endsWith(temporary));
  if (others.length === 0) {
    const inside = names.includes("variants") ? await namesIn(join(folder, "variants")) : [];
    others.push(...inside.map((name) => `variants/${name}`).filter((path) => !isOwn(path)));
  }
  if (others.length === 0 || (await isBundle(folder))) return names;
  const message = names.includes("package.json")
    ? "The folder holds a package that is not a bundle."
    : `The folder is not empty, and what it holds is no bundle: ${others[0]}.`;
  throw new PareError("ARGUMENT", message, {
    where: folder,
    hint: "Choose another folder with -o.",
  });
}

function isOwn(path: string): boolean {
  return isNamedByContent(path) || path.endsWith(temporary);
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  });
}

/** By what its files say: other things, too, are kept in files of those names. */
async function isBundle(folder: string): Promise<boolean> {
  for (const name of ["manifest.json", marker]) {
    const text = await readFile(join(folder, name), "utf8").catch(() => "");
    if (saysFormat(text)) return true;
  }
  return false;
}

function saysFormat(text: string): boolean {
  try {
    const said: unknown = JSON.parse(text);
    return (
      typeof said === "object" &&
      said !== null &&
      "formatVersion" in said &&
      typeof said.formatVersion === "number"
    );
  } catch {
    return false;
  }
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

function writeError(error: unknown, folder: string): PareError {
  if (isPareError(error)) return error;
  const details = { where: folder, cause: error };
  switch (systemCode(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return new PareError("NO_SPACE", "The bundle does not fit on the disk.", {
        ...details,
        hint: "Free some space, or choose another place with -o.",
      });
    case "EACCES":
    case "EPERM":
    case "EROFS":
    // Of a folder that was to be made: where there is what cannot be made, as in /proc.
    case "ENOENT":
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
    case "ENAMETOOLONG":
    case "ELOOP":
      return new PareError("ARGUMENT", `There can be no such place: ${messageOf(error)}`, {
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
