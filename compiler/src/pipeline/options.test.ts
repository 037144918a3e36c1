import { findFault } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import {
  boolean,
  either,
  formerly,
  integer,
  listOf,
  number,
  oneOf,
  recordOf,
  text,
} from "./kinds.js";
import { fields, option, optional, required } from "./options.js";

const names = listOf(text);
const keep = fields({
  nodes: option(names, [], "By name."),
  ops: option(names, [], "By type."),
});
const rounding = fields(
  {
    bits: option(integer(2, 8), 8, "Of weights."),
    narrow: option(boolean, false, "One bit less."),
    keepFloat: option(
      either(
        keep,
        formerly(names, (both) => ({ nodes: both, ops: both })),
      ),
      { nodes: [], ops: [] },
      "What stays float.",
    ),
    correct: optional(boolean, "Whether biases are corrected."),
  },
  {
    former: {
      weightBits: {
        now: ["bits", "narrow"],
        kind: formerly(oneOf([7, 8]), (bits) => ({ bits: 8, narrow: bits === 7 })),
      },
    },
  },
);

describe("fields", () => {
  it("reads what is given, and completes the rest", () => {
    expect(rounding.read({ narrow: true, keepFloat: { ops: ["Conv"] } }, "r")).toEqual({
      bits: 8,
      narrow: true,
      keepFloat: { nodes: [], ops: ["Conv"] },
      correct: undefined,
    });
  });

  it("reads former names and forms as what they are now", () => {
    expect(rounding.read({ weightBits: 7, keepFloat: ["head"] }, "r")).toMatchObject({
      bits: 8,
      narrow: true,
      keepFloat: { nodes: ["head"], ops: ["head"] },
    });
    expect(() => rounding.read({ weightBits: 7, narrow: false }, "r")).toThrow(
      expect.objectContaining({
        where: "r.weightBits",
        hint: "Leave it out: it is now bits and narrow.",
      }),
    );
    expect(() => rounding.read({ weightBits: 4 }, "r")).toThrow(/r\.weightBits is 4/);
  });

  it("says the same as a schema", () => {
    expect(rounding.schema).toEqual({
      type: "object",
      properties: {
        bits: { type: "integer", minimum: 2, maximum: 8, description: "Of weights.", default: 8 },
        narrow: { type: "boolean", description: "One bit less.", default: false },
        keepFloat: {
          anyOf: [
            {
              type: "object",
              properties: {
                nodes: expect.objectContaining({ description: "By name." }),
                ops: expect.objectContaining({ default: [] }),
              },
              additionalProperties: false,
            },
            { type: "array", items: { type: "string" }, deprecated: true },
          ],
          description: "What stays float.",
          default: { nodes: [], ops: [] },
        },
        correct: { type: "boolean", description: "Whether biases are corrected." },
        weightBits: { type: "number", enum: [7, 8], deprecated: true },
      },
      not: {
        anyOf: [{ required: ["weightBits", "bits"] }, { required: ["weightBits", "narrow"] }],
      },
      additionalProperties: false,
    });
    expect(findFault({ weightBits: 7 }, rounding.schema)).toBeNull();
    expect(findFault({ weightBits: 7, narrow: true }, rounding.schema)).not.toBeNull();
  });

  it.each<[unknown, string, string]>([
    [{ bits: 9 }, "r.bits is 9.", "It must be a whole number from 2 to 8."],
    [{ bits: 2.5 }, "r.bits is 2.5.", "It must be a whole number from 2 to 8."],
    [
      { bit: 8, narrow: 1 },
      "r.bit is not an option.",
      "The options are bits, narrow, keepFloat, correct.",
    ],
    [{ narrow: "yes" }, 'r.narrow is "yes".', "It must be true or false."],
    [{ narrow: "y".repeat(99) }, `r.narrow is "${"y".repeat(59)}….`, "It must be true or false."],
    [{ narrow: null }, "r.narrow is null.", "It must be true or false."],
    [
      { keepFloat: { nodes: "a" } },
      'r.keepFloat.nodes is "a".',
      "It must be a list, each item a text.",
    ],
    [{ keepFloat: ["a", 1] }, "r.keepFloat[1] is 1.", "It must be a text."],
    [
      { keepFloat: 5 },
      "r.keepFloat is 5.",
      "It must be an object with nodes, ops or a list, each item a text.",
    ],
    [[], "r is no object.", "It must be an object with bits, narrow, keepFloat, correct."],
    [null, "r is no object.", "It must be an object with bits, narrow, keepFloat, correct."],
  ])("refuses %j with its place", (value, message, hint) => {
    expect(() => rounding.read(value, "r")).toThrow(
      expect.objectContaining({ code: "RECIPE", message, hint }),
    );
  });

  it("asks for what must be given, and says when there is nothing to give", () => {
    const must = fields({ steps: required(listOf(text, 1), "In order.") }, { noun: "field" });
    expect(must.schema).toMatchObject({ required: ["steps"] });
    expect(() => must.read({}, "m")).toThrow("m.steps is missing.");
    expect(() => must.read({ steps: [] }, "m")).toThrow("m.steps is an empty list.");
    expect(() => must.read({ step: 1 }, "m")).toThrow("m.step is not a field.");
    expect(() => fields({}).read({ level: 9 }, "simplify")).toThrow(
      expect.objectContaining({ hint: "It takes no options." }),
    );
  });

  it("tells kinds apart by their JSON types", () => {
    const kind = recordOf(either(number, boolean, listOf(number)));
    expect(kind.read({ a: 1.5, b: true, c: [1] }, "k")).toEqual({ a: 1.5, b: true, c: [1] });
    expect(() => kind.read({ a: ["x"] }, "k")).toThrow('k.a[0] is "x".');
    expect(() => kind.read({ a: Infinity }, "k")).toThrow("k.a is null.");
  });
});
