import * as fc from "fast-check";
import { expect, it } from "vitest";
import { attribute, type ValueId } from "../../ir/index.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { cases } from "../cases.test.support.js";
import { compare } from "../run-model.test.support.js";

const size = (min: number, max: number) => fc.integer({ min, max });

/** An image of so many channels, made by what writes whole vectors and what must not. */
const parts: Readonly<Record<string, (b: Builder, x: ValueId, channels: number) => ValueId>> = {
  convolved: (b, x, channels) => b.add("Conv", [x, b.weights(channels, 8, 1, 1)]),
  grouped(b, x, channels) {
    const group = channels % 4 === 0 ? 4 : 2;
    const weights = b.weights(channels, 8 / group, 1, 1);
    return b.add("Conv", [x, weights], { group: attribute.int(group) });
  },
  transposed(b, x, channels) {
    const group = channels % 4 === 0 ? 4 : 2;
    const weights = b.weights(8, channels / group, 1, 1);
    return b.add("ConvTranspose", [x, weights], { group: attribute.int(group) });
  },
  mapped: (b, x, channels) => b.add("Tanh", [b.add("Conv", [x, b.weights(channels, 8, 1, 1)])]),
  normalized(b, x, channels) {
    const convolved = b.add("Conv", [x, b.weights(channels, 8, 1, 1)]);
    const [scale, bias] = [b.weights(channels), b.weights(channels)];
    return b.add("GroupNormalization", [convolved, scale, bias], {
      num_groups: attribute.int(2),
      epsilon: attribute.float(0.1),
    });
  },
  framed(b, x, channels) {
    const inner = b.add("Slice", [x, b.ints([1, 1]), b.ints([3, 3]), b.ints([2, 3])]);
    const convolved = b.add("Conv", [inner, b.weights(channels, 8, 1, 1)]);
    return b.add("Pad", [convolved, b.ints([0, 0, 1, 1, 0, 0, 1, 1])]);
  },
};

it.each([
  [1, 8, 8],
  [1, 4, 6],
  [0, 10, 10],
  [2, 10, 10],
  [3, 10, 10],
])(
  "leaves what a grouped convolution is joined with, along axis %i",
  async (axis, first, second) => {
    for (const kind of ["grouped", "transposed"]) {
      const graph = graphOf({ x: ["float32", 1, 8, 4, 4] }, (input, b) => {
        const x = b.add("Neg", [input("x")]);
        const both = [parts["convolved"]?.(b, x, first), parts[kind]?.(b, x, second)];
        const joined = b.add(
          "Concat",
          both.flatMap((id) => id ?? []),
          { axis: attribute.int(axis) },
        );
        return { y: b.add("Relu", [joined]) };
      });
      expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-5);
    }
  },
);

it("joins what is written in any way, and reads what pads it", async () => {
  const problem = fc.record({
    kinds: fc.array(fc.constantFrom(...Object.keys(parts)), { minLength: 2, maxLength: 3 }),
    channels: fc.array(fc.constantFrom(4, 6, 8, 10, 14), { minLength: 3, maxLength: 3 }),
    axis: size(0, 3),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ kinds, channels, axis }) => {
      const [alike = 4] = channels;
      const graph = graphOf({ x: ["float32", 1, 8, 4, 4] }, (input, b) => {
        const x = b.add("Neg", [input("x")]);
        const made = kinds.flatMap(
          (kind, at) => parts[kind]?.(b, x, axis === 1 ? (channels[at] ?? 4) : alike) ?? [],
        );
        const all = kinds.reduce((sum, _, at) => sum + (channels[at] ?? 4), 0);
        const joined = b.add("Concat", made, { axis: attribute.int(axis) });
        const weights = b.weights(4, axis === 1 ? all : alike, 1, 3);
        return { y: b.add("Conv", [joined, weights]), z: b.add("GlobalMaxPool", [joined]) };
      });
      expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-5);
    }),
    { numRuns: cases(150) },
  );
});

it("normalizes one channel behind others", async () => {
  const graph = graphOf({ x: ["float32", 1, 8, 3, 3] }, (input, b) => {
    const [four, one] = [4, 1].map((maps) => b.add("Conv", [input("x"), b.weights(maps, 8, 1, 1)]));
    if (four === undefined || one === undefined) throw new Error("There are two.");
    const normal = b.add("InstanceNormalization", [one, b.weights(1), b.weights(1)], {
      epsilon: attribute.float(0.1),
    });
    const joined = b.add("Concat", [b.add("Relu", [four]), normal], { axis: attribute.int(1) });
    return { y: b.add("Neg", [joined]) };
  });
  expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-5);
});
