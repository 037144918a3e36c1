import { attribute, type ValueId } from "../ir/index.js";
import type { Builder } from "../rules/rule-case.test.support.js";
import { type Case, checkGradients } from "./gradient-check.test.support.js";

const { int, ints, float } = attribute;

function only<T>(item: T | undefined): T {
  if (item === undefined) throw new Error("it is not there");
  return item;
}

/** Layer norm, attention of two heads, a residual, and a feed-forward part with the Gelu that exporters write out. */
const transformer: Case = {
  name: "a transformer's block",
  shapes: [[2, 5, 8], [8, 24], [8, 8], [8], [8], [8, 16], [16, 8]],
  values: "small",
  epsilon: 3e-3,
  build([x, toQkv, toOutput, scale, bias, up, down], { add, many, ints: dims, floats }) {
    const normed = add("LayerNormalization", [only(x), only(scale), only(bias)]);
    const qkv = many("Split", 3, [add("MatMul", [normed, only(toQkv)]), dims([8, 8, 8])], {
      axis: int(2),
    });
    const heads = qkv.map((part) =>
      add("Transpose", [add("Reshape", [part, dims([2, 5, 2, 4])])], { perm: ints([0, 2, 1, 3]) }),
    );
    const [q, k, v] = heads;
    const turned = add("Transpose", [only(k)], { perm: ints([0, 1, 3, 2]) });
    const scores = add("Mul", [add("MatMul", [only(q), turned]), floats([0.5])]);
    const mixed = add("MatMul", [add("Softmax", [scores]), only(v)]);
    const joined = add("Reshape", [
      add("Transpose", [mixed], { perm: ints([0, 2, 1, 3]) }),
      dims([2, 5, 8]),
    ]);
    const attended = add("Add", [only(x), add("MatMul", [joined, only(toOutput)])]);
    const wide = add("MatMul", [attended, only(up)]);
    const erf = add("Erf", [add("Div", [wide, floats([Math.SQRT2])])]);
    const gelu = add("Mul", [add("Mul", [wide, add("Add", [erf, floats([1])])]), floats([0.5])]);
    return add("Add", [attended, add("MatMul", [gelu, only(down)])]);
  },
};

function batchNorm({ add, floats }: Builder, x: ValueId, scale: ValueId, bias: ValueId): ValueId {
  const count = 4;
  const fill = (value: number) => floats(Array.from({ length: count }, () => value));
  return add("BatchNormalization", [x, scale, bias, fill(0.5), fill(1.5)], {
    training_mode: int(1),
    momentum: float(0),
  });
}

/** Convolutions with batch norms around a shortcut, one of them in the shortcut. */
const residual: Case = {
  name: "a residual block",
  shapes: [[3, 4, 6, 6], [4, 4, 3, 3], [4], [4], [4, 4, 3, 3], [4], [4], [4, 4, 1, 1]],
  values: ["normal", "small", "positive", "normal", "small", "positive", "normal", "small"],
  epsilon: 5e-4,
  build([x, w1, s1, b1, w2, s2, b2, shortcut], builder) {
    const { add } = builder;
    const pads = ints([1, 1, 1, 1]);
    const first = add("Conv", [only(x), only(w1)], { pads, strides: ints([2, 2]) });
    // A smooth function in the Relu's place: differences would step over its bends.
    const between = add("Softplus", [batchNorm(builder, first, only(s1), only(b1))]);
    const second = add("Conv", [between, only(w2)], { pads });
    const normed = batchNorm(builder, second, only(s2), only(b2));
    const direct = add("Conv", [only(x), only(shortcut)], { strides: ints([2, 2]) });
    return add("GlobalAveragePool", [add("Sigmoid", [add("Add", [normed, direct])])]);
  },
};

/** Wider, depthwise, narrower, and around it a shortcut; squeeze and excitation between. */
const inverted: Case = {
  name: "an inverted residual",
  shapes: [
    [2, 4, 5, 5],
    [8, 4, 1, 1],
    [8, 1, 3, 3],
    [2, 8, 1, 1],
    [8, 2, 1, 1],
    [4, 8, 1, 1],
  ],
  values: "small",
  epsilon: 3e-3,
  build([x, widen, depthwise, squeeze, excite, narrow], { add }) {
    const wide = add("Mish", [add("Conv", [only(x), only(widen)])]);
    const moved = add("Conv", [wide, only(depthwise)], {
      group: int(8),
      pads: ints([1, 1, 1, 1]),
    });
    const mean = add("GlobalAveragePool", [moved]);
    const small = add("Tanh", [add("Conv", [mean, only(squeeze)])]);
    const gate = add("Sigmoid", [add("Conv", [small, only(excite)])]);
    const gated = add("Mul", [moved, gate]);
    return add("Add", [only(x), add("Conv", [gated, only(narrow)])]);
  },
};

/** The loss of a classifier, as it is written out: −Σ labels · log softmax. */
const classifier: Case = {
  name: "a classifier with its loss",
  shapes: [[3, 2, 6, 6], [4, 2, 3, 3], [4], [5, 16], [5], [3, 5]],
  values: ["distinct", "small", "normal", "small", "normal", "normal"],
  epsilon: 1e-3,
  build([x, w, b, dense, bias, labels], { add, floats }) {
    const seen = add("Conv", [only(x), only(w), only(b)]);
    const pooled = add("AveragePool", [add("Elu", [seen])], {
      kernel_shape: ints([2, 2]),
      strides: ints([2, 2]),
    });
    const flat = add("Flatten", [pooled]);
    const logits = add("Gemm", [flat, only(dense), only(bias)], { transB: int(1) });
    const products = add("Mul", [add("LogSoftmax", [logits]), only(labels)]);
    return add("Mul", [add("ReduceSum", [products], { keepdims: int(0) }), floats([-1 / 3])]);
  },
};

checkGradients("gradients of", [transformer, residual, inverted, classifier]);
