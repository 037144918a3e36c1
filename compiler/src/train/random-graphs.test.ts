import fc from "fast-check";
import { expect, it } from "vitest";
import { attribute, type ValueId } from "../ir/index.js";
import type { Builder } from "../rules/rule-case.test.support.js";
import {
  type Case,
  checked,
  floatsOf,
  load,
  samplesOf,
  together,
  tolerance,
  withGradients,
} from "./gradient-check.test.support.js";

const { int, ints } = attribute;

type Layer = (x: ValueId, weights: ValueId, builder: Builder) => ValueId;

/** Smooth functions of x [2, 4, 3, 3] and of its weights [4, 4], of x's shape. */
const layers: Readonly<Record<string, Layer>> = {
  product: (x, w, { add }) => {
    const rows = add("Transpose", [x], { perm: ints([0, 2, 3, 1]) });
    return add("Transpose", [add("MatMul", [rows, w])], { perm: ints([0, 3, 1, 2]) });
  },
  convolution: (x, w, { add, ints: dims }) =>
    add("Conv", [x, add("Reshape", [w, dims([4, 4, 1, 1])])]),
  depthwise: (x, w, { add, ints: dims }) =>
    add("Conv", [x, add("Reshape", [w, dims([4, 1, 2, 2])])], {
      group: int(4),
      pads: ints([1, 0, 0, 1]),
    }),
  gate: (x, w, { add, ints: dims }) => {
    const gate = add("ReduceMean", [w, dims([0])], { keepdims: int(0) });
    return add("Mul", [x, add("Sigmoid", [add("Reshape", [gate, dims([4, 1, 1])])])]);
  },
  softmax: (x, _, { add }) => add("Softmax", [x], { axis: int(1) }),
  tanh: (x, _, { add }) => add("Tanh", [x]),
  shuffle: (x, _, { add, ints: dims }) => {
    const apart = add("Reshape", [x, dims([2, 2, 2, 3, 3])]);
    const turned = add("Transpose", [apart], { perm: ints([0, 2, 1, 4, 3]) });
    return add("Reshape", [turned, dims([2, 4, 3, 3])]);
  },
  halves: (x, _, { add, many, ints: dims }) => {
    const parts = many("Split", 2, [x, dims([1, 3])], { axis: int(1) });
    return add("Concat", [...parts].reverse(), { axis: int(1) });
  },
  window: (x, _, { add, ints: dims }) =>
    add("Pad", [
      add("Slice", [x, dims([0, 1]), dims([2, 3]), dims([2, 3])]),
      dims([0, 0, 1, 0, 0, 0, 0, 1]),
    ]),
  mean: (x, _, { add }) =>
    add("AveragePool", [x], { kernel_shape: ints([3, 3]), pads: ints([1, 1, 1, 1]) }),
  norm: (x, _, { add, floats }) =>
    add("InstanceNormalization", [x, floats([1, 2, 1, 1]), floats([0, 0, 1, 0])]),
};

interface Drawn {
  readonly layers: readonly {
    readonly kind: string;
    /** Which of the values so far it reads, and which is added to what it gives. */
    readonly from: number;
    readonly joined: number;
  }[];
  readonly seed: number;
}

const graphs: fc.Arbitrary<Drawn> = fc.record({
  layers: fc.array(
    fc.record({
      kind: fc.constantFrom(...Object.keys(layers)),
      from: fc.nat(20),
      joined: fc.nat(20),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  seed: fc.nat(1e6),
});

function caseOf(drawn: Drawn): Case {
  return {
    name: drawn.layers.map(({ kind }) => kind).join(", "),
    shapes: [[2, 4, 3, 3], ...drawn.layers.map(() => [4, 4])],
    values: "small",
    epsilon: 3e-3,
    build([x, ...weights], builder) {
      if (x === undefined) throw new Error("no input");
      const values = [x];
      drawn.layers.forEach(({ kind, from, joined }, at) => {
        const [read, other] = [from, joined].map((index) => values[index % values.length] ?? x);
        const made = layers[kind]?.(read ?? x, weights[at] ?? x, builder) ?? x;
        // A third of them branch: what was read is read again.
        values.push(joined % 3 === 0 ? builder.add("Add", [made, other ?? x]) : made);
      });
      return values.at(-1) ?? x;
    },
  };
}

it("gradients of random graphs are what central differences give", async () => {
  const property = fc.asyncProperty(
    fc.array(graphs, { minLength: 8, maxLength: 8 }),
    async (all) => {
      const cases = all.map(caseOf);
      const results = await checked(cases);
      results.forEach(({ error, where }, at) =>
        expect(error, `${cases[at]?.name ?? ""}: ${where}`).toBeLessThan(tolerance),
      );
    },
  );
  await fc.assert(property, { numRuns: 4, endOnFailure: true });
});

it("gradients of random graphs are the same where few values are kept", async () => {
  const property = fc.asyncProperty(
    fc.array(graphs, { minLength: 6, maxLength: 6 }),
    async (all) => {
      const cases = all.map(caseOf);
      const [whole, again] = await Promise.all(
        [[], "few" as const].map(async (checkpoints) => {
          const graph = together(cases);
          withGradients(graph, "cpu", { checkpoints });
          const session = await load(graph);
          const outputs = await session.run(samplesOf(graph, cases));
          await session.dispose();
          return { outputs, nodes: graph.order().length };
        }),
      );
      expect(again?.nodes).toBeGreaterThan(whole?.nodes ?? 0);
      for (const [name, output] of Object.entries(whole?.outputs ?? {})) {
        const [before, after] = [floatsOf(output), floatsOf(again?.outputs[name])];
        const largest = before.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-2);
        const far = Math.max(...before.map((x, at) => Math.abs(x - (after[at] ?? Number.NaN))));
        expect(far / largest, name).toBeLessThan(1e-5);
      }
    },
  );
  await fc.assert(property, { numRuns: 4, endOnFailure: true });
});
