import type { Dtype } from "@pare/runtime/format";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { attribute, type ValueId } from "../../ir/index.js";
import { simplifyGraph } from "../../passes/simplify.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { compare } from "../run-model.test.support.js";

const size = (min: number, max: number) => fc.integer({ min, max });

/** Onnx' numbers of types. */
const typeNumbers = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9 } as const;

const shapes = fc
  .record({
    dims: fc.array(size(1, 6), { minLength: 1, maxLength: 4 }),
    ones: fc.array(size(0, 1), { minLength: 4, maxLength: 4 }),
    drop: size(0, 3),
  })
  .map(({ dims, ones, drop }) => ({
    dims,
    small: dims
      .map((own, axis) => (ones[axis] === 1 ? 1 : own))
      .slice(Math.min(drop, dims.length - 1)),
  }));

/** Floats as small integers too, so that some are equal. */
function rounded(b: Builder, x: ValueId, type: Dtype): ValueId {
  return type === "float32" ? b.add("Round", [b.add("Mul", [x, b.floats([2], [])])]) : x;
}

it("compares, joins and chooses by truth values, of every type and broadcast", async () => {
  const problem = fc.record({
    shape: shapes,
    type: fc.constantFrom<Dtype>("float32", "int32", "int64", "bool"),
    op: fc.constantFrom("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"),
    logic: fc.constantFrom("And", "Or", "Xor", "Not", "none"),
    after: fc.constantFrom("none", "where", "constants", "cast", "product"),
    isSwapped: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ shape, type, logic, after, isSwapped, ...p }) => {
      const op = type === "bool" ? "Equal" : p.op;
      // The engine chooses no truth values.
      fc.pre(type !== "bool" || after !== "where");
      const { dims, small } = shape;
      const graph = graphOf(
        { x: [type, ...dims], z: [type, ...small], t: ["bool", ...small] },
        (input, b) => {
          const [x, z] = [rounded(b, input("x"), type), rounded(b, input("z"), type)];
          const compared = b.add(op, isSwapped ? [z, x] : [x, z]);
          const truth =
            logic === "none"
              ? compared
              : b.add(logic, logic === "Not" ? [compared] : [compared, input("t")]);
          const last = {
            none: () => truth,
            where: () => b.add("Where", isSwapped ? [truth, x, z] : [truth, z, x]),
            constants: () => b.add("Where", [truth, b.floats([-9], []), b.floats([1.5], [1])]),
            cast: () => b.add("Cast", [truth], { to: attribute.int(typeNumbers.int64) }),
            product: () =>
              b.add("Mul", [
                b.add("Cast", [truth], { to: attribute.int(typeNumbers.float32) }),
                b.weights(...small),
              ]),
          }[after]();
          return { y: last, t2: b.add("Not", [input("t")]) };
        },
      );
      expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(1e-6);
    }),
    { numRuns: cases(200) },
  );
});

it("converts between all types", async () => {
  const type = fc.constantFrom(
    ...(["float32", "uint8", "int8", "int32", "int64", "bool"] as const),
  );
  const problem = fc.record({ shape: shapes, from: type, to: type, isTurned: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(problem, async ({ shape, from, to, isTurned }) => {
      const graph = graphOf({ x: [from, ...shape.dims] }, (input, b) => {
        // A float's rest is cut off; below 0 an unsigned integer has nothing.
        const isFloat = from === "float32";
        const given = isFloat
          ? b.add("Abs", [b.add("Mul", [input("x"), b.floats([9], [])])])
          : input("x");
        const x = isTurned ? b.add("Transpose", [given]) : given;
        return { y: b.add("Cast", [x], { to: attribute.int(typeNumbers[to]) }) };
      });
      expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(1e-6);
    }),
    { numRuns: cases(150) },
  );
});

it("tells what is no number, and what is infinite", async () => {
  const graph = graphOf({ x: ["float32", 3, 5] }, (input, b) => {
    const infinite = b.add("Div", [input("x"), b.add("Relu", [input("x")])]);
    const told = (below: number, above: number): ValueId =>
      b.add("IsInf", [infinite], {
        detect_negative: attribute.int(below),
        detect_positive: attribute.int(above),
      });
    return {
      y: b.add("IsNaN", [b.add("Sqrt", [input("x")])]),
      either: told(1, 1),
      below: told(1, 0),
      above: told(0, 1),
      none: told(0, 0),
    };
  });
  expect(await compare(graph, { poisoned: true, reference: true })).toBe(0);
});

it("keeps triangles, and sets one of many", async () => {
  const problem = fc.record({
    dims: fc.array(size(1, 6), { minLength: 2, maxLength: 4 }),
    // What the engine has a kernel for.
    type: fc.constantFrom("float32" as const, "int64" as const),
    diagonal: size(-3, 3),
    upper: size(0, 1),
    axis: size(-1, 2),
    depth: size(1, 5),
    op: fc.constantFrom("Trilu", "OneHot"),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims, type, op, ...p }) => {
      fc.pre(op === "OneHot" || type === "float32");
      const graph = graphOf({ x: [type, ...dims], i: ["int64", ...dims] }, (input, b) => {
        if (op === "Trilu") {
          const upper = attribute.int(p.upper);
          return { y: b.add("Trilu", [input("x"), b.ints([p.diagonal], [])], { upper }) };
        }
        const to = attribute.int(typeNumbers[type]);
        const values = b.add("Cast", [b.ints([-1, 2])], { to });
        const axis = attribute.int(p.axis);
        return { y: b.add("OneHot", [input("i"), b.ints([p.depth], []), values], { axis }) };
      });
      await simplifyGraph(graph, {});
      expect(await compare(graph, { poisoned: true, reference: true })).toBe(0);
    }),
    { numRuns: cases(100) },
  );
});

it("computes with integers of 32 and 64 bits, broadcast", async () => {
  const problem = fc.record({
    shape: shapes,
    type: fc.constantFrom<Dtype>("int32", "int64"),
    op: fc.constantFrom("Add", "Sub", "Mul", "Div", "Mod", "fmod", "Min", "Max"),
    after: fc.constantFrom("none", "Neg", "Abs", "Sign", "Clip", "three"),
    isSwapped: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ shape, type, op, after, isSwapped }) => {
      const { dims, small } = shape;
      const graph = graphOf({ x: [type, ...dims], z: [type, ...small] }, (input, b) => {
        const constant = (value: number): ValueId =>
          b.add("Cast", [b.ints([value], [])], { to: attribute.int(typeNumbers[type as "int32"]) });
        // Not 0, and of both signs.
        const z = b.add("Sub", [b.add("Mul", [input("z"), constant(2)]), constant(1)]);
        const operands = isSwapped ? [z, z] : [input("x"), z];
        const y =
          op === "fmod" ? b.add("Mod", operands, { fmod: attribute.int(1) }) : b.add(op, operands);
        const last = {
          none: () => y,
          Neg: () => b.add("Neg", [y]),
          Abs: () => b.add("Abs", [y]),
          Sign: () => b.add("Sign", [y]),
          Clip: () => b.add("Clip", [y, constant(-1), constant(3)]),
          three: () => b.add("Max", [y, input("x"), z]),
        }[after]();
        return { y: last };
      });
      expect(await compare(graph, { poisoned: true, reference: true, integers: [-9, 9] })).toBe(0);
    }),
    { numRuns: cases(150) },
  );
});

it("takes powers, remainders, sines and other functions of floats", async () => {
  const problem = fc.record({
    shape: shapes,
    op: fc.oneof(
      fc.constantFrom("Pow", "Mod", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sign", "Mean"),
      fc.constantFrom("Sinh", "Cosh", "Asinh", "Acosh", "Atanh"),
      fc.constantFrom("Selu", "Celu", "Softsign", "Mish", "ThresholdedRelu", "Shrink"),
    ),
    exponent: fc.constantFrom(0, 2, 2.5, -1.5, 5, "tensor", "whole"),
    scale: fc.constantFrom(1, 10, 1000),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ shape, op, exponent, scale }) => {
      const { dims, small } = shape;
      const graph = graphOf({ x: ["float32", ...dims], z: ["float32", ...small] }, (input, b) => {
        const x = b.add("Mul", [input("x"), b.floats([op === "Pow" ? 3 : scale], [])]);
        const positive = b.add("Add", [b.add("Abs", [input("x")]), b.floats([0.125], [])]);
        const z = b.add("Add", [b.add("Abs", [input("z")]), b.floats([0.5], [])]);
        if (op === "Mod") return { y: b.add("Mod", [x, z], { fmod: attribute.int(1) }) };
        if (op === "Mean") return { y: b.add(op, [x, z, positive].slice(0, scale === 1 ? 1 : 3)) };
        if (op === "Acosh") return { y: b.add(op, [b.add("Add", [positive, b.floats([1], [])])]) };
        if (/^(Tan|Asin|Acos|Atanh|Sinh|Cosh)$/.test(op)) return { y: b.add(op, [input("x")]) };
        const bias = { bias: attribute.float(0.25), lambd: attribute.float(0.5) };
        const alpha = { alpha: attribute.float(scale === 10 ? -0.5 : 1.5) };
        const own = new Map(Object.entries({ Shrink: bias, Celu: alpha, Selu: alpha }));
        if (op !== "Pow") return { y: b.add(op, [x], own.get(op) ?? {}) };
        if (exponent === "whole") return { y: b.add("Pow", [x, b.ints([3], [])]) };
        if (typeof exponent === "string") return { y: b.add("Pow", [positive, z]) };
        return { y: b.add("Pow", [positive, b.floats([exponent], [])]) };
      });
      expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-5);
    }),
    { numRuns: cases(150) },
  );
});

it.each([0.5, 0, -0.75, -Infinity])("shrinks by a λ of %f, below 0 as well", async (lambda) => {
  const graph = graphOf({ x: ["float32", 3, 7] }, (input, b) => ({
    y: b.add("Shrink", [input("x")], {
      lambd: attribute.float(lambda),
      bias: attribute.float(1.5),
    }),
  }));
  expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(1e-6);
});
