import type { TargetName } from "../format/engine/backend.js";
import { type ErrorCode, isPareError, messageOf, PareError } from "../format/error.js";

/** One variant that was considered, and what came of it. */
export interface Attempt {
  /** The variant's id; null where a backend has none, or cannot run here at all. */
  readonly variant: string | null;
  readonly target: TargetName;
  readonly ok: boolean;
  readonly reason: string;
  /** Of the error, where it failed, and what to do about it. */
  readonly code?: ErrorCode;
  readonly hint?: string | undefined;
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

/** No variant could be used: code, hint and cause of the failure that is most worth mending, and every attempt. */
export class LoadError extends PareError {
  readonly tried: readonly Attempt[];

  constructor(name: string, { tried, worst }: Attempts) {
    const reasons = tried
      .map(({ variant, target, reason }) => `\n- ${variant ?? target}: ${reason}`)
      .join("");
    super(
      worst?.code ?? "NO_VARIANT",
      `No variant of ${name} runs here:${reasons || " no backend was passed."}`,
      {
        where: worst?.where ?? name,
        hint: worst?.hint,
        cause: worst,
      },
    );
    this.tried = tried;
  }
}

/** What says little of what to do, from least to more; any other code comes before. */
const vague: readonly ErrorCode[] = ["NO_VARIANT", "UNSUPPORTED_DEVICE", "ENGINE", "GOLDEN"];

function weight({ code }: PareError): number {
  return vague.indexOf(code) >>> 0; // −1 is the largest
}

/** What was tried, in order. */
export class Attempts {
  readonly tried: Attempt[] = [];
  /** The failure that is most worth mending: of two that are alike, the first. */
  worst: PareError | undefined;

  /** @param variant null where a backend has none, or cannot run here at all */
  refuse(variant: string | null, target: TargetName, error: unknown): void {
    const reason = messageOf(error);
    const known = isPareError(error)
      ? error
      : new PareError("ENGINE", reason, { where: target, cause: error });
    const { code, hint } = known;
    this.tried.push({ variant, target, ok: false, reason, code, hint });
    if (this.worst === undefined || weight(known) > weight(this.worst)) this.worst = known;
  }
}
