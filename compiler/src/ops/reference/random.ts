import { PareError } from "@pare/runtime/format";
import { unpackNumbers } from "../elements/arrays.js";
import type { Some } from "../schema/cells.js";
import type { randomSchemas } from "../schema/random.js";
import type { Evaluation } from "./evaluation.js";

export const randomReferences: Some<typeof randomSchemas, Evaluation> = {
  /** Outside training it passes its input on, and its mask is true throughout. */
  Dropout({ input, inputs }) {
    const [ratio, training] = [inputs[1], inputs[2]];
    const isDropping = training && unpackNumbers(training)[0] !== 0;
    if (isDropping && (!ratio || unpackNumbers(ratio)[0] !== 0)) {
      throw new PareError("UNSUPPORTED_OP", "Dropout in training is random.");
    }
    const count = input(0).data.length;
    return [input(0), { type: "bool", dims: input(0).dims, data: new Uint8Array(count).fill(1) }];
  },
};
