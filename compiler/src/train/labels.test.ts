import { describe, expect, it } from "vitest";
import { LabelReader } from "./labels.js";

/** What labels come to, and what is said of them. */
function read(...labels: readonly unknown[]): readonly unknown[] {
  const reader = new LabelReader("a test");
  for (const [index, label] of labels.entries()) reader.add(label, String(index));
  const notes: string[] = [];
  const found = reader.finish((note) => void notes.push(note));
  return [found?.kind ?? null, ...notes];
}

describe("labels", () => {
  it.each<[string, readonly unknown[], readonly unknown[]]>([
    ["classes", [0, 3n, true], ["classes"]],
    ["numbers", [0.5, 3], ["numbers"]],
    ["lists", [[1, 2n], Float32Array.of(1, -1), [true, 0]], ["numbers"]],
    ["none", [undefined, null], [null]],
  ])("are read: %s", (_, labels, expected) => expect(read(...labels)).toEqual(expected));

  it.each<[string, readonly unknown[], string]>([
    ["texts", [undefined, "cat", "dog"], "that of sample 1 is a text"],
    ["no numbers", [Number.NaN, Number.NaN], "that of sample 0 is NaN"],
    ["lists of other things", [[null], ["1"], [[1]]], "that of sample 0 is no list of numbers"],
  ])("teach nothing where none can be learned, which is said: %s", (_, labels, why) => {
    expect(read(...labels)).toEqual([null, `No label can be learned: ${why}.`]);
  });

  it.each<[string, readonly unknown[], RegExp]>([
    ["not a number", [0, 1, Number.NaN], /^Not all labels can be learned: that of sample 2 is NaN/],
    ["a text", ["cat", 1], /that of sample 0 is a text/],
    [
      "a gap in a list",
      [
        [1, 2],
        [1, null],
      ],
      /that of sample 1 is no list of numbers/,
    ],
    ["one that is missing", [1, undefined], /^Sample 1 has no label/],
    ["lists of several lengths", [[1, 2], [1]], /sample 1 has 1 numbers, the first 2/],
  ])("are refused with %s among them", (_, labels, message) => {
    expect(() => read(...labels)).toThrow(message);
  });
});
