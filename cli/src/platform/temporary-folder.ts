import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PareError } from "@pare/runtime/format";
import { fileError, systemCode } from "./file-error.js";

/** A folder of this process's own; gone when disposed of, or at the latest when the process exits. */
export interface TemporaryFolder {
  readonly path: string;
  dispose(): Promise<void>;
}

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const prefix = join(tmpdir(), "pare-");
  const path = await mkdtemp(prefix).catch((cause: unknown) => {
    if (systemCode(cause) !== "ENOENT") throw fileError(cause, prefix, "PERMISSION");
    throw new PareError("PERMISSION", `There is no folder ${tmpdir()} for temporary files.`, {
      where: "TMPDIR",
      hint: "Set the environment variable TMPDIR to a folder that is there.",
      cause,
    });
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
