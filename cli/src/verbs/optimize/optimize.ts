import { isPareError, messageOf, PareError } from "@pare/runtime/format";
import { asPareError } from "../../terminal/failure.js";
import { refuse } from "../../terminal/refuse.js";
import { shownPath } from "../../terminal/shown-path.js";
import { optimizeModel, type OptimizeResult } from "./optimize-model.js";
import { type OptimizeOptions, optionNames } from "./optimize-options.js";

/** How far the work is. */
export interface OptimizeProgress {
  /** Of 1, of the time that the whole is estimated to take; it never falls. */
  readonly fraction: number;
  /** What is being done, and what is best so far. */
  readonly what: string;
}

/** What a program may ask for: what the command line offers, and being told and stopped. */
export interface OptimizeCall extends OptimizeOptions {
  /** Stops the work: the call rejects with ABORTED, and the folder keeps the best complete bundle, if there is one. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: OptimizeProgress) => void;
  /** Told what the command line prints as notes: the plan, what is skipped and why. */
  readonly onNote?: (line: string) => void;
}

/**
 * What `pare optimize` does, as a function: compiles a model for its targets, measures every candidate on the engines
 * they are for, keeps the best and writes a bundle. Engines run in processes of their own, which have ended when the
 * promise settles. Nothing is printed.
 * @param model the path of an ONNX file, or of the model.json of a TensorFlow.js model
 * @throws PareError MODEL_*, DATA_*, ARGUMENT, RECIPE, LOCK, LABELS, UNSUPPORTED_DEVICE where no target can run here,
 * BUSY where another process writes the bundle, NO_SPACE, PERMISSION, ABORTED, INTERNAL: every rejection is one. A budget
 * that is missed is no error: `missed` of the result says so.
 */
export async function optimize(model: string, call: OptimizeCall = {}): Promise<OptimizeResult> {
  const { signal = new AbortController().signal, onProgress, onNote, ...options } = call;
  const began = performance.now();
  try {
    checkCall(model, options);
    return await optimizeModel(model, options, {
      command: commandOf(model, options),
      now: () => performance.now() - began,
      signal,
      output: {
        note: (line) => told(() => onNote?.(line), "onNote"),
        detail: () => {},
        progress: (fraction, what) => told(() => onProgress?.({ fraction, what }), "onProgress"),
      },
    });
  } catch (error) {
    if (signal.aborted && !isPareError(error))
      throw new PareError("ABORTED", "The work was cancelled.", { cause: error });
    throw asPareError(error);
  }
}

/** What a program without types may say. @throws PareError ARGUMENT */
function checkCall(model: unknown, options: Readonly<Record<string, unknown>>): void {
  if (typeof model !== "string")
    refuse(
      `The model is ${String(model)}, and has to be a path.`,
      "optimize(model)",
      "Give a text: of a URL, fileURLToPath(url).",
    );
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(optionNames, name));
  if (unknown !== undefined)
    refuse(
      `There is no option "${unknown}".`,
      `optimize(model, { ${unknown} })`,
      `The options are ${Object.keys(optionNames).join(", ")}, signal, onProgress, onNote.`,
    );
  if (options["target"] !== undefined && !Array.isArray(options["target"]))
    refuse("target is no list.", "target", 'Give a list, also of one: ["cpu"].');
}

/** What a caller's own function throws is no fault of Pare's. @throws PareError ARGUMENT */
function told(tell: () => void, name: string): void {
  try {
    tell();
  } catch (error) {
    throw new PareError("ARGUMENT", `${name} threw: ${messageOf(error)}`, {
      where: name,
      hint: "Let it throw nothing.",
      cause: error,
    });
  }
}

/** As a report names what was asked for: `optimize("m.onnx", {"data":"photos"})`. */
function commandOf(model: string, options: OptimizeOptions): string {
  const asked = JSON.stringify(options, (_, value: unknown) =>
    typeof value === "string" ? shownPath(value) : value,
  );
  return `optimize(${JSON.stringify(shownPath(model))}${asked === "{}" ? "" : `, ${asked}`})`;
}
