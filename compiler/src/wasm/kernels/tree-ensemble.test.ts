import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { floatBytes } from "./kernel.js";
import { differenceOf, operands, seed, size } from "./kernel-case.test.support.js";
import { equalityFlag, leafMark, missingFlag, treeEnsemble } from "./tree-ensemble.js";

const features = 4;

interface Branch {
  readonly feature: number;
  readonly flags: number;
  readonly value: number;
  readonly first: Tree;
  readonly second: Tree;
}
type Tree = Branch | { readonly score: number; readonly target: number };

const { tree } = fc.letrec<{ tree: Tree; branch: Branch; leaf: Tree }>((tie) => ({
  leaf: fc.record({ score: size(-9, 9), target: size(0, 2) }),
  branch: fc.record({
    feature: size(0, features - 1),
    flags: size(0, equalityFlag + missingFlag),
    value: size(-2, 2),
    first: tie("tree"),
    second: tie("tree"),
  }),
  tree: fc.oneof({ depthSize: "small" }, tie("leaf"), tie("branch")),
}));

const float = new Float32Array(1);
const bitsOf = (value: number): number => {
  float[0] = value;
  return new Int32Array(float.buffer)[0] ?? 0;
};

function tableOf(trees: readonly Tree[], leaf: "one" | "row", targets: number): readonly number[] {
  const table: number[] = trees.map(() => 0);
  const add = (own: Tree): number => {
    const at = table.length;
    if ("score" in own) {
      const target = own.target % targets;
      const row = (Math.abs(own.score) % 3) * targets * floatBytes;
      table.push(leafMark, leaf === "one" ? bitsOf(own.score) : row, target * floatBytes);
      return at;
    }
    table.push(own.feature * floatBytes + own.flags, bitsOf(own.value), 0);
    add(own.second);
    table[at + 2] = add(own.first) * floatBytes;
    return at;
  };
  for (const [index, root] of trees.entries()) table[index] = add(root) * floatBytes;
  return table;
}

it("walks trees as its reference does: leaves of one score and of rows, equality, what is no number", () => {
  const problem = fc.record({
    trees: fc.array(tree, { minLength: 1, maxLength: 4 }),
    leaf: fc.constantFrom("one" as const, "row" as const),
    samples: size(1, 3),
    targets: size(1, 3),
    gap: size(0, 2),
    holes: fc.array(size(0, 3 * features), { maxLength: 3 }),
    seed,
  });
  fc.assert(
    fc.property(problem, ({ trees, leaf, samples, targets, gap, holes, seed: s }) => {
      const at = operands(5);
      const [features0 = 0, , table0 = 0] = at.map((address) => address / floatBytes);
      const options = {
        samples,
        trees: trees.length,
        targets,
        steps: [(features + gap) * floatBytes, (targets + gap) * floatBytes] as const,
        leaf,
        equality: true,
        missing: true,
      };
      const difference = differenceOf(treeEnsemble, options, at, s, (integers) => {
        integers.set(tableOf(trees, leaf, targets), table0);
        // Whole numbers, so that some are equal to what nodes compare with, and some that are none.
        for (let index = 0; index < samples * (features + gap); index += 1)
          integers[features0 + index] = bitsOf(holes.includes(index) ? NaN : (index % 5) - 2);
      });
      expect(difference).toBeUndefined();
    }),
    { numRuns: cases(60) },
  );
});
