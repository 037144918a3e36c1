import { homedir } from "node:os";
import { posix, win32 } from "node:path";
import { bytes } from "../terminal/option-values.js";

export type Environment = Readonly<Record<string, string | undefined>>;

const below: Partial<Record<NodeJS.Platform, string>> = {
  win32: "AppData/Local",
  darwin: "Library/Caches",
};

/**
 * Where the cache lies: `pare` in the user's cache folder. That is XDG_CACHE_HOME, if it is an absolute path, or
 * ~/.cache; on macOS ~/Library/Caches; on Windows %LOCALAPPDATA%. Null for a user without a home.
 */
export function cachePlace(
  environment: Environment,
  platform: NodeJS.Platform = process.platform,
  home: string = homeFolder(),
): string | null {
  const path = platform === "win32" ? win32 : posix;
  const named = environment[platform === "win32" ? "LOCALAPPDATA" : "XDG_CACHE_HOME"] ?? "";
  if (path.isAbsolute(named)) return path.join(named, "pare");
  if (!path.isAbsolute(home)) return null;
  return path.join(home, below[platform] ?? ".cache", "pare");
}

/**
 * How many bytes all entries together may have: PARE_CACHE_SIZE (`500MB`), by default 2 GB.
 * @throws PareError ARGUMENT when it is no size
 */
export function cacheLimit(environment: Environment): number {
  const text = environment["PARE_CACHE_SIZE"] ?? "";
  return text === "" ? 2e9 : bytes("PARE_CACHE_SIZE")(text);
}

/** Empty where the system knows of none. */
function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return "";
  }
}
