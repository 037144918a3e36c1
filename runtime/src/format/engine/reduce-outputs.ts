import { throwIfAborted } from "../error.js";
import type { Tensors } from "../tensor/tensor.js";
import type { Session } from "./backend.js";
import { type Reduced, type ReduceOptions, Reducer, type Reduction } from "./reduction.js";

/**
 * Runs samples and reduces their outputs; no sample and no output is kept. A session whose engine is in another process
 * does it there.
 * @returns what came of each reduction, in order
 */
export async function reduceOutputs(
  session: Session,
  samples: AsyncIterable<Tensors>,
  reductions: readonly Reduction[],
  options: ReduceOptions = {},
): Promise<readonly Reduced[]> {
  if (session.reduce !== undefined) return session.reduce(samples, reductions, options);
  const reducer = new Reducer(reductions);
  let done = 0;
  for await (const feeds of samples) {
    throwIfAborted(options.signal);
    reducer.add(await session.run(feeds, options.signal));
    done += 1;
    options.onSamples?.(done);
  }
  return reducer.reduced;
}
