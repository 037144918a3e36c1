/**
 * Every code a PareError can carry. Codes are stable: scripts may match on them. `docs/reference/errors.md`
 * says for each what it means and what to do.
 */
export const errorCodes = {
  // model
  MODEL_NOT_FOUND: "the model file does not exist or cannot be opened",
  MODEL_INVALID: "the file is not an ONNX model, or is damaged",
  MODEL_TRUNCATED: "the file ends before the model does",
  MODEL_CYCLE: "nodes depend on one another in a circle",
  MODEL_NAME: "a name is used before it is defined, or defined twice",
  MODEL_SHAPE: "declared and actual shapes or types disagree",
  MODEL_LIMIT: "the model exceeds a safety limit",
  MODEL_VERSION: "the model uses an operator set or format version that is not supported",
  EXTERNAL_DATA:
    "a tensor refers to external data that is missing, too short or outside the folder",
  UNSUPPORTED_OP: "an operator is not known or cannot be handled here",
  PASS_FAILED: "a transformation broke the model",
  DIVERGED: "training came to numbers that are not finite",
  // arguments, recipe and data
  ARGUMENT: "a command-line argument or option is wrong",
  RECIPE: "the recipe is wrong",
  LOCK: "the lock file does not fit this model, data or version",
  DATA_NOT_FOUND: "the data does not exist or cannot be opened",
  DATA_INVALID: "the data is damaged or of an unknown kind",
  DATA_MISMATCH: "the data does not fit the model's inputs",
  DATA_MODULE: "the data module threw, ended or returned something unusable",
  LABELS: "the labels do not fit the metric",
  // bundle and runtime
  BUNDLE_NOT_FOUND: "there is no bundle at this place",
  BUNDLE_INVALID: "the manifest is damaged",
  BUNDLE_VERSION: "the bundle was written by a newer version",
  INTEGRITY: "bytes do not have the hash they should",
  GOLDEN: "the model's answers on this device are not those that were recorded",
  NO_VARIANT: "no variant of the bundle runs here",
  INPUT: "an input is missing, unknown or of the wrong type or shape",
  DISPOSED: "the model was already disposed of",
  ENGINE_MISSING: "the engine is not installed",
  ENGINE_VERSION: "the engine is older than the runtime can use",
  ENGINE_NOT_FOUND: "the engine's own files are not at the address where they were looked for",
  ENGINE_PAGE: "the server answered with a page instead of the engine's own file",
  ENGINE_POLICY: "the content security policy does not let WebAssembly run",
  ENGINE_START: "the engine did not start",
  ENGINE_THREADS: "the engine already runs with another number of threads",
  NOT_ISOLATED:
    "threads were asked for where a page shares no memory: it is not cross-origin isolated, or its browser has none to share",
  ENGINE_ASYNC: "the engine does not answer at once",
  ENGINE: "the engine failed",
  ENGINE_CRASHED: "the engine's process ended unexpectedly",
  UNSUPPORTED_DEVICE: "the device lacks something the variant needs",
  // the machine
  BROWSER_MISSING: "no Chromium, Chrome or Edge was found",
  NO_MEMORY: "there is not enough memory",
  NO_SPACE: "there is no space left on the disk",
  PERMISSION: "a file may not be read or written",
  BUSY: "another process is writing there",
  NETWORK: "a download failed",
  ABORTED: "the work was cancelled",
  BUDGET_MISSED: "a budget or gate was missed",
  INTERNAL: "an error inside Pare",
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** With these an engine, or what compiles for it, says no to a model; another one may take it. */
export const engineRefusals: readonly ErrorCode[] = [
  "ENGINE",
  "ENGINE_CRASHED",
  "NO_MEMORY",
  "UNSUPPORTED_DEVICE",
  "UNSUPPORTED_OP",
  "MODEL_LIMIT",
];

/** Whether a text from elsewhere is one of them. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}

export interface ErrorDetails {
  /** Where: a file, a node, a field, an argument. */
  readonly where?: string | undefined;
  /** What the reader can do about it, one sentence. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** Every error that Pare throws on purpose: a stable code, what happened and where, and what to do. */
export class PareError extends Error {
  override readonly name = "PareError";
  declare readonly code: ErrorCode;
  declare readonly where: string | undefined;
  declare readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.where = details.where;
    this.hint = details.hint;
  }
}

export function isPareError(error: unknown): error is PareError {
  return error instanceof Error && error.name === "PareError" && "code" in error;
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function aborted(signal: AbortSignal | undefined): PareError {
  return new PareError("ABORTED", "The work was cancelled.", { cause: signal?.reason });
}

/** Throws ABORTED when the signal was raised. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal);
}
