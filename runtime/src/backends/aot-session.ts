import type { SyncSession } from "../format/engine/backend.js";
import type { ArraysOf, Given } from "../format/engine/run-sync.js";
import { PareError, throwIfAborted } from "../format/error.js";
import { completeFeeds } from "../format/tensor/feeds.js";
import type { Tensors } from "../format/tensor/tensor.js";
import type { ModuleMemory, Placed } from "./module-memory.js";
import { type Complete, runModule } from "./run-module.js";
import { openSyncStream } from "./sync-stream.js";

/** A session on a module that the compiler made. */
export function moduleSession(held: ModuleMemory): SyncSession {
  const complete = completeOr(sizesText(held.batch));
  let isDisposed = false;

  function runSync(feeds: Given): Tensors;
  function runSync<Into extends ArraysOf>(feeds: Given, into: Into): Into;
  function runSync(feeds: Given, into?: ArraysOf): Tensors | ArraysOf {
    if (isDisposed) throw new PareError("DISPOSED", "The model was already disposed of.");
    return runModule(held, feeds, into, complete);
  }
  return {
    inputs: held.inputs.map(described),
    outputs: held.outputs.map(described),
    runSync,
    stream: (state) => openSyncStream(held, runSync, state),
    async run(feeds, signal) {
      throwIfAborted(signal);
      return runSync(feeds);
    },
    async dispose() {
      isDisposed = true;
    },
  };
}

/** @param ofSizes what to do about other sizes than the module's */
function completeOr(ofSizes: string): Complete {
  return (inputs, feeds) => {
    try {
      return completeFeeds(inputs, feeds);
    } catch (error) {
      if (!(error instanceof PareError) || !error.message.includes(" dims [")) throw error;
      const { code, message, where } = error;
      throw new PareError(code, message, { where, hint: ofSizes });
    }
  };
}

/** What to do about another size. @param batch names of what was fixed to one because nobody gave it a size */
function sizesText(batch: unknown): string {
  if (!Array.isArray(batch))
    return "Its sizes are fixed: compile it for others, with --dim or --shape.";
  const names = batch.length === 0 ? "" : ` (${batch.join(", ")})`;
  const option = batch.length === 0 ? "--shape" : `--dim ${batch[0]}=…`;
  return `Its batch${names} was fixed to 1: pass one sample a run, or compile it with ${option}.`;
}

function described({ name, type, dims }: Placed): Omit<Placed, "memory"> {
  return { name, type, dims };
}
