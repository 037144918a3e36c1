import { expect, it } from "vitest";
import { demandLabels } from "./demand-labels.js";

const demand = (labels: string, training?: readonly number[]) => () =>
  demandLabels(
    Array.from(labels, (one) => ({ labelled: one === "l" })),
    training === undefined ? {} : { training },
    "digits.mjs",
  );

it.each<[labels: string, training?: number[]]>([
  ["lll"],
  ["..."],
  ["lll", [0]],
  ["...", [0]],
  [".ll", [0]],
])("takes %s", (labels, training) => expect(demand(labels, training)).not.toThrow());

it.each<[string, readonly number[] | undefined, string]>([
  ["l.l", undefined, "Only 2 of the 3 samples in digits.mjs have a label."],
  ["l..", [0], "Only 1 of the 3 samples in digits.mjs have a label."],
  [".lll", [0, 1], "Only 3 of the 4 samples in digits.mjs have a label."],
  [".l.l", [0], "Only 2 of the 3 samples in digits.mjs that do not only train have a label."],
])("refuses %s", (labels, training, message) => {
  expect(demand(labels, training)).toThrow(
    expect.objectContaining({ code: "DATA_INVALID", message }),
  );
});
