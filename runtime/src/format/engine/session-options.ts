import { PareError } from "../error.js";
import { findFault, type JsonSchema } from "../json-schema.js";

/**
 * How an engine is to open a file: a closed list, because a bundle is a stranger's file and an engine's own options
 * write files and take memory. What is absent is the engine's default.
 */
export interface SessionOptions {
  /** How far the engine may rewrite the graph when it loads. */
  readonly graphOptimizationLevel?: "disabled" | "basic" | "extended" | "all";
  /** Computes DequantizeLinear of constants once, when the model is loaded, instead of at every run. */
  readonly foldDequantize?: boolean;
  /** False: an idle thread of the engine sleeps instead of spinning. */
  readonly spinning?: boolean;
  /**
   * False: memory is taken and given back value by value instead of being laid out for a whole run beforehand, which takes
   * up to twice as much where many values live long, as in a training step.
   */
  readonly memoryPattern?: boolean;
}

export const sessionSchema: JsonSchema = {
  type: "object",
  properties: {
    graphOptimizationLevel: { enum: ["disabled", "basic", "extended", "all"] },
    foldDequantize: { type: "boolean" },
    spinning: { type: "boolean" },
    memoryPattern: { type: "boolean" },
  },
  additionalProperties: false,
};

/**
 * Session options from a file: a manifest, a lock, a recipe.
 * @param where the file and the path in it, for the message
 * @throws PareError `code` for an option that is not in the list, or a value that it cannot have
 */
export function parseSessionOptions(
  value: unknown,
  where: string,
  code: "BUNDLE_INVALID" | "LOCK" | "RECIPE",
): SessionOptions {
  const fault = findFault(value, sessionSchema);
  if (fault === null && isOptions(value)) return value;
  throw new PareError(
    code,
    `${where}${fault?.path ? `.${fault.path}` : ""} is no session option that is known, or has a value that it cannot have.`,
    {
      where,
      hint: `The options are ${Object.keys(sessionSchema.properties ?? {}).join(", ")}.`,
    },
  );
}

function isOptions(value: unknown): value is SessionOptions {
  return typeof value === "object" && value !== null;
}
