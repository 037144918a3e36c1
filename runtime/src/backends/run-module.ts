import type { ArraysOf, Given } from "../format/engine/run-sync.js";
import { messageOf, PareError } from "../format/error.js";
import { isTypedArray, type Tensor, type Tensors } from "../format/tensor/tensor.js";
import type { Entry, Placed } from "./module-memory.js";

// This runs for each frame of audio, and allocates nothing, not even where it is interpreted: loops go by index, since
// `for … of` makes an object, and no function on the way captures a variable.

/** Takes feeds that are not all bare arrays of their type and size: gives them in order, or throws what is wrong. */
export type Complete = (inputs: readonly Placed[], feeds: Given) => readonly Tensor[];

/**
 * Copies the inputs in, runs, and copies the outputs out.
 * @returns `into`, or new tensors where it is not given
 * @throws PareError INPUT, ENGINE for a module that traps or grows its memory
 */
export function runModule(
  { inputs, outputs, run }: Entry,
  feeds: Given,
  into: ArraysOf | undefined,
  complete: Complete,
): Tensors | ArraysOf {
  const tensors = countLike(inputs, feeds) === inputs.length ? undefined : complete(inputs, feeds);
  if (into !== undefined && countLike(outputs, into) < 0)
    throw new PareError("INPUT", "The arrays to write into do not fit the outputs.");
  try {
    for (let at = 0; at < inputs.length; at += 1) {
      const value = inputs[at];
      if (value === undefined) continue;
      const given = tensors === undefined ? feeds[value.name] : tensors[at]?.data;
      copy(value.texts === null ? given : placesOf(given, value.texts), value.memory);
    }
    run();
    if (into === undefined) return copies(outputs);
    for (let at = 0; at < outputs.length; at += 1) {
      const value = outputs[at];
      if (value !== undefined) copy(value.memory, into[value.name]);
    }
    return into;
  } catch (cause) {
    // A stranger's module may trap, or grow its memory, which takes away what lies over it.
    throw new PareError("ENGINE", `The module failed in a run: ${messageOf(cause)}`, {
      where: "WebAssembly",
      cause,
    });
  }
}

/** How many of these are given as the arrays that they are; −1 where anything else is given too. */
function countLike(values: readonly Placed[], given: Readonly<Record<string, unknown>>): number {
  let like = 0;
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at];
    const array = given?.[value?.name ?? ""];
    const memory = value?.memory;
    if (
      value?.texts === null &&
      isTypedArray(array) &&
      array.constructor === memory?.constructor &&
      array.length === memory.length
    )
      like += 1;
  }
  let all = 0;
  for (const name in given) if (given[name] !== undefined) all += 1;
  return all === like ? like : -1;
}

/** Of texts, where each is in a list; −1 where it is not. */
function placesOf(given: unknown, texts: readonly unknown[]): unknown {
  return Array.isArray(given) ? Int32Array.from(given, (text) => texts.indexOf(text)) : given;
}

/** What lies in memory now, as tensors of their own. */
export function copies(outputs: readonly Placed[]): Tensors {
  // Made whole: to one that is called `__proto__` nothing could be assigned.
  return Object.fromEntries(outputs.map(({ name, copied }) => [name, copied()]));
}

/** Between arrays of one kind, which was checked, though not for TypeScript. */
function copy(from: unknown, to: unknown): void {
  if (isTypedArray(from) && isTypedArray(to)) (to as Float32Array).set(from as Float32Array);
}
