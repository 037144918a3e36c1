// Networks that nobody has trained, written from scratch: weights by He's rule, from a seed. Inputs have a free batch.
import {
  attribute,
  build,
  dim,
  encodeModel,
  inferNode,
  newHeader,
  Tensor,
  tensorType,
} from "../../../../compiler/dist/index.js";

/**
 * Convolutions of 3×3, each with a ReLU and a pool behind it, then one layer of classes: 28×28 greys in.
 *
 * @param {readonly number[]} widths channels of each convolution
 */
export function plain(widths, seed = 1) {
  return network(seed, [1, 28, 28], (layer) => {
    let value = layer.input;
    for (const width of widths) value = layer.maxPool(layer.relu(layer.conv(value, width)));
    const side = Math.floor(28 / 2 ** widths.length);
    return layer.classes(layer.flatten(value, side * side), 10);
  });
}

/**
 * A residual network with batch norms (He et al. 2016, CIFAR form): three stages of `blocks` blocks, each stage half as
 * large and twice as wide. One block a stage is ResNet-8, three are ResNet-20.
 */
export function residual({ width = 16, blocks = 1, seed = 1, input = [1, 28, 28] } = {}) {
  return network(seed, input, (layer) => {
    let value = layer.relu(layer.norm(layer.conv(layer.input, width)));
    for (const stage of [0, 1, 2])
      for (let block = 0; block < blocks; block += 1) {
        const channels = width * 2 ** stage;
        const stride = stage > 0 && block === 0 ? 2 : 1;
        let deep = layer.relu(layer.norm(layer.conv(value, channels, { stride })));
        deep = layer.norm(layer.conv(deep, channels));
        const straight = stride === 1 && layer.channels(value) === channels;
        const beside = straight
          ? value
          : layer.norm(layer.conv(value, channels, { kernel: 1, stride }));
        value = layer.relu(layer.add(deep, beside));
      }
    return layer.classes(layer.average(value), 10);
  });
}

/**
 * Inverted residuals with depthwise convolutions and ReLU6 (Sandler et al. 2018), small enough for 28×28.
 *
 * @param {readonly (readonly [expansion: number, channels: number, repeats: number, stride: number])[]} [stages]
 */
export function inverted(
  stages = [
    [1, 16, 1, 1],
    [4, 24, 2, 2],
    [4, 32, 2, 2],
    [4, 64, 2, 1],
  ],
  seed = 1,
) {
  return network(seed, [1, 28, 28], (layer) => {
    let value = layer.relu6(layer.norm(layer.conv(layer.input, 16)));
    for (const [expansion, channels, repeats, first] of stages)
      for (let repeat = 0; repeat < repeats; repeat += 1) {
        const stride = repeat === 0 ? first : 1;
        const inner = layer.channels(value) * expansion;
        let deep = value;
        if (expansion > 1) deep = layer.relu6(layer.norm(layer.conv(deep, inner, { kernel: 1 })));
        deep = layer.relu6(layer.norm(layer.conv(deep, inner, { stride, group: inner })));
        deep = layer.norm(layer.conv(deep, channels, { kernel: 1 }));
        const adds = stride === 1 && layer.channels(value) === channels;
        value = adds ? layer.add(deep, value) : deep;
      }
    value = layer.relu6(layer.norm(layer.conv(value, 128, { kernel: 1 })));
    return layer.classes(layer.average(value), 10);
  });
}

/** The mean of 28×28 greys: next to nothing, so that what a run takes besides is seen. */
export function idle() {
  return network(1, [1, 28, 28], (layer) => layer.average(layer.input));
}

/** A graph as the bytes of an ONNX file. */
export async function bytesOf(graph) {
  return (await encodeModel(graph)).proto;
}

function network(seed, input, made) {
  return build(newHeader(17), inferNode, (editor) => {
    const x = editor.addInput("x", tensorType("float32", [dim.symbol("batch"), ...input]));
    const logits = made(layersOf(editor, x, input, normals(seed)));
    editor.rename(logits, "logits");
    editor.addOutput(logits);
  });
}

function layersOf(editor, input, [inputChannels], normal) {
  const widths = new Map([[input, inputChannels]]);
  let count = 0;
  const name = (what) => `${what}${(count += 1)}`;
  const constant = (what, dims, value) => {
    const size = dims.reduce((product, each) => product * each, 1);
    return editor.constant(
      name(what),
      Tensor.float32(dims, Float32Array.from({ length: size }, value)),
    );
  };
  const he = (what, dims, fanIn) => constant(what, dims, () => normal() * Math.sqrt(2 / fanIn));
  const put = (width, op, inputs, attributes = {}) => {
    const value = editor.add1(op, inputs, attributes);
    widths.set(value, width);
    return value;
  };
  const keep = (op, attributes) => (value) => put(widths.get(value), op, [value], attributes);
  const pool = { kernel_shape: attribute.ints([2, 2]), strides: attribute.ints([2, 2]) };
  const six = [constant("least", [], () => 0), constant("most", [], () => 6)];
  return {
    input,
    channels: (value) => widths.get(value),
    conv(value, width, { kernel = 3, stride = 1, group = 1 } = {}) {
      const fanIn = (widths.get(value) / group) * kernel * kernel;
      const weight = he("weight", [width, widths.get(value) / group, kernel, kernel], fanIn);
      const bias = constant("bias", [width], () => 0);
      const pad = (kernel - 1) / 2;
      return put(width, "Conv", [value, weight, bias], {
        kernel_shape: attribute.ints([kernel, kernel]),
        pads: attribute.ints([pad, pad, pad, pad]),
        strides: attribute.ints([stride, stride]),
        group: attribute.int(group),
      });
    },
    norm(value) {
      const width = widths.get(value);
      const numbers = [1, 0, 0, 1].map((start) => constant("norm", [width], () => start));
      return put(width, "BatchNormalization", [value, ...numbers]);
    },
    relu: keep("Relu"),
    relu6: (value) => put(widths.get(value), "Clip", [value, ...six]),
    maxPool: keep("MaxPool", pool),
    add: (a, b) => put(widths.get(a), "Add", [a, b]),
    average: (value) =>
      put(widths.get(value), "Flatten", [editor.add1("GlobalAveragePool", [value])]),
    flatten: (value, places) => put(widths.get(value) * places, "Flatten", [value]),
    classes(value, classes) {
      const features = widths.get(value);
      const weight = he("weight", [classes, features], features);
      const bias = constant("bias", [classes], () => 0);
      return editor.add1("Gemm", [value, weight, bias], { transB: attribute.int(1) });
    },
  };
}

/** Normal numbers by Box and Muller on mulberry32: the same on every machine. */
export function normals(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
