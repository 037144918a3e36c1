import type { StatePairs, ValueInfo } from "@pare/runtime/format";

/** Parts of names that say which of two ends of a state a value is. */
const ends = /^(in|out|inputs?|outputs?|new|next|prev|previous|past|present|current|updated|n|0)$/;

/**
 * A model's state, by what exporters call it: an output and an input of one type and one shape whose names are the same
 * but for what says which end they are: `stateN` and `state`, `hn` and `h`, `c_out` and `c_in`. Where more than one fits,
 * none is taken.
 * @returns by output name, the input that it is at the next step
 */
export function statePairs(
  inputs: readonly ValueInfo[],
  outputs: readonly ValueInfo[],
): StatePairs {
  const pairs = outputs.flatMap((output) =>
    inputs.filter((input) => isNext(output, input)).map((input) => [output.name, input.name]),
  );
  const isAlone = (name: string | undefined): boolean =>
    pairs.filter((pair) => pair.includes(name ?? "")).length === 1;
  return Object.fromEntries(pairs.filter((pair) => pair.every(isAlone)));
}

function isNext(output: ValueInfo, input: ValueInfo): boolean {
  const stem = stemOf(output.name);
  return (
    stem !== "" &&
    stem === stemOf(input.name) &&
    output.name !== input.name &&
    output.type === input.type &&
    output.dims.length === input.dims.length &&
    output.dims.every((dim, axis) => dim === input.dims[axis])
  );
}

/** What is left of a name's words: `stateN`, `state_n` and `new_state` are `state`. */
function stemOf(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "" && !ends.test(word));
  // hn and h0 are the h of recurrent cells.
  return words.map((word) => word.replace(/^([hc])[n0]$/, "$1")).join("_");
}
