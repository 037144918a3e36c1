import { i32, i32Add, loadFloat, loadInteger } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { add, both, choose, equal, isZero, less, lessOrEqual } from "../encode/scalar.js";
import { floatBytes, type Kernel } from "./kernel.js";
import { nest } from "./nest.js";

/** Sums of what many decision trees say of every sample. */
export interface TreeEnsembleOptions {
  readonly samples: number;
  readonly trees: number;
  /** Scores of a sample. */
  readonly targets: number;
  /** From a sample to the next: of features and of scores, which lie without gaps. */
  readonly steps: readonly [features: number, scores: number];
  /** A leaf holds one score, or says where a row of all of them is. */
  readonly leaf: "one" | "row";
  /** Some nodes ask whether a feature is equal to a number. */
  readonly equality: boolean;
  /** Of some nodes, what is no number takes the first branch. */
  readonly missing: boolean;
}

/** A node is three integers: what it asks, a float to compare with, and where its first branch is. */
const nodeBytes = 12;
/** In a node's first integer, beside the offset of its feature in bytes. A leaf has −1 there. */
export const equalityFlag = 1;
export const missingFlag = 2;
export const leafMark = -1;

/**
 * Nodes lie so that the second branch of one follows it; the first lies where it says. A leaf is [−1, score, offset of its
 * target], or [−1, offset of its row]. The table begins with where each tree does. All offsets are from the table's start,
 * those of rows from the rows'. Loops: samples › trees › nodes from the root to a leaf. Parameters: features, scores,
 * table, rows, what every score begins with.
 */
export const treeEnsemble: Kernel<TreeEnsembleOptions> = {
  name: "tree-ensemble",
  emit({ samples, trees, targets, steps, leaf, equality, missing }) {
    const f = new FunctionBuilder(5);
    const [features, scores, table] = [f.parameter(0), f.parameter(1), f.parameter(2)];
    const [rows, bases] = [f.parameter(3), f.parameter(4)];
    const [tree, node, asked, goes] = [
      f.local("i32"),
      f.local("i32"),
      f.local("i32"),
      f.local("i32"),
    ];
    const [at, from] = [f.local("i32"), f.local("i32")];
    const [x, y] = [f.local("f32"), f.local("f32")];
    /** Every score is what it was, or 0, and what lies at `from` more. */
    const addRow = (isFirst: boolean): void => {
      f.set(at, scores);
      nest(f, [{ count: targets, steps: [floatBytes, floatBytes] }], [at, from], () => {
        f.storeFloat(at, 0, isFirst ? loadFloat(from) : add(loadFloat(at), loadFloat(from)));
      });
    };
    const step = (): void => {
      const flags = (equality ? equalityFlag : 0) + (missing ? missingFlag : 0);
      f.set(x, loadFloat(i32Add(features, flags === 0 ? asked : both(asked, i32(~flags)))));
      f.set(y, loadFloat(node, floatBytes));
      const isAtMost = lessOrEqual(x, y);
      const isSo = (flag: number) => both(asked, i32(flag));
      f.set(goes, equality ? choose(isSo(equalityFlag), equal(x, y), isAtMost) : isAtMost);
      if (missing) f.set(goes, choose(both(isZero(equal(x, x)), isZero(isZero(isSo(missingFlag)))), i32(1), goes)); // prettier-ignore
      const first = i32Add(table, loadInteger(node, 2 * floatBytes));
      f.set(node, choose(goes, first, i32Add(node, i32(nodeBytes))));
      f.set(asked, loadInteger(node));
    };
    nest(f, [{ count: samples, steps }], [features, scores], () => {
      f.set(from, bases);
      addRow(true);
      f.set(tree, table);
      f.times(trees, () => {
        f.set(node, i32Add(table, loadInteger(tree)));
        f.set(asked, loadInteger(node));
        f.repeatWhile(less(i32(leafMark), asked), step);
        if (leaf === "one") {
          f.set(at, i32Add(scores, loadInteger(node, 2 * floatBytes)));
          f.storeFloat(at, 0, add(loadFloat(at), loadFloat(node, floatBytes)));
        } else {
          f.set(from, i32Add(rows, loadInteger(node, floatBytes)));
          addRow(false);
        }
        f.advance(tree, floatBytes);
      });
    });
    return f;
  },

  reference(
    options,
    { floats, integers },
    [features = 0, scores = 0, table = 0, rows = 0, bases = 0],
  ) {
    const { samples, trees, targets, steps, leaf } = options;
    const integerAt = (address: number): number => integers[address / floatBytes] ?? 0;
    const floatAt = (address: number): number => floats[address / floatBytes] ?? 0;
    for (let sample = 0; sample < samples; sample += 1) {
      const [own, result] = [features + sample * steps[0], scores + sample * steps[1]];
      const addTo = (target: number, score: number): void => {
        floats[result / floatBytes + target] = floatAt(result + target * floatBytes) + score;
      };
      for (let target = 0; target < targets; target += 1)
        floats[result / floatBytes + target] = floatAt(bases + target * floatBytes);
      for (let tree = 0; tree < trees; tree += 1) {
        let node = table + integerAt(table + tree * floatBytes);
        for (let asked = integerAt(node); asked !== leafMark; asked = integerAt(node)) {
          const feature = asked - (asked % floatBytes);
          const [x, y] = [floatAt(own + feature), floatAt(node + floatBytes)];
          const isSo = (asked & equalityFlag) > 0 ? x === y : x <= y;
          const isFirst = isSo || ((asked & missingFlag) > 0 && Number.isNaN(x));
          node = isFirst ? table + integerAt(node + 2 * floatBytes) : node + nodeBytes;
        }
        if (leaf === "one") {
          addTo(integerAt(node + 2 * floatBytes) / floatBytes, floatAt(node + floatBytes));
          continue;
        }
        const row = rows + integerAt(node + floatBytes);
        for (let target = 0; target < targets; target += 1)
          addTo(target, floatAt(row + target * floatBytes));
      }
    }
  },
};
