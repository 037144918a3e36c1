import type { Node, ValueId } from "../../ir/index.js";
import { attributeReader } from "../../ops/index.js";
import { dividedBy, type PlainUnary, type Unary } from "../kernels/unary.js";

/** The one number of a constant, or undefined. */
export type ScalarOf = (id: ValueId) => number | undefined;

/**
 * What a node does to one input alone, constants being what they are: `2 - x` is a negation and an offset.
 * @returns functions to apply in turn, or undefined where it is no function of this input alone
 */
export function unaryOf(node: Node, x: ValueId, scalar: ScalarOf): readonly Unary[] | undefined {
  if (node.domain !== "" || node.outputs.length !== 1) return undefined;
  const attributes = attributeReader(node.attributes);
  const [first, second] = node.inputs;
  const isFirst = first === x;
  switch (node.op) {
    case "Add":
    case "Sub":
    case "Mul":
    case "Div":
    case "Pow": {
      const other = isFirst ? second : first;
      const c = other === null || other === undefined || other === x ? undefined : scalar(other);
      return c === undefined ? undefined : withConstant(node.op, c, isFirst);
    }
    case "Relu":
      return [{ kind: "relu" }];
    case "Clip": {
      const bound = (id: ValueId | null | undefined, none: number) =>
        id === null || id === undefined ? none : scalar(id);
      const [low, high] = [bound(second, -Infinity), bound(node.inputs[2], Infinity)];
      return low === undefined || high === undefined ? undefined : [{ kind: "clip", low, high }];
    }
    case "LeakyRelu":
      return [{ kind: "leaky-relu", slope: attributes.float("alpha", 0.01) }];
    case "Elu":
      return [{ kind: "elu", alpha: attributes.float("alpha", 1), within: 1 }];
    case "Selu":
      return [
        { kind: "elu", alpha: attributes.float("alpha", 1.673_263_192_176_818_8), within: 1 },
        { kind: "scale", by: attributes.float("gamma", 1.050_701_022_148_132_3) },
      ];
    case "Celu": {
      const alpha = attributes.float("alpha", 1);
      return [{ kind: "elu", alpha, within: 1 / alpha }];
    }
    case "HardSigmoid":
      return [
        {
          kind: "hard-sigmoid",
          alpha: attributes.float("alpha", 0.2),
          beta: attributes.float("beta", 0.5),
        },
      ];
    case "Gelu":
      return [{ kind: attributes.string("approximate", "none") === "tanh" ? "gelu-tanh" : "gelu" }];
    case "Identity":
    case "Dropout":
      return [];
    default: {
      const kind = plain[node.op];
      return kind === undefined ? undefined : [{ kind }];
    }
  }
}

const plain: Readonly<Record<string, PlainUnary>> = {
  Sigmoid: "sigmoid",
  Tanh: "tanh",
  HardSwish: "hard-swish",
  Erf: "erf",
  Exp: "exp",
  Log: "log",
  Sqrt: "square-root",
  Reciprocal: "reciprocal",
  Neg: "negate",
  Abs: "absolute",
  Floor: "floor",
  Ceil: "ceil",
  Round: "round",
  Softplus: "softplus",
  Softsign: "softsign",
  Mish: "mish",
  Sign: "sign",
  Sin: "sin",
  Cos: "cos",
  Tan: "tan",
  Asin: "asin",
  Acos: "acos",
  Atan: "atan",
  Sinh: "sinh",
  Cosh: "cosh",
  Asinh: "asinh",
  Acosh: "acosh",
  Atanh: "atanh",
};

function withConstant(op: string, c: number, isFirst: boolean): readonly Unary[] | undefined {
  switch (op) {
    case "Add":
      return [{ kind: "offset", by: c }];
    case "Sub":
      return isFirst
        ? [{ kind: "offset", by: -c }]
        : [{ kind: "negate" }, { kind: "offset", by: c }];
    case "Mul":
      return [{ kind: "scale", by: c }];
    case "Div":
      if (!isFirst) return [c === 1 ? { kind: "reciprocal" } : { kind: "quotient", of: c }];
      return [dividedBy(c)];
    case "Pow":
      return isFirst ? powers.get(c) : undefined;
    default:
      return undefined;
  }
}

const powers: ReadonlyMap<number, readonly Unary[]> = new Map([
  [1, []],
  [2, [{ kind: "square" }]],
  [3, [{ kind: "cube" }]],
  [4, [{ kind: "square" }, { kind: "square" }]],
  [0.5, [{ kind: "square-root" }]],
  [-1, [{ kind: "reciprocal" }]],
  [-0.5, [{ kind: "square-root" }, { kind: "reciprocal" }]],
]);
