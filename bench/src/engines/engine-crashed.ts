import { PareError } from "@pare/runtime/format";

/** What an engine's end is told as. Whoever tries several candidates goes on without this one: who reads it has but one. */
export function engineCrashed(
  message: string,
  name: string,
  { hint = otherwise, cause }: { readonly hint?: string; readonly cause?: unknown } = {},
): PareError {
  return new PareError("ENGINE_CRASHED", message, { where: name, hint, cause });
}

const otherwise =
  "An engine ends for want of memory, or on a model that it cannot run: close other programs, or try another --target.";

/** What a process wrote last. Node says why it ends before it lists the addresses that it was at. */
export function lastWords(stderr: string): string {
  const lines = stderr.trim().split("\n");
  return lines.findLast((line) => line.startsWith("FATAL ERROR: ")) ?? lines.slice(-3).join(" ");
}
