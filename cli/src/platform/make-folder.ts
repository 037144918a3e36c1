import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "./file-error.js";

/**
 * Makes a folder and those above it. Node's own `recursive` never returns where the system answers ENOENT for a folder
 * whose parent is there, as /proc does.
 * @param mode of each that is made; the process's umask takes from it
 * @throws the system's error
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await makeOne(path, mode);
  } catch (error) {
    const parent = dirname(path);
    if (systemCode(error) !== "ENOENT" || parent === path) throw error;
    // It may be there by now: another process makes the same folders.
    if (!(await isFolder(parent))) await makeFolder(parent, mode);
    await makeOne(path, mode);
  }
}

/** Another process may make the same folder at the same time. */
async function makeOne(path: string, mode: number): Promise<void> {
  await mkdir(path, mode).catch(async (error: unknown) => {
    if (systemCode(error) !== "EEXIST" || !(await isFolder(path))) throw error;
  });
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
