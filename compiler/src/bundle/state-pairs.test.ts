import type { ValueInfo } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { statePairs } from "./state-pairs.js";

const values = (text: string): ValueInfo[] =>
  text.split(" ").map((one) => {
    const [name = "", dims = "2,1,128"] = one.split(":");
    return { name, type: "float32", dims: dims.split(",").map((dim) => Number(dim) || dim) };
  });

it.each([
  ["Silero's", "input:1,576 state", "output:1,1 stateN", { stateN: "state" }],
  ["Silero's of a free batch", "input state:2,N,128", "output stateN:2,N,128", { stateN: "state" }],
  ["a cell's", "x:1,40 h0 c0", "y:1,40 hn cn", { hn: "h0", cn: "c0" }],
  ["an older one's", "input h c", "output hn cn", { hn: "h", cn: "c" }],
  [
    "in and out",
    "mel:1,80 conv_in lstm.in",
    "logit:1 conv_out lstm.out",
    { conv_out: "conv_in", "lstm.out": "lstm.in" },
  ],
  ["new and past", "past_state", "new_state", { new_state: "past_state" }],
])("finds %s state", (_, inputs, outputs, pairs) => {
  expect(statePairs(values(inputs), values(outputs))).toEqual(pairs);
});

it.each([
  ["names that say an end alone", "input", "output"],
  ["other sizes", "state:1,64", "stateN:1,65"],
  ["other names", "x", "y"],
  ["one name at both ends", "state", "state"],
  ["two that fit one", "state", "stateN state_out"],
  ["one that fits two", "state_in prev_state", "stateN"],
])("takes none of %s", (_, inputs, outputs) => {
  expect(statePairs(values(inputs), values(outputs))).toEqual({});
});
