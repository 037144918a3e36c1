import { randomBytes } from "node:crypto";
import { access, constants, realpath, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { PareError } from "@pare/runtime/format";
import { fileError } from "./file-error.js";
import { nearestThere } from "./nearest-there.js";

/** A full disk may still take an empty file. */
const probeBytes = 4096;

/**
 * Whether a file can be written, to be asked before the work that makes it: a small one is written beside it and removed.
 * @throws PareError PERMISSION, NO_SPACE, ARGUMENT where a folder is in its place, or a file in its folder's
 */
export async function demandWritable(path: string): Promise<void> {
  try {
    const target = await realpath(path).catch(() => resolve(path));
    const found = await stat(target).catch(() => null);
    if (found?.isDirectory() === true) throw isNoPlace(path, "it is a folder");
    // A device or pipe is written to, and nothing is put beside it.
    if (found?.isFile() === false) return await access(target, constants.W_OK);
    const folder = await nearestThere(dirname(target));
    if (!(await stat(folder)).isDirectory()) throw isNoPlace(path, "its folder is a file");
    const name = `.${basename(target)}.${process.pid}.${randomBytes(4).toString("hex")}`;
    const probe = join(folder, name);
    try {
      await writeFile(probe, new Uint8Array(probeBytes), { flag: "wx", flush: true });
    } catch (cause) {
      // The file itself may be none yet.
      const error = fileError(cause, folder, "ARGUMENT");
      throw error.code === "PERMISSION" ? error : cause;
    } finally {
      await rm(probe, { force: true }).catch(() => undefined);
    }
  } catch (cause) {
    throw fileError(cause, path, "ARGUMENT");
  }
}

function isNoPlace(path: string, why: string): PareError {
  return new PareError("ARGUMENT", `${path} cannot be written: ${why}.`, {
    where: path,
    hint: "Name another file.",
  });
}
