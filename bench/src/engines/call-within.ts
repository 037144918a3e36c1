import { PareError, type TargetName, throwIfAborted } from "@pare/runtime/format";
import type { Channel, EngineReplies, EngineRequest } from "./protocol.js";

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** An engine that takes longer for one answer is ended; the host's patience where not given. */
  readonly limitMs?: number | undefined;
}

/** A call that is given up, with its engine, when it takes too long: no budget holds without a watch. */
export async function callWithin<K extends EngineRequest["kind"]>(
  channel: Channel,
  request: Extract<EngineRequest, { kind: K }>,
  { signal, limitMs }: CallOptions,
  { engine, target }: { readonly engine: string; readonly target: TargetName },
): Promise<EngineReplies[K]> {
  if (limitMs === undefined) return channel.call<K>(request, signal);
  const watch = new AbortController();
  const forward = (): void => watch.abort(signal?.reason);
  signal?.addEventListener("abort", forward, { once: true });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    watch.abort();
  }, limitMs);
  try {
    throwIfAborted(signal);
    return await channel.call<K>(request, watch.signal);
  } catch (error) {
    if (!late || signal?.aborted) throw error;
    throw new PareError(
      "ENGINE_CRASHED",
      `${engine} did not answer within ${Math.round(limitMs / 100) / 10} s (${request.kind}), and was ended.`,
      {
        where: target,
        hint: "Give more time with --time-budget, or a smaller input with --shape.",
        cause: error,
      },
    );
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", forward);
  }
}
