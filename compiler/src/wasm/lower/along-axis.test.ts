import type { Dtype } from "@pare/runtime/format";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { attribute, type ValueId } from "../../ir/index.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { compare } from "../run-model.test.support.js";

const size = (min: number, max: number) => fc.integer({ min, max });
const types = fc.constantFrom<Dtype>("float32", "int32", "int64");
const dims = fc.array(size(1, 6), { minLength: 1, maxLength: 4 });
const checked = { poisoned: true, reference: true } as const;

/** As it is given, in another order, or with its channels innermost. */
function laid(b: Builder, x: ValueId, own: readonly number[], layout: string): ValueId {
  if (layout === "turned") {
    const turned = b.add("Transpose", [x]);
    return b.add("Transpose", [b.add("Identity", [turned])]);
  }
  const [, channels = 1] = own;
  if (layout !== "image" || own.length < 3) return x;
  return b.add("Conv", [x, b.weights(channels, channels, ...own.slice(2).map(() => 1))]);
}

const layouts = fc.constantFrom("plain", "turned", "image");

it("sums up along any axis", async () => {
  const problem = fc.record({
    dims,
    type: types,
    axis: size(0, 3),
    flags: fc.tuple(size(0, 1), size(0, 1)),
    layout: layouts,
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims: own, type, axis, flags, layout }) => {
      const graph = graphOf({ x: [type, ...own] }, (input, b) => {
        const x = laid(b, input("x"), own, type === "float32" ? layout : "plain");
        const attributes = { exclusive: attribute.int(flags[0]), reverse: attribute.int(flags[1]) };
        return { y: b.add("CumSum", [x, b.ints([axis % own.length], [])], attributes) };
      });
      expect(await compare(graph, checked)).toBeLessThan(2e-5);
    }),
    { numRuns: cases(80) },
  );
});

it("finds where the largest and the smallest are, and the first few", async () => {
  const problem = fc.record({
    dims,
    type: types,
    axis: size(0, 3),
    op: fc.constantFrom("ArgMax", "ArgMin", "TopK"),
    flags: fc.tuple(size(0, 1), size(0, 1)),
    wanted: size(1, 6),
    layout: layouts,
    isUsed: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims: own, type, axis, op, flags, ...p }) => {
      const at = axis % own.length;
      const graph = graphOf({ x: [type, ...own] }, (input, b) => {
        const x = laid(b, input("x"), own, type === "float32" ? p.layout : "plain");
        if (op !== "TopK") {
          const attributes = {
            axis: attribute.int(at),
            keepdims: attribute.int(flags[0]),
            select_last_index: attribute.int(flags[1]),
          };
          return { y: b.add(op, [x], attributes) };
        }
        const wanted = Math.min(p.wanted, own[at] ?? 1);
        const attributes = { axis: attribute.int(at), largest: attribute.int(flags[0]) };
        const [values = x, places = x] = b.many("TopK", 2, [x, b.ints([wanted])], attributes);
        // What is found is looked up again.
        return p.isUsed
          ? { y: b.add("GatherElements", [x, places], { axis: attribute.int(at) }) }
          : { y: values, z: places };
      });
      expect(await compare(graph, checked)).toBeLessThan(1e-5);
    }),
    { numRuns: cases(150) },
  );
});

it("folds integers, products and powers over any axes", async () => {
  const problem = fc.record({
    dims,
    axes: fc.uniqueArray(size(0, 3), { minLength: 1, maxLength: 3 }),
    keep: size(0, 1),
    type: types,
    op: fc.constantFrom("ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceMean"),
    float: fc.constantFrom("ReduceProd", "ReduceLogSum", "ReduceLogSumExp"),
    layout: layouts,
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims: own, axes, keep, type, op, float, layout }) => {
      const reduced = axes.filter((axis) => axis < own.length);
      fc.pre(reduced.length > 0);
      const isFloat = type === "float32";
      const graph = graphOf({ x: [type, ...own] }, (input, b) => {
        const given = laid(b, input("x"), own, isFloat ? layout : "plain");
        const positive = () => b.add("Add", [b.add("Abs", [given]), b.floats([0.5], [])]);
        const x = isFloat && float === "ReduceLogSum" ? positive() : given;
        const attributes = { keepdims: attribute.int(keep) };
        return { y: b.add(isFloat ? float : op, [x, b.ints(reduced)], attributes) };
      });
      expect(await compare(graph, checked)).toBeLessThan(2e-5);
    }),
    { numRuns: cases(150) },
  );
});

it("normalizes groups of channels, and channels alone", async () => {
  const problem = fc.record({
    batch: size(1, 2),
    groups: size(1, 4),
    own: size(1, 5),
    places: fc.array(size(2, 5), { minLength: 1, maxLength: 2 }),
    isInstance: fc.boolean(),
    layout: layouts,
    after: fc.constantFrom("none", "Relu", "Conv"),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ batch, groups, own, places, isInstance, layout, after }) => {
      const channels = groups * own;
      const shape = [batch, channels, ...places];
      const graph = graphOf({ x: ["float32", ...shape] }, (input, b) => {
        const x = laid(b, input("x"), shape, layout);
        const parameters = [x, b.weights(channels), b.weights(channels)];
        const epsilon = attribute.float(0.1);
        const y = isInstance
          ? b.add("InstanceNormalization", parameters, { epsilon })
          : b.add("GroupNormalization", parameters, {
              epsilon,
              num_groups: attribute.int(groups),
            });
        const weights = () => b.weights(3, channels, ...places.map(() => 1));
        return {
          y:
            after === "Relu"
              ? b.add("Relu", [y])
              : after === "Conv"
                ? b.add("Conv", [y, weights()])
                : y,
        };
      });
      expect(await compare(graph, checked)).toBeLessThan(5e-5);
    }),
    { numRuns: cases(120) },
  );
});
