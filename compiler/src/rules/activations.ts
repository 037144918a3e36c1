import type { Dtype } from "@pare/runtime/format";
import { attribute, type Attributes, type Graph, type Node, type ValueId } from "../ir/index.js";
import { boundsOf } from "./clips.js";
import {
  absorbable,
  attributesOf,
  dtypeOf,
  inputOf,
  isAbout,
  outputOf,
  shapesAgree,
} from "./pattern.js";
import { plus, productAt, productOf } from "./products.js";
import { replacing, type Rewrite, type Rule } from "./rule.js";

/** x · clip(x + 3, 0, 6) / 6 = x · HardSigmoid(x; α = 1/6, β = 1/2) = HardSwish(x) */
const recoverHardSwish: Rule = {
  name: "recover-hard-swish",
  exactness: "rounding",
  ops: ["Mul", "Div"],
  match(graph, node) {
    const { coefficient, factors } = productAt(graph, node);
    if (factors.length !== 2) return undefined;
    for (const [x, gate] of pairs(factors)) {
      const viaClip = isAbout(coefficient, 1 / 6) && clippedSum(graph, gate) === x;
      const viaSigmoid = isAbout(coefficient, 1) && hardSigmoidOf(graph, gate) === x;
      if (viaClip || viaSigmoid)
        return replaceBy(graph, node, "HardSwish", x, {}, "x · clip(x + 3, 0, 6) / 6 is HardSwish");
    }
    return undefined;
  },
};

/** clip(x + 3, 0, 6) / 6 = HardSigmoid(x; α = 1/6, β = 1/2) */
const recoverHardSigmoid: Rule = {
  name: "recover-hard-sigmoid",
  exactness: "rounding",
  ops: ["Mul", "Div"],
  match(graph, node) {
    const { coefficient, factors } = productAt(graph, node);
    const [gate] = factors;
    if (factors.length !== 1 || !isAbout(coefficient, 1 / 6)) return undefined;
    const x = clippedSum(graph, gate);
    // Left for HardSwish where the product goes on: x · clip(x + 3, 0, 6) is divided last.
    const attributes = { alpha: attribute.float(Math.fround(1 / 6)), beta: attribute.float(0.5) };
    return x === undefined
      ? undefined
      : replaceBy(
          graph,
          node,
          "HardSigmoid",
          x,
          attributes,
          "clip(x + 3, 0, 6) / 6 is HardSigmoid",
        );
  },
};

/** ½ x (1 + erf(x / √2)) = Gelu(x) */
const recoverGelu: Rule = {
  name: "recover-gelu",
  exactness: "rounding",
  ops: ["Mul", "Div"],
  match(graph, node) {
    const { coefficient, factors } = productAt(graph, node);
    if (factors.length !== 2 || !isAbout(coefficient, 0.5)) return undefined;
    for (const [x, gate] of pairs(factors)) {
      const erf = absorbable(graph, plus(graph, gate, 1), "Erf");
      if (erf === undefined) continue;
      const inner = productOf(graph, inputOf(erf, 0));
      if (
        inner.factors.length === 1 &&
        inner.factors[0] === x &&
        isAbout(inner.coefficient, Math.SQRT1_2)
      ) {
        return replaceBy(graph, node, "Gelu", x, {}, "½ x (1 + erf(x / √2)) is Gelu");
      }
    }
    return undefined;
  },
};

/** ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))) = Gelu(x; approximate = tanh) */
const recoverTanhGelu: Rule = {
  name: "recover-tanh-gelu",
  exactness: "rounding",
  ops: ["Mul", "Div"],
  match(graph, node) {
    const { coefficient, factors } = productAt(graph, node);
    if (factors.length !== 2 || !isAbout(coefficient, 0.5)) return undefined;
    for (const [x, gate] of pairs(factors)) {
      const tanh = absorbable(graph, plus(graph, gate, 1), "Tanh");
      if (tanh !== undefined && isCubic(graph, inputOf(tanh, 0), x)) {
        const attributes = { approximate: attribute.string("tanh") };
        return replaceBy(
          graph,
          node,
          "Gelu",
          x,
          attributes,
          "½ x (1 + tanh(√(2/π) (x + 0.044715 x³))) is Gelu",
        );
      }
    }
    return undefined;
  },
};

/** √(2/π) (x + 0.044715 x³), or √(2/π) x (1 + 0.044715 x²) */
function isCubic(graph: Graph, value: ValueId | undefined, x: ValueId): boolean {
  const { coefficient, factors } = productOf(graph, value);
  if (!isAbout(coefficient, Math.sqrt(2 / Math.PI))) return false;
  if (factors.length === 1) {
    const sum = absorbable(graph, factors[0], "Add");
    const terms = [0, 1].map((index) => (sum === undefined ? undefined : inputOf(sum, index)));
    const cube = terms[0] === x ? terms[1] : terms[1] === x ? terms[0] : undefined;
    return cube !== undefined && isPower(graph, cube, x, 3);
  }
  const other = factors.find((factor) => factor !== x);
  return (
    factors.length === 2 &&
    factors.includes(x) &&
    other !== undefined &&
    isPower(graph, plus(graph, other, 1), x, 2)
  );
}

/** 0.044715 x ^ exponent */
function isPower(graph: Graph, value: ValueId | undefined, x: ValueId, exponent: number): boolean {
  const { coefficient, factors } = productOf(graph, value);
  const powers = factors.map((factor) => powerOf(graph, factor, x));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return (
    isAbout(coefficient, 0.044715, 1e-3) && powers.every((power) => power > 0) && total === exponent
  );
}

function powerOf(graph: Graph, value: ValueId, x: ValueId): number {
  if (value === x) return 1;
  const pow = absorbable(graph, value, "Pow");
  const power = pow === undefined || inputOf(pow, 0) !== x ? 0 : productOf(graph, inputOf(pow, 1));
  return power === 0 || power.factors.length > 0 ? 0 : power.coefficient;
}

/** x when a value is clip(x + 3, 0, 6). */
function clippedSum(graph: Graph, value: ValueId | undefined): ValueId | undefined {
  const clip = absorbable(graph, value, "Clip");
  const bounds = clip === undefined ? undefined : boundsOf(graph, clip);
  return clip !== undefined && bounds?.low === 0 && isAbout(bounds.high, 6)
    ? plus(graph, inputOf(clip, 0), 3)
    : undefined;
}

/** x when a value is HardSigmoid(x; 1/6, 1/2). */
function hardSigmoidOf(graph: Graph, value: ValueId | undefined): ValueId | undefined {
  const node = absorbable(graph, value, "HardSigmoid");
  if (node === undefined) return undefined;
  const attributes = attributesOf(node);
  return isAbout(attributes.float("alpha", 0.2), 1 / 6) &&
    isAbout(attributes.float("beta", 0.5), 0.5)
    ? inputOf(node, 0)
    : undefined;
}

function pairs(factors: readonly ValueId[]): readonly (readonly [ValueId, ValueId])[] {
  const [a, b] = factors;
  if (a === undefined || b === undefined) return [];
  return [
    [a, b],
    [b, a],
  ];
}

/** In which every engine has these operators. */
const computed: ReadonlySet<Dtype | undefined> = new Set<Dtype>(["float32", "float16"]);

function replaceBy(
  graph: Graph,
  node: Node,
  op: string,
  x: ValueId,
  attributes: Attributes,
  because: string,
): Rewrite | undefined {
  const output = outputOf(node);
  if (!computed.has(dtypeOf(graph, x))) return undefined;
  // A scalar constant of higher rank than x would have broadcast x.
  if (output === undefined || !shapesAgree(graph, x, output)) return undefined;
  return replacing(output, because, (editor) =>
    editor.add1(op, [x], attributes, { body: graph.body(node.body) }),
  );
}

export const activations: readonly Rule[] = [
  recoverHardSwish,
  recoverHardSigmoid,
  recoverGelu,
  recoverTanhGelu,
];
