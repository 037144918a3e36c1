import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { open, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PareError } from "@pare/runtime/format";
import { fileError, systemCode } from "./file-error.js";
import { makeFolder } from "./make-folder.js";

/** What does not fit into memory comes in parts. */
type Content = Uint8Array | string | AsyncIterable<Uint8Array>;

/**
 * Writes a file so that it is there as a whole or not at all: under another name first, then renamed into place.
 * Missing folders are made; a link is followed; a device or pipe is written to, not replaced.
 * @throws PareError NO_SPACE, PERMISSION
 */
export async function writeFileAtomic(path: string, content: Content): Promise<void> {
  let temporary: string | null = null;
  // Whoever interrupts twice does not wait for the end of a write.
  const atExit = (): void => {
    if (temporary !== null) rmSync(temporary, { force: true });
  };
  process.once("exit", atExit);
  try {
    const target = await realpath(path).catch(() => path);
    if (await isSpecial(target)) {
      await write(target, "w", content, false);
      return;
    }
    const folder = dirname(target);
    await makeFolder(folder);
    const name = `.${basename(target)}.${process.pid}.${randomBytes(4).toString("hex")}`;
    temporary = join(folder, name);
    await write(temporary, "wx", content, true);
    await rename(temporary, target);
  } catch (cause) {
    if (temporary !== null) await rm(temporary, { force: true }).catch(() => undefined);
    // The folder is there by then: its file system makes no files.
    if (systemCode(cause) === "ENOENT")
      throw new PareError("PERMISSION", `${path} cannot be written there.`, {
        where: path,
        hint: "Name another place.",
        cause,
      });
    throw fileError(cause, path, "ARGUMENT");
  } finally {
    process.off("exit", atExit);
  }
}

async function write(path: string, flags: string, content: Content, sync: boolean): Promise<void> {
  const file = await open(path, flags);
  try {
    await writeFile(file, content);
    if (sync) await file.sync();
  } finally {
    await file.close();
  }
}

async function isSpecial(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => !found.isFile() && !found.isDirectory(),
    () => false,
  );
}
