import { access } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "./file-error.js";

/** A file or folder itself, or of the folders above it the first that exists. */
export async function nearestThere(path: string): Promise<string> {
  const there = await access(path).then(
    () => true,
    (error: unknown) => !["ENOENT", "ENOTDIR"].includes(systemCode(error) ?? ""),
  );
  return there || dirname(path) === path ? path : nearestThere(dirname(path));
}
