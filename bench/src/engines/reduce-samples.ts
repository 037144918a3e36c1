import {
  type Reduced,
  type ReduceOptions,
  type Reduction,
  type Tensors,
  throwIfAborted,
} from "@pare/runtime/format";
import { answerMs, AnswersSoFar } from "./answer-limits.js";
import type { CallOptions } from "./call-within.js";
import type { LiveEngine } from "./live-engine.js";
import { bytesOfAll, feedSizes, sentOnce } from "./resident-samples.js";

const mostSamples = 64;
/** Samples that are looked at once: a message carries no more when it has this. */
const enoughBytes = 2 ** 20;

/**
 * Runs samples in order and reduces their outputs in the engine's process. Nothing is kept of samples; the next ones are
 * read while the engine works on the last. A message carries many samples where they are small, and the engine answers
 * every now and then where they are slow; what came of them comes with the last answer.
 * @param ids of the model, and of the reduction as no other one has it
 */
export async function reduceSamples(
  engine: LiveEngine,
  ids: { readonly id: number; readonly reduction: number },
  samples: AsyncIterable<Tensors>,
  reductions: readonly Reduction[],
  { onSamples, ...options }: ReduceOptions & CallOptions,
): Promise<readonly Reduced[]> {
  const request = { kind: "reduce", ...ids, reductions, maxMs: answerMs } as const;
  const source = samples[Symbol.asyncIterator]();
  let done = 0;
  const soFar = new AnswersSoFar();
  try {
    for (let batch = await nextFeeds(source); ;) {
      const { last } = batch;
      let sent = sentOnce(batch.feeds);
      let sizes = batch.feeds.map(feedSizes);
      const ahead = last ? null : nextFeeds(source);
      // Whoever waits for it hears of its failure.
      ahead?.catch(() => {});
      for (let waiting = true; waiting;) {
        throwIfAborted(options.signal);
        const asked = { ...request, samples: sent, last };
        const began = performance.now();
        const reply = await engine.call<"reduce">(asked, soFar.limit(options, sizes));
        if (reply.done > 0) {
          soFar.took(performance.now() - began, sizes.slice(0, reply.done));
          sizes = sizes.slice(reply.done);
          onSamples?.((done += reply.done));
        }
        if (reply.reduced !== null) return reply.reduced;
        waiting = reply.waiting > 0;
        sent = [];
      }
      batch = (await ahead) ?? { feeds: [], last: true };
    }
  } finally {
    await source.return?.();
  }
}

/** The next few samples, as many as a message should carry, and whether they are known to be the last. */
async function nextFeeds(
  source: AsyncIterator<Tensors>,
): Promise<{ readonly feeds: readonly Tensors[]; readonly last: boolean }> {
  const feeds: Tensors[] = [];
  for (let bytes = 0; feeds.length < mostSamples && bytes < enoughBytes;) {
    const next = await source.next();
    if (next.done === true) return { feeds, last: true };
    feeds.push(next.value);
    bytes += bytesOfAll(feedSizes(next.value));
  }
  return { feeds, last: false };
}
