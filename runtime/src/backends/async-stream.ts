import type { Session } from "../format/engine/backend.js";
import type { Given, StatePairs, Stream } from "../format/engine/run-sync.js";
import { PareError } from "../format/error.js";
import { completeFeeds } from "../format/tensor/feeds.js";
import { copyOf, elementCount, type Tensor, type Tensors, zeros } from "../format/tensor/tensor.js";
import type { ValueInfo } from "../format/tensor/value-info.js";
import { demandOneSource } from "./one-source.js";
import type { Queue } from "./queue.js";

/**
 * Steps of a session that answers later, in the queue of all that its engine runs. A size of the state that is not fixed is
 * 1, unless the first step is given a state.
 * @param runNow in its turn
 * @throws PareError ARGUMENT for a pair that is no output and input of one type and size, where that is known, and for two
 * outputs that are to be one input
 */
export function openAsyncStream(
  { inputs, outputs }: Pick<Session, "inputs" | "outputs">,
  state: StatePairs,
  queue: Queue,
  runNow: (feeds: Tensors) => Promise<Tensors>,
): Stream {
  demandOneSource(state);
  const start: Record<string, Tensor> = {};
  for (const [from, to] of Object.entries(state)) {
    const output = outputs.find(({ name }) => name === from);
    const input = inputs.find(({ name }) => name === to);
    if (!input || !output || !mayBeAlike(input, output))
      throw new PareError("ARGUMENT", `"${from}" cannot be "${to}" at the next step.`);
    const dims = input.dims.map((size) => (typeof size === "number" ? size : 1));
    const { type } = input;
    const count = elementCount(dims);
    const data = type === "string" ? Array<string>(count).fill("") : zeros(type, count);
    start[to] = { type, dims, data };
  }
  const isState = ([name]: readonly [string, Tensor]): boolean => Object.hasOwn(state, name);
  let carried: Tensors = start;
  /** What is given, as it is now: its turn may come when the caller has filled the same arrays with what comes next. */
  const copied = (given: Given): Tensors => {
    const feeds: Record<string, Given[string]> = { ...start, ...given };
    for (const name in start) feeds[name] ??= start[name];
    const own: Record<string, Tensor> = {};
    for (const [at, { type, dims, data }] of completeFeeds(inputs, feeds).entries()) {
      const name = inputs[at]?.name ?? "";
      if (feeds[name] !== start[name]) own[name] = { type, dims: [...dims], data: copyOf(data) };
    }
    return own;
  };
  return {
    async run(given, { signal } = {}) {
      const own = copied(given);
      const step = async (): Promise<Tensors> => {
        const results = await runNow({ ...carried, ...own });
        const all = Object.entries(results);
        const kept = all.filter(isState).map(([name, tensor]) => [state[name], tensor]);
        // Whoever was told that it was given up begins again from where it was.
        if (!signal?.aborted) carried = Object.fromEntries(kept);
        return Object.fromEntries(all.filter((one) => !isState(one)));
      };
      return queue.run(step, signal);
    },
    reset() {
      // In its turn: a step before it that is under way would carry its state past it.
      void queue.run(async () => (carried = start));
    },
  };
}

/** Of one type, and of one size as far as sizes are known; engines say an unknown rank as they say a scalar's. */
function mayBeAlike(one: ValueInfo, other: ValueInfo): boolean {
  const isRanked = one.dims.length > 0 && other.dims.length > 0;
  return (
    one.type === other.type &&
    (!isRanked || one.dims.length === other.dims.length) &&
    one.dims.every((size, axis) => {
      const its = other.dims[axis];
      return typeof size !== "number" || typeof its !== "number" || size === its;
    })
  );
}
