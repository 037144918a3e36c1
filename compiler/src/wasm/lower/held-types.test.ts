import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { attribute, type ValueId } from "../../ir/index.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { compare } from "../run-model.test.support.js";
import { heldTypes } from "./element-of-type.js";

const size = (min: number, max: number) => fc.integer({ min, max });

type Step = (b: Builder, x: ValueId, dims: readonly number[], axis: number, n: number) => Moved;
interface Moved {
  readonly id: ValueId;
  readonly dims: readonly number[];
}

const steps: Readonly<Record<string, Step>> = {
  transpose(b, x, dims, axis) {
    const perm = [...dims.keys()].map((at) => (at + axis) % dims.length);
    const id = b.add("Transpose", [x], { perm: attribute.ints(perm) });
    return { id, dims: perm.map((at) => dims[at] ?? 1) };
  },
  slice(b, x, dims, axis, n) {
    const start = n % (dims[axis] ?? 1);
    const id = b.add("Slice", [x, b.ints([start]), b.ints([10_000]), b.ints([axis])]);
    return { id, dims: dims.map((one, at) => (at === axis ? one - start : one)) };
  },
  backwards(b, x, dims, axis) {
    const id = b.add("Slice", [x, b.ints([-1]), b.ints([-10_000]), b.ints([axis]), b.ints([-1])]);
    return { id, dims };
  },
  gather(b, x, dims, axis, n) {
    const chosen = [n, 0, n + 1].map((at) => at % (dims[axis] ?? 1));
    const id = b.add("Gather", [x, b.ints(chosen)], { axis: attribute.int(axis) });
    return { id, dims: dims.map((one, at) => (at === axis ? 3 : one)) };
  },
  pad(b, x, dims, axis, n) {
    const pads = [...dims, ...dims].map((_, at) => (at % dims.length === axis ? n % 3 : at % 2));
    const id = b.add("Pad", [x, b.ints(pads)]);
    const dimsAfter = dims.map((one, at) => one + (pads[at] ?? 0) + (pads[at + dims.length] ?? 0));
    return { id, dims: dimsAfter };
  },
  splitAndJoin(b, x, dims, axis, n) {
    const whole = dims[axis] ?? 1;
    if (whole < 2) return { id: x, dims };
    const first = 1 + (n % (whole - 1));
    const at = { axis: attribute.int(axis) };
    const [a = x, c = x] = b.many("Split", 2, [x, b.ints([first, whole - first])], at);
    return { id: b.add("Concat", [c, a], at), dims };
  },
  tile(b, x, dims, axis) {
    const repeats = dims.map((_, at) => (at === axis ? 2 : 1));
    return {
      id: b.add("Tile", [x, b.ints(repeats)]),
      dims: dims.map((one, at) => (at === axis ? 2 * one : one)),
    };
  },
  reshape(b, x, dims) {
    const flat = [1, dims.reduce((product, one) => product * one, 1)];
    return { id: b.add("Reshape", [x, b.ints(flat)]), dims: flat };
  },
};

it("takes, moves and gives values of every type", async () => {
  const problem = fc.record({
    type: fc.constantFrom(...heldTypes),
    dims: fc.array(size(1, 7), { minLength: 1, maxLength: 4 }),
    chosen: fc.array(fc.tuple(fc.constantFrom(...Object.keys(steps)), size(0, 3), size(0, 9)), {
      maxLength: 4,
    }),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ type, dims, chosen }) => {
      const graph = graphOf({ x: [type, ...dims] }, (input, b) => {
        let moved: Moved = { id: input("x"), dims };
        for (const [name, axis, n] of chosen) {
          const step = steps[name];
          if (step !== undefined)
            moved = step(b, moved.id, moved.dims, axis % moved.dims.length, n);
        }
        return { y: b.add("Concat", [moved.id, moved.id], { axis: attribute.int(0) }) };
      });
      expect(await compare(graph, { poisoned: true, reference: true })).toBe(0);
    }),
    { numRuns: cases(200) },
  );
});
