import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileError } from "./file-error.js";

/** A folder of this process's own; gone when disposed of, or at the latest when the process exits. */
export interface TemporaryFolder {
  readonly path: string;
  dispose(): Promise<void>;
}

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const prefix = join(tmpdir(), "pare-");
  const path = await mkdtemp(prefix).catch((cause: unknown) => {
    throw fileError(cause, prefix, "PERMISSION");
  });
  const atExit = (): void => rmSync(path, { recursive: true, force: true });
  process.once("exit", atExit);
  return {
    path,
    async dispose() {
      process.off("exit", atExit);
      await rm(path, { recursive: true, force: true });
    },
  };
}
