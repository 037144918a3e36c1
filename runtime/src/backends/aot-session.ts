import type { SyncSession } from "../format/engine/backend.js";
import type { ArraysOf, Given } from "../format/engine/run-sync.js";
import { PareError, throwIfAborted } from "../format/error.js";
import { completeFeeds, expectation } from "../format/tensor/feeds.js";
import { isTypedArray, type Tensors } from "../format/tensor/tensor.js";
import type { ValueInfo } from "../format/tensor/value-info.js";
import type { Entries, Entry, Placed } from "./module-memory.js";
import { type Complete, runModule } from "./run-module.js";
import { openSyncStream } from "./sync-stream.js";

/** A session on a module that the compiler made. */
export function moduleSession(entries: Entries): SyncSession {
  /** Nobody holds a module's memory once it is disposed of, but streams that were opened on it. */
  let held: Entries | null = entries;
  const open = (): Entries => {
    if (held === null) throw new PareError("DISPOSED", "The model was already disposed of.");
    return held;
  };
  const isOneOfSeveral = entries[1] !== undefined;
  const inputs = described(entries.map((entry) => entry.inputs));
  const complete: Complete = (inputs, feeds) => {
    const tensors = completeFeeds(inputs, feeds, () => sizesOf(open()));
    // No dims may be those of an unknown shape to an engine; here they are a scalar's.
    inputs.forEach(({ name: where, memory }, at) => {
      if (tensors[at]?.data.length !== memory.length)
        throw new PareError("INPUT", `Input "${where}" is one value.`, { where });
    });
    return tensors;
  };
  const runOn = (entry: Entry, feeds: Given, into?: ArraysOf): Tensors | ArraysOf => {
    open();
    return runModule(entry, feeds, into, complete);
  };
  function runSync(feeds: Given): Tensors;
  function runSync<Into extends ArraysOf>(feeds: Given, into: Into): Into;
  function runSync(feeds: Given, into?: ArraysOf): Tensors | ArraysOf {
    const all = open();
    const fitting = isOneOfSeveral ? all.filter((one) => fits(one.inputs, feeds)) : all;
    // Arrays without dims may be of either: refused as where dims are free.
    if (fitting[1]) completeFeeds(inputs, feeds);
    return runOn(fitting[0] ?? all[0], feeds, into);
  }
  return {
    inputs,
    outputs: described(entries.map((entry) => entry.outputs)),
    runSync,
    stream(state) {
      const [first] = open();
      return openSyncStream(first, (feeds, into) => runOn(first, feeds, into), state);
    },
    async run(feeds, signal) {
      throwIfAborted(signal);
      return runSync(feeds);
    },
    async dispose() {
      held = null;
    },
  };
}

/** A bare array has as many elements, of whatever dims. */
function fits(inputs: readonly Placed[], feeds: Given): boolean {
  return inputs.every(({ name, dims, memory }) => {
    const feed = feeds?.[name];
    return isTypedArray(feed) ? feed.length === memory.length : String(feed?.dims) === String(dims);
  });
}

/** Which sizes there are, and what to do about others. */
function sizesOf(entries: Entries): string {
  const each = entries.map(({ inputs }) => inputs);
  return `${expectation(...each)} Its batch and sizes are fixed: --dim compiles others.`;
}

/** Of several sizes of the same values: what differs is open. */
function described([first = [], ...others]: readonly (readonly Placed[])[]): readonly ValueInfo[] {
  return first.map(({ name, type, dims }, at) => ({
    name,
    type,
    dims: dims.map((size, axis) =>
      others.every((values) => values[at]?.dims[axis] === size) ? size : null,
    ),
  }));
}
