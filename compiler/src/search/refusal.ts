import { isPareError, type PareError } from "@pare/runtime/format";

/** The engine or a pass says no to this file; another one may do. */
export function isRefusal(error: unknown): error is PareError {
  return (
    isPareError(error) &&
    ["ENGINE", "ENGINE_CRASHED", "NO_MEMORY", "PASS_FAILED", "DIVERGED", "UNSUPPORTED_OP"].includes(
      error.code,
    )
  );
}
