import { type Artifact, isPareError } from "@pare/runtime/format";
import type { CallOptions } from "../engines/call-within.js";

/**
 * An engine that ends, or no longer answers, under files that it ran before has a fault of the machine's, or of its own
 * making: what was asked is asked once more, of an engine started anew. A file under which the first try fails is told
 * of at once.
 */
export class SecondTry {
  readonly #ran = new WeakSet<Artifact>();

  /** @param ask is called again with half of the time that an answer may take */
  async ask<Request extends CallOptions, Result>(
    artifacts: readonly Artifact[],
    request: Request,
    ask: (request: Request) => Promise<Result>,
  ): Promise<Result> {
    const result = await ask(request).catch((error: unknown) => {
      const hasCrashed = isPareError(error) && error.code === "ENGINE_CRASHED";
      if (!hasCrashed || !artifacts.every((one) => this.#ran.has(one))) throw error;
      const { limitMs } = request;
      return ask(limitMs === undefined ? request : { ...request, limitMs: limitMs / 2 });
    });
    for (const artifact of artifacts) this.#ran.add(artifact);
    return result;
  }
}
