import { basename, isAbsolute, relative } from "node:path";

/**
 * A path as reports tell it, since reports travel and folders do not: from the current folder where it is in it, and else
 * by its last part.
 */
export function shownPath(path: string): string {
  if (!isAbsolute(path)) return path;
  const fromHere = relative(process.cwd(), path) || ".";
  return /^\.\.(?:[\\/]|$)/.test(fromHere) || isAbsolute(fromHere) ? basename(path) : fromHere;
}

/** An argument with the absolute paths in it as reports tell them: alone, after a name and `=`, between commas. */
export function shownArgument(argument: string): string {
  return argument
    .split(/([=,])/)
    .map(shownPath)
    .join("");
}
