import { type ErrorCode, isPareError, messageOf, PareError } from "@pare/runtime/format";

/** Node's error for a file, as a PareError that says what to do; `missing` is the code for a file that is not there. */
export function fileError(cause: unknown, path: string, missing: ErrorCode): PareError {
  if (isPareError(cause)) return cause;
  const details = { where: path, cause };
  switch (systemCode(cause)) {
    case "ENOENT":
    case "ENOTDIR":
      return new PareError(missing, `There is no file ${path}.`, {
        ...details,
        hint: "Check the path; relative ones start at the current folder.",
      });
    case "EISDIR":
      return new PareError(missing, `${path} is a folder, but a file is needed.`, {
        ...details,
        hint: "Name a file inside it.",
      });
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new PareError("PERMISSION", `${path} may not be read or written.`, {
        ...details,
        hint: "Change its permissions, or name another place.",
      });
    case "ENOSPC":
    case "EDQUOT":
      return new PareError("NO_SPACE", `There is no space left to write ${path}.`, {
        ...details,
        hint: "Free some space, or write to another disk; TMPDIR moves temporary files.",
      });
    case "EMFILE":
    case "ENFILE":
      return new PareError("PERMISSION", `Too many files are open to open ${path}.`, {
        ...details,
        hint: "Raise the limit: ulimit -n 4096.",
      });
    case "ENOMEM":
      return new PareError("NO_MEMORY", `There is not enough memory to read ${path}.`, details);
    default:
      return new PareError(missing, `${path} cannot be used: ${messageOf(cause)}`, details);
  }
}

/** `ENOENT` and its kind, where an error carries one. */
export function systemCode(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : null;
}
