import { demandOneSource } from "../backends/one-source.js";
import { Queue } from "../backends/queue.js";
import type { Given, StatePairs, Stream, SyncStream } from "../format/engine/run-sync.js";
import { PareError } from "../format/error.js";
import {
  copyOf,
  elementCount,
  type Feeds,
  isTypedArray,
  type Tensor,
  zeros,
} from "../format/tensor/tensor.js";
import type { ValueInfo } from "../format/tensor/value-info.js";
import type { Model, PairsOf, StepInputs, StepOutputs, SyncModel } from "./model.js";

/**
 * Steps that carry a model's state from each to the next, zeros at the start, whatever its engine: on a model that runs
 * at once it is `model.stream()`. A size of the state that is not fixed is 1, unless the first step is given a state.
 * There may be any number of streams of one model.
 * @param state by output name, the input that it is at the next step, where the bundle does not say it
 * @throws PareError ARGUMENT for a pair that is no output and input of one type and size, where that is known, and for two
 * outputs that are to be one input
 */
export function stream<
  Inputs extends object,
  Outputs extends object,
  State extends object,
  Carried extends PairsOf<Inputs, Outputs> = Extract<State, PairsOf<Inputs, Outputs>>,
>(
  model: SyncModel<Inputs, Outputs, State>,
  state?: Carried,
): SyncStream<StepInputs<Inputs, Carried>, StepOutputs<Outputs, Carried>>;
export function stream<
  Inputs extends object,
  Outputs extends object,
  State extends object,
  Carried extends PairsOf<Inputs, Outputs> = Extract<State, PairsOf<Inputs, Outputs>>,
>(
  model: Model<Inputs, Outputs, State>,
  state?: Carried,
): Stream<StepInputs<Inputs, Carried>, StepOutputs<Outputs, Carried>>;
export function stream(model: Model, state: StatePairs = model.state): Stream {
  return model.isSync ? model.stream(state) : openStream(model, state);
}

function openStream(model: Model, state: StatePairs): Stream {
  demandOneSource(state);
  for (const [from, to] of Object.entries(state)) {
    const output = model.outputs.find(({ name }) => name === from);
    const input = model.inputs.find(({ name }) => name === to);
    if (!input || !output || !mayBeAlike(input, output))
      throw new PareError("ARGUMENT", `"${from}" cannot be "${to}" at the next step.`);
  }
  // Names may be those of what every object has: maps, and objects that are made whole.
  const carried = new Map<string, Feeds[string]>();
  const fresh = (): readonly [string, Feeds[string]][] =>
    model.inputs.flatMap(({ name, type, dims: sizes }) => {
      if (type === "string" || !Object.values(state).includes(name)) return [];
      const dims = sizes.map((size) => (typeof size === "number" ? size : 1));
      return [[name, { type, dims, data: zeros(type, elementCount(dims)) }]];
    });
  const isState = ([name]: readonly [string, Tensor]): boolean => Object.hasOwn(state, name);
  const step = async (given: Given, signal?: AbortSignal): Promise<Record<string, Tensor>> => {
    // What is undefined the engine's session refuses by name.
    const feeds = { ...Object.fromEntries(carried), ...given } as Feeds;
    const results = await model.run(feeds, signal === undefined ? {} : { signal });
    const all = Object.entries(results);
    for (const [name, tensor] of all.filter(isState)) carried.set(state[name] ?? "", tensor);
    return Object.fromEntries(all.filter((one) => !isState(one)));
  };
  const queue = new Queue();
  const reset = (): void => {
    const zeroed = fresh();
    // In its turn: a step before it that is under way would carry its state past it.
    void queue.run(async () => zeroed.forEach(([name, value]) => carried.set(name, value)));
  };
  reset();
  return {
    run: async (given, { signal } = {}) => {
      // At once: its turn may come when the caller has filled the same arrays with what comes next.
      const copied = copiesOf(given);
      return queue.run(() => step(copied, signal), signal);
    },
    reset,
  };
}

/** What is no tensor stays, and is refused in its turn. */
function copiesOf(given: Given): Given {
  return Object.fromEntries(
    Object.entries(given ?? {}).map(([name, feed]) => {
      if (isTypedArray(feed)) return [name, copyOf(feed)];
      if (!Array.isArray(feed?.dims) || !feed.data) return [name, feed];
      const { type, dims, data } = feed;
      const isData = isTypedArray(data) || Array.isArray(data);
      return [name, { type, dims: [...dims], data: isData ? copyOf(data) : data }];
    }),
  );
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
