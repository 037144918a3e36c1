// Networks that Pare and PyTorch both train: their constants are called as the parameters of bench/peers/train.py are.
import {
  attribute,
  build,
  dim,
  inferNode,
  newHeader,
  Tensor,
  tensorType,
} from "../../../../compiler/dist/index.js";
import { normals } from "./networks.mjs";

const { float, int, ints } = attribute;
export const words = 1000;

/** How much is learned from in one step, and the rate at which all of them learn. */
export const compared = {
  "mnist-cnn": { batch: 32, build: () => smallCnn([16, 32]), samples: pictures([1, 28, 28]) },
  "mnist-cnn-wide": { batch: 64, build: () => smallCnn([64, 128]), samples: pictures([1, 28, 28]) },
  "resnet-8": { batch: 32, build: resnet8, samples: pictures([3, 32, 32]) },
  encoder: { batch: 8, build: encoder, samples: sentences(64) },
};

/** 5×5, batch norm, ReLU, pool, 3×3, ReLU, pool, classes. */
function smallCnn([first, second]) {
  return network("x", "float32", [1, 28, 28], (x, layer) => {
    let h = layer.relu(layer.norm("norm1", layer.conv("conv1", x, [first, 1, 5, 5]), first));
    h = layer.pool(h);
    h = layer.pool(layer.relu(layer.conv("conv2", h, [second, first, 3, 3], { bias: true })));
    return layer.gemm("out", layer.add("Flatten", [h]), [10, second * 49]);
  });
}

/** He et al. 2016, three stages of one block for 32×32, 16 channels wide at first. */
function resnet8() {
  return network("x", "float32", [3, 32, 32], (x, layer) => {
    let h = layer.relu(layer.norm("stem_norm", layer.conv("stem", x, [16, 3, 3, 3]), 16));
    for (const [index, channels] of [16, 32, 64].entries()) {
      const from = index === 0 ? 16 : channels / 2;
      const at = `blocks.${index}`;
      const strides = index === 0 ? 1 : 2;
      let deep = layer.conv(`${at}.conv1`, h, [channels, from, 3, 3], { strides });
      deep = layer.relu(layer.norm(`${at}.norm1`, deep, channels));
      deep = layer.conv(`${at}.conv2`, deep, [channels, channels, 3, 3]);
      deep = layer.norm(`${at}.norm2`, deep, channels);
      const down = () => layer.conv(`${at}.down`, h, [channels, from, 1, 1], { strides });
      const beside = index === 0 ? h : layer.norm(`${at}.down_norm`, down(), channels);
      h = layer.relu(layer.add("Add", [deep, beside]));
    }
    const means = layer.add("Flatten", [layer.add("GlobalAveragePool", [h])]);
    return layer.gemm("out", means, [10, 64]);
  });
}

/** Two layers that normalize first, 128 wide, four heads, over 64 words; classes of the words' mean. */
function encoder() {
  const [width, heads, length] = [128, 4, 64];
  return network("tokens", "int64", [length], (tokens, layer) => {
    const table = layer.normal("embed.weight", [words, width], 1);
    let h = layer.add("Gather", [table, tokens]);
    h = layer.add("Add", [h, layer.normal("positions", [length, width], 0.02)]);
    for (const index of [0, 1]) {
      const at = `layers.${index}`;
      const packed = layer.linear(`${at}.qkv`, layer.layerNorm(`${at}.norm1`, h, width), [
        width,
        3 * width,
      ]);
      const [q, k, v] = layer.split(packed, 3, -1).map((part, which) => {
        const apart = layer.reshape(part, [0, length, heads, width / heads]);
        return layer.transpose(apart, which === 1 ? [0, 2, 3, 1] : [0, 2, 1, 3]);
      });
      const scores = layer.scaled(layer.add("MatMul", [q, k]), (width / heads) ** -0.5);
      const mixed = layer.add("MatMul", [layer.add("Softmax", [scores], { axis: int(-1) }), v]);
      const joined = layer.reshape(layer.transpose(mixed, [0, 2, 1, 3]), [0, length, width]);
      const out = layer.linear(`${at}.project`, joined, [width, width]);
      h = layer.add("Add", [h, out]);
      const wide = layer.linear(`${at}.up`, layer.layerNorm(`${at}.norm2`, h, width), [
        width,
        4 * width,
      ]);
      const narrow = layer.linear(`${at}.down`, layer.add("Gelu", [wide]), [4 * width, width]);
      h = layer.add("Add", [h, narrow]);
    }
    const mean = layer.mean(h, 1);
    return layer.gemm("out", layer.layerNorm("norm", mean, width), [10, width]);
  });
}

function network(name, dtype, dims, made, seed = 1) {
  return build(newHeader(21), inferNode, (editor) => {
    const input = editor.addInput(name, tensorType(dtype, [dim.symbol("batch"), ...dims]));
    const logits = made(input, layersOf(editor, normals(seed)));
    editor.rename(logits, "logits");
    editor.addOutput(logits);
  });
}

function layersOf(editor, normal) {
  const add = (op, inputs, attributes) => editor.add1(op, inputs, attributes);
  const constant = (name, dims, value) => {
    const size = dims.reduce((product, each) => product * each, 1);
    const data = Float32Array.from({ length: size }, value);
    return editor.constant(name, Tensor.float32(dims, data));
  };
  const filled = (name, size, value) => constant(name, [size], () => value);
  const normal_ = (name, dims, deviation) => constant(name, dims, () => deviation * normal());
  const whole = (name, values) => editor.constant(name, Tensor.int64(values));
  return {
    add,
    normal: normal_,
    relu: (x) => add("Relu", [x]),
    pool: (x) => add("MaxPool", [x], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }),
    conv(name, x, dims, { bias = false, strides = 1 } = {}) {
      const [width, depth, kernel] = dims;
      const deviation = Math.sqrt(2 / (depth * kernel * kernel));
      const pad = (kernel - 1) / 2;
      const weight = normal_(`${name}.weight`, dims, deviation);
      const rest = bias ? [filled(`${name}.bias`, width, 0)] : [];
      return add("Conv", [x, weight, ...rest], {
        kernel_shape: ints([kernel, kernel]),
        pads: ints([pad, pad, pad, pad]),
        strides: ints([strides, strides]),
      });
    },
    norm(name, x, width) {
      const numbers = [
        ["weight", 1],
        ["bias", 0],
        ["running_mean", 0],
        ["running_var", 1],
      ].map(([what, value]) => filled(`${name}.${what}`, width, value));
      return add("BatchNormalization", [x, ...numbers]);
    },
    layerNorm(name, x, width) {
      const numbers = [filled(`${name}.weight`, width, 1), filled(`${name}.bias`, width, 0)];
      return add("LayerNormalization", [x, ...numbers], { epsilon: float(1e-5) });
    },
    gemm(name, x, dims) {
      const weight = normal_(`${name}.weight`, dims, Math.sqrt(1 / dims[1]));
      return add("Gemm", [x, weight, filled(`${name}.bias`, dims[0], 0)], { transB: int(1) });
    },
    /** As exporters write it: PyTorch's weight transposed, which its name says. */
    linear(name, x, dims) {
      const weight = normal_(`${name}.weight.T`, dims, Math.sqrt(1 / dims[0]));
      return add("Add", [add("MatMul", [x, weight]), filled(`${name}.bias`, dims[1], 0)]);
    },
    split: (x, count, axis) =>
      editor.add("Split", [x], { axis: int(axis), num_outputs: int(count) }, { outputs: count }),
    reshape: (x, dims) => add("Reshape", [x, whole("dims", dims)]),
    transpose: (x, perm) => add("Transpose", [x], { perm: ints(perm) }),
    scaled: (x, factor) => add("Mul", [x, editor.constant("scale", Tensor.float32([], [factor]))]),
    mean: (x, axis) => add("ReduceMean", [x, whole("axes", [axis])], { keepdims: int(0) }),
  };
}

/** Noise with labels at random: what a step takes does not depend on what is to be seen. */
export function pictures(dims) {
  return (count) => {
    const normal = normals(2);
    return Array.from({ length: count }, (_, index) => {
      const size = dims.reduce((product, each) => product * each, 1);
      const data = Float32Array.from({ length: size }, normal);
      return { feeds: { x: { type: "float32", dims: [1, ...dims], data } }, label: index % 10 };
    });
  };
}

function sentences(length) {
  return (count) => {
    const normal = normals(3);
    return Array.from({ length: count }, (_, index) => {
      const word = () => BigInt(Math.floor(Math.abs(normal()) * 1e6) % words);
      const data = BigInt64Array.from({ length }, word);
      return { feeds: { tokens: { type: "int64", dims: [1, length], data } }, label: index % 10 };
    });
  };
}
