import { mkdtempSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where a browser writes. */
export interface ProfileFolder {
  readonly path: string;
  /** When nobody writes there any more. */
  remove(): Promise<void>;
}

/** A browser that was just ended may still be writing. */
const removing = { recursive: true, force: true, maxRetries: 5, retryDelay: 50 };

/** One that its owner removes. */
export function givenFolder(path: string): ProfileFolder {
  return { path, async remove() {} };
}

/** One that is gone with this process, unless that is killed. What cannot be removed is left to the system. */
export function ownFolder(): ProfileFolder {
  const path = mkdtempSync(join(tmpdir(), "pare-browser-"));
  const atExit = (): void => {
    try {
      rmSync(path, removing);
    } catch {
      // Nobody is left to be told.
    }
  };
  process.once("exit", atExit);
  return {
    path,
    async remove() {
      await rm(path, removing).catch(() => {});
      process.off("exit", atExit);
    },
  };
}
