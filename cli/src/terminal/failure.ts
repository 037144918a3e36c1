import { type ErrorCode, isPareError, messageOf, PareError } from "@pare/runtime/format";
import { fileError, systemCode } from "../platform/file-error.js";

export type ExitCode = 0 | 1 | 2 | 3 | 130;

/** Anything thrown, as a PareError: what this program did not foresee is INTERNAL. */
export function asPareError(error: unknown): PareError {
  if (isPareError(error)) return error;
  if (systemCode(error) !== null && error instanceof Error && "path" in error) {
    return fileError(error, String(error.path), "ARGUMENT");
  }
  if (systemCode(error) === "ENOSPC") return fileError(error, "a temporary file", "NO_SPACE");
  if (
    error instanceof RangeError &&
    /allocation|invalid array length|buffer/i.test(error.message)
  ) {
    return new PareError("NO_MEMORY", `There is not enough memory: ${error.message}.`, {
      hint: "Close other programs, or use a machine with more memory.",
      cause: error,
    });
  }
  return new PareError("INTERNAL", messageOf(error), {
    hint: "This is a bug in Pare. Please report it with the lines below and, if you can, the model.",
    cause: error,
  });
}

export function exitCodeOf(code: ErrorCode): ExitCode {
  switch (code) {
    case "ABORTED":
      return 130;
    case "BUDGET_MISSED":
      return 3;
    case "INTERNAL":
    case "PASS_FAILED":
    case "ENGINE_CRASHED":
      return 1;
    default:
      return 2;
  }
}

/** The runtime says no more than the engine does: what a model that was loaded fails on are its inputs. */
function hintOf({ code, message, hint }: PareError): string | undefined {
  // As scikit-learn's texts are exported; small images of Linux have none but C.
  const [, locale] = /Failed to construct locale with name:([\w.@-]*[\w@-])/.exec(message) ?? [];
  if (code === "ENGINE" && hint === undefined && locale !== undefined)
    return `A StringNormalizer of the model wants the locale ${locale}, which this machine lacks: on Debian \`apt-get install locales-all\` brings it. Where no letters beyond ASCII change their case, give that node \`locale\` "C", which is everywhere.`;
  const isRun = code === "ENGINE" && message.includes(" failed in a run: ");
  if (hint !== undefined || !isRun) return hint;
  return "Look at the inputs: sizes that the model leaves free, and indices, have to fit it.";
}

/** For a reader: what, where, what to do, the code. */
export function failureText(error: PareError): string {
  // Who stopped the work knows that it is no error.
  const lines = [error.code === "ABORTED" ? error.message : `error: ${error.message}`];
  if (error.where !== undefined) lines.push(`  where: ${error.where}`);
  const hint = hintOf(error);
  if (hint !== undefined) lines.push(`  to do: ${hint}`);
  lines.push(`  code:  ${error.code}`);
  if (error.code === "INTERNAL") {
    const { cause } = error;
    lines.push("", `pare on Node ${process.version}, ${process.platform} ${process.arch}`);
    lines.push(cause instanceof Error ? (cause.stack ?? cause.message) : (error.stack ?? ""));
  }
  return lines.join("\n");
}

/** For a script: the same as data. */
export function failureDocument(error: PareError): unknown {
  const { code, message, where } = error;
  return { error: { code, message, where: where ?? null, hint: hintOf(error) ?? null } };
}
