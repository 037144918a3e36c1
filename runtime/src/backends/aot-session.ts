import type { SyncSession } from "../format/engine/backend.js";
import type { ArraysOf, Given } from "../format/engine/run-sync.js";
import { PareError, throwIfAborted } from "../format/error.js";
import { completeFeeds, expectation } from "../format/tensor/feeds.js";
import { isTypedArray, type Tensors } from "../format/tensor/tensor.js";
import type { ValueInfo } from "../format/tensor/value-info.js";
import type { Entry, ModuleMemory, Placed } from "./module-memory.js";
import { type Complete, runModule } from "./run-module.js";
import { openSyncStream } from "./sync-stream.js";

/** A session on a module that the compiler made. */
export function moduleSession(held: ModuleMemory): SyncSession {
  const entries = [held, ...held.others];
  const complete: Complete = (inputs, feeds) =>
    completeFeeds(inputs, feeds, () => sizesOf(entries));
  let isDisposed = false;

  function runSync(feeds: Given): Tensors;
  function runSync<Into extends ArraysOf>(feeds: Given, into: Into): Into;
  function runSync(feeds: Given, into?: ArraysOf): Tensors | ArraysOf {
    if (isDisposed) throw new PareError("DISPOSED", "The model was already disposed of.");
    const entry = entries[1] && entries.find(({ inputs }) => fits(inputs, feeds));
    return runModule(entry ?? held, feeds, into, complete);
  }
  return {
    inputs: described(held.inputs, entries.length > 1),
    outputs: described(held.outputs, entries.length > 1),
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

/** A bare array is of the first sizes that have as many elements. */
function fits(inputs: readonly Placed[], feeds: Given): boolean {
  return inputs.every(({ name, dims, memory }) => {
    const feed = feeds?.[name];
    return isTypedArray(feed) ? feed.length === memory.length : String(feed?.dims) === String(dims);
  });
}

/** Which sizes there are, and what to do about others. */
function sizesOf(entries: readonly Entry[]): string {
  const each = entries.map(({ inputs }) => expectation(inputs));
  return `${each.join(" Or ")} Its batch and sizes are fixed: --dim compiles others.`;
}

function described(values: readonly Placed[], isOneOfSeveral: boolean): readonly ValueInfo[] {
  return values.map(({ name, type, dims }) => ({
    name,
    type,
    dims: isOneOfSeveral ? dims.map(() => null) : dims,
  }));
}
