import type { Dtype } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { attribute } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { planOf } from "../compile.js";
import { compare } from "../run-model.test.support.js";

const types: readonly Dtype[] = ["int32", "int64"];

it.each(types)("compiles no slope of %s", async (type) => {
  const graph = graphOf({ x: [type, 4], z: [type, 4] }, (input, b) => ({
    y: b.add("PRelu", [input("x"), input("z")]),
  }));
  await expect(planOf(graph)).rejects.toThrow(/PRelu .*compiled for floats alone/);
});

it.each(types)("joins %s, from one operand on", async (type) => {
  const graph = graphOf({ x: [type, 4], z: [type, 4] }, (input, b) => {
    const [x, z] = [input("x"), input("z")];
    const odd = b.add("Add", [b.add("Add", [b.add("Abs", [z]), z]), b.add("Div", [x, x])]);
    return {
      least: b.add("Min", [b.add("Max", [x])]),
      most: b.add("Max", [x, z, b.add("Neg", [x])]),
      sign: b.add("Sign", [b.add("Sub", [x, z])]),
      rest: b.add("Mod", [x, b.add("Max", [odd, b.add("Sub", [z, z])])]),
      cut: b.add("Mod", [z, x], { fmod: attribute.int(1) }),
    };
  });
  // No zero, by which nothing is divided.
  expect(await compare(graph, { reference: true, integers: [2, 5] })).toBe(0);
});

it.each(types)("joins %s bit by bit", async (type) => {
  const graph = graphOf({ x: [type, 3, 4], z: [type, 4] }, (input, b) => {
    const [x, z] = [input("x"), b.add("Mul", [input("z"), input("z")])];
    return {
      both: b.add("BitwiseAnd", [x, z]),
      either: b.add("BitwiseOr", [z, x]),
      one: b.add("BitwiseXor", [x, b.add("BitwiseNot", [z])]),
      scalar: b.add("BitwiseNot", [b.add("ReduceMax", [x], { keepdims: attribute.int(0) })]),
    };
  });
  expect(await compare(graph, { reference: true, integers: [-9, 99] })).toBe(0);
});
