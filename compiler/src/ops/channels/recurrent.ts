import { attribute } from "../../ir/index.js";
import type { recurrentSchemas } from "../schema/recurrent.js";
import {
  type Channels,
  coupled,
  each,
  input,
  keptSize,
  output,
  periodic,
  summed,
  type Tie,
} from "./coupling.js";

/**
 * X [steps, batch, inputs], W [directions, gates × hidden, inputs], R [directions, gates × hidden, hidden],
 * B [directions, 2 × gates × hidden], states [directions, batch, hidden]. A hidden unit has its row in every gate, and
 * its own recurrent column: it is read inside, too.
 * @param peepholes the input that holds [directions, 3 × hidden]
 */
function recurrent(states: readonly number[], peepholes?: number): Channels {
  return {
    couplings(node) {
      const hidden = node.shape(input(2))?.[2];
      if (typeof hidden !== "number" || node.attributes.int("layout", 0) !== 0) return [];
      const there = (ties: readonly Tie[]): readonly Tie[] =>
        ties.filter(({ port }) => node.shape(port) !== undefined);
      const units = there([
        each(output(0), 3),
        each(output(1), 2),
        each(output(2), 2),
        periodic(input(1), 1, hidden),
        periodic(input(2), 1, hidden),
        summed(each(input(2), 2)),
        periodic(input(3), 1, hidden),
        ...states.map((index) => each(input(index), 2)),
        ...(peepholes === undefined ? [] : [periodic(input(peepholes), 1, hidden)]),
      ]);
      return [coupled(summed(each(input(0), 2)), each(input(1), 2)), coupled(...units)];
    },
    fit(node, kept) {
      if (kept.places(input(2), 2) === undefined) return [];
      const size = keptSize(node, kept, input(2), 2);
      return size === undefined ? [] : [{ attribute: "hidden_size", value: attribute.int(size) }];
    },
  };
}

export const recurrentChannels: { readonly [Name in keyof typeof recurrentSchemas]: Channels } = {
  LSTM: recurrent([5, 6], 7),
  GRU: recurrent([5]),
  RNN: recurrent([5]),
};
