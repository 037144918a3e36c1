import type { TargetName } from "../format/engine/backend.js";
import { PareError } from "../format/error.js";

/** One variant that was considered, and what came of it. */
export interface Attempt {
  /** The variant's id; null where a backend has none, or cannot run here at all. */
  readonly variant: string | null;
  readonly target: TargetName;
  readonly ok: boolean;
  readonly reason: string;
}

/** Which variant runs, on what, and why not another. */
export interface Selection {
  readonly chosen: string;
  readonly target: TargetName;
  /** Engine and version: `onnxruntime-web 1.30.0`. */
  readonly engine: string;
  /** The golden check passed here; false only with `allowUnproven`. */
  readonly proven: boolean;
  /** In the order in which they were tried; the chosen one is the last. */
  readonly tried: readonly Attempt[];
}

export function noVariant(name: string, tried: readonly Attempt[]): PareError {
  const reasons = tried
    .map(({ variant, target, reason }) => `\n- ${variant ?? target}: ${reason}`)
    .join("");
  return new PareError(
    "NO_VARIANT",
    `No variant of ${name} runs here:${reasons || " no backend was passed."}`,
    {
      where: name,
      hint: "Pass a backend that runs here, for example wasm() from @pare/runtime/ort-web, and write the bundle for its target.",
    },
  );
}
