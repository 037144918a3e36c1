import { directionsOf } from "../families/recurrent.js";
import { type Demand, differ, isOneOf, isOther } from "./demand.js";

const states = { LSTM: [5, 6], GRU: [5], RNN: [5] };

/** X [steps, N, I], W [D, gates·H, I], R [D, gates·H, H], B [D, 2·gates·H], states [D, N, H], peepholes [D, 3·H]. */
const cell =
  (op: keyof typeof states, gates: number): Demand =>
  (context) => {
    const { attributes } = context;
    if (!isOneOf(context, "direction", "forward reverse bidirectional"))
      return "its direction is not known";
    const [x, r] = [context.shape(0), context.shape(2)];
    if (x === undefined || r === undefined) return undefined;
    const [hidden] = r.slice(2);
    if (x.length !== 3 || typeof hidden !== "number") return "its input has not three axes";
    if (hidden < 1 || differ(hidden, attributes.int("hidden_size")))
      return "its weights are not those of its hidden_size";
    const directions = directionsOf(attributes);
    const batch = x[attributes.int("layout", 0) === 0 ? 1 : 0];
    const isFirst = attributes.int("layout", 0) === 0;
    const state = isFirst ? [directions, batch, hidden] : [batch, directions, hidden];
    const wanted = [
      [1, [directions, gates * hidden, x[2]]],
      [2, [directions, gates * hidden, hidden]],
      [3, [directions, 2 * gates * hidden]],
      [4, [batch]],
      ...states[op].map((input) => [input, state] as const),
      [7, [directions, 3 * hidden]],
    ] as const;
    const unfit = wanted.some(([input, sizes]) => isOther(context.shape(input), sizes));
    return unfit ? "its weights and states do not fit its input" : undefined;
  };

export const recurrentDemands = { LSTM: cell("LSTM", 4), GRU: cell("GRU", 3), RNN: cell("RNN", 1) };
