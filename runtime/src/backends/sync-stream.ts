import type { ArraysOf, Given, StatePairs, SyncStream } from "../format/engine/run-sync.js";
import { PareError, throwIfAborted } from "../format/error.js";
import type { TypedArray } from "../format/tensor/dtype.js";
import { describeValue } from "../format/tensor/feeds.js";
import type { Tensors } from "../format/tensor/tensor.js";
import type { Entry, Placed } from "./module-memory.js";
import { demandOneSource } from "./one-source.js";
import { copies } from "./run-module.js";

/**
 * Steps of a module, which may have other streams: a step writes all inputs. As a run does, one that is given arrays for
 * the outputs allocates nothing.
 * @throws PareError ARGUMENT for a pair that is no output and input of one type and size, and for two outputs that are to be
 * one input
 */
export function openSyncStream(
  held: Entry,
  run: (feeds: Given, into: ArraysOf) => unknown,
  state: StatePairs,
): SyncStream {
  const { inputs, outputs } = held;
  demandOneSource(state);
  const pairs = Object.entries(state).map(
    ([output, input]) => [output, arrayFor(held, output, input)] as const,
  );
  // By input: what is carried. By output: that again, and at each step what is written into.
  const carried = Object.fromEntries(pairs.map(([output, array]) => [state[output] ?? "", array]));
  const arrays: Record<string, ArraysOf[string]> = {
    ...named(outputs),
    ...Object.fromEntries(pairs),
  };
  const read = outputs.filter(({ name }) => !Object.hasOwn(state, name));
  const feeds: Record<string, Given[string]> = named(inputs);

  function runSync(given: Given): Tensors;
  function runSync<Into extends ArraysOf>(given: Given, into: Into): Into;
  function runSync(given: Given, into?: ArraysOf): Tensors | ArraysOf {
    for (let at = 0; at < inputs.length; at += 1) {
      const name = inputs[at]?.name ?? "";
      // What every object has is none of the caller's.
      feeds[name] =
        (given && Object.hasOwn(given, name) ? given[name] : undefined) ?? carried[name];
    }
    for (let at = 0; at < read.length; at += 1) {
      const name = read[at]?.name ?? "";
      arrays[name] = into && Object.hasOwn(into, name) ? into[name] : undefined;
    }
    for (const name in into)
      if (Object.hasOwn(state, name))
        throw new PareError("INPUT", `"${name}" is carried: no array takes it.`);
    // Names that the model does not have are for `run` to refuse.
    run(withUnknown(feeds, given), withUnknown(arrays, into ?? {}));
    return into ?? copies(read);
  }
  return {
    runSync,
    async run(given, { signal } = {}) {
      throwIfAborted(signal);
      return runSync(given);
    },
    reset() {
      Object.values(carried).forEach(zero);
    },
  };
}

function arrayFor({ inputs, outputs }: Entry, from: string, to: string): TypedArray {
  const output = outputs.find(({ name }) => name === from);
  const input = inputs.find(({ name }) => name === to);
  if (!input || !output || describeValue(input) !== describeValue(output))
    throw new PareError("ARGUMENT", `"${from}" cannot be "${to}" at the next step.`);
  return zero(input.memory.slice());
}

/** With every name from the beginning: a new `__proto__` could not be assigned to. */
function named(values: readonly Placed[]): Record<string, undefined> {
  return Object.fromEntries(values.map(({ name }) => [name, undefined]));
}

function zero(array: TypedArray): TypedArray {
  new Uint8Array(array.buffer).fill(0);
  return array;
}

/** Known values, with those of other names where there are some. */
function withUnknown<Values extends object>(known: Values, given: object): Values {
  for (const name in given) if (!(name in known)) return { ...known, ...given };
  return known;
}
