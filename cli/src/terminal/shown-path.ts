import { isAbsolute, relative } from "node:path";

/** A path as reports tell it: from the current folder, since reports travel and folders do not. */
export function shownPath(path: string): string {
  return isAbsolute(path) ? relative(process.cwd(), path) || "." : path;
}

/** An argument with the absolute paths in it as reports tell them: alone, after a name and `=`, between commas. */
export function shownArgument(argument: string): string {
  return argument
    .split(/([=,])/)
    .map(shownPath)
    .join("");
}
