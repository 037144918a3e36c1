import type {
  ArraysOf,
  Given,
  RunSync,
  StatePairs,
  SyncStream,
} from "../format/engine/run-sync.js";
import { PareError, throwIfAborted } from "../format/error.js";
import type { TypedArray } from "../format/tensor/dtype.js";
import type { Tensor, Tensors } from "../format/tensor/tensor.js";
import type { ModuleMemory } from "./module-memory.js";

/**
 * Steps of a module, which may have other streams: a step writes all inputs. As a run does, one that is given arrays for
 * the outputs allocates nothing.
 * @throws PareError ARGUMENT for a pair that is no output and input of one type and size
 */
export function openSyncStream(held: ModuleMemory, run: RunSync, state: StatePairs): SyncStream {
  const { inputs, outputs } = held;
  // By input: what is carried. By output: that again, and at each step what is written into.
  const carried: Record<string, TypedArray> = {};
  const arrays: Record<string, ArraysOf[string]> = {};
  for (const [output, input] of Object.entries(state))
    arrays[output] = carried[input] = arrayFor(held, output, input);
  const read = outputs.filter(({ name }) => !Object.hasOwn(state, name));
  const feeds: Record<string, Given[string]> = {};

  function runSync(given: Given): Tensors;
  function runSync<Into extends ArraysOf>(given: Given, into: Into): Into;
  function runSync(given: Given, into?: ArraysOf): Tensors | ArraysOf {
    if (into === undefined) return step(given);
    for (let at = 0; at < inputs.length; at += 1) {
      const name = inputs[at]?.name ?? "";
      feeds[name] = given[name] ?? carried[name];
    }
    for (let at = 0; at < read.length; at += 1) {
      const name = read[at]?.name ?? "";
      arrays[name] = into[name];
    }
    // Names that the model does not have are for `run` to refuse.
    run(has(feeds, given) ? feeds : { ...feeds, ...given }, has(arrays, into) ? arrays : into);
    return into;
  }
  const step = (given: Given): Tensors => {
    const results: Record<string, Tensor> = {};
    const into: Record<string, TypedArray> = {};
    for (const { name, type, dims, memory } of read) {
      const data = (into[name] = memory.slice());
      results[name] = { type, dims, data };
    }
    runSync(given, into);
    return results;
  };
  return {
    runSync,
    async run(given, { signal } = {}) {
      throwIfAborted(signal);
      return step(given);
    },
    reset() {
      Object.values(carried).forEach(zero);
    },
  };
}

function arrayFor({ inputs, outputs }: ModuleMemory, from: string, to: string): TypedArray {
  const output = outputs.find(({ name }) => name === from);
  const input = inputs.find(({ name }) => name === to);
  if (
    input === undefined ||
    input.type !== output?.type ||
    input.dims.join() !== output.dims.join()
  )
    throw new PareError("ARGUMENT", `"${from}" cannot be "${to}" at the next step.`);
  return zero(input.memory.slice());
}

function zero(array: TypedArray): TypedArray {
  new Uint8Array(array.buffer).fill(0);
  return array;
}

function has(known: object, given: object): boolean {
  for (const name in given) if (!(name in known)) return false;
  return true;
}
