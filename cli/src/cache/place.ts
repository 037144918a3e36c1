import { homedir } from "node:os";
import { posix, win32 } from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where the cache lies: `pare` in the user's cache folder. That is XDG_CACHE_HOME, if it is an absolute path, or
 * ~/.cache; on macOS ~/Library/Caches; on Windows %LOCALAPPDATA%. Null for a user without a home.
 */
export function cachePlace(
  environment: Environment,
  platform: NodeJS.Platform = process.platform,
  home: string = homeFolder(),
): string | null {
  const { isAbsolute, join } = platform === "win32" ? win32 : posix;
  const named = environment[platform === "win32" ? "LOCALAPPDATA" : "XDG_CACHE_HOME"] ?? "";
  if (isAbsolute(named)) return join(named, "pare");
  if (!isAbsolute(home)) return null;
  const below = { win32: "AppData/Local", darwin: "Library/Caches" };
  return join(
    home,
    platform === "win32" || platform === "darwin" ? below[platform] : ".cache",
    "pare",
  );
}

/** Empty where the system knows of none. */
function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return "";
  }
}
