import { attribute, type Graph, Tensor, type ValueId } from "../ir/index.js";
import { type Builder, graphOf } from "../rules/rule-case.test.support.js";

export const blockKinds = [
  "convolution",
  "batch norm",
  "group norm",
  "instance norm",
  "prelu",
  "sigmoid",
  "residual",
  "dense",
  "two groups",
  "many groups",
  "depthwise",
  "gate",
  "padded residual",
  "split",
  "slice",
  "gather",
  "shuffle",
  "transposed",
  "space and depth",
  "upsample",
] as const;

export const headKinds = [
  "Flatten, Gemm",
  "GlobalAveragePool, Gemm",
  "Reshape, MatMul",
  "attention",
] as const;

export interface Drawn {
  readonly blocks: readonly (typeof blockKinds)[number][];
  readonly head: (typeof headKinds)[number];
  readonly seed: number;
}

const { int, ints } = attribute;
const size = 8;

/** A small network of 3 × 8 × 8 images whose blocks couple channels in every way. */
export function networkOf({ blocks, head, seed }: Drawn): Graph {
  let state = (seed % 2147483646) + 1;
  const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  return graphOf({ x: ["float32", "N", 3, size, size] }, (input, b) => {
    const net = new Network(b, random);
    let value = net.conv(input("x"), 3, 8);
    let channels = 8;
    for (const kind of blocks) ({ value, channels } = net.block(kind, value, channels));
    return { y: net.head(head, value, channels) };
  });
}

interface Made {
  readonly value: ValueId;
  readonly channels: number;
}

class Network {
  readonly #b: Builder;
  readonly #random: () => number;

  constructor(builder: Builder, random: () => number) {
    this.#b = builder;
    this.#random = random;
  }

  /** Numbers around 0 that keep results of the size of what is read. */
  weights(dims: readonly number[], fanIn: number, around = 0): ValueId {
    const count = dims.reduce((product, one) => product * one, 1);
    const spread = 2 / Math.sqrt(fanIn);
    const values = Float32Array.from(
      { length: count },
      () => around + (this.#random() - 0.5) * spread,
    );
    return this.#b.editor.constant("w", Tensor.float32(dims, values));
  }

  conv(value: ValueId, inputs: number, outputs: number, group = 1, kernel = 3): ValueId {
    const perGroup = inputs / group;
    const weight = this.weights([outputs, perGroup, kernel, kernel], perGroup * kernel * kernel);
    const bias = this.weights([outputs], 100);
    const pad = (kernel - 1) / 2;
    return this.#b.add("Conv", [value, weight, bias], {
      group: int(group),
      pads: ints([pad, pad, pad, pad]),
    });
  }

  block(kind: (typeof blockKinds)[number], value: ValueId, channels: number): Made {
    const b = this.#b;
    const same = (made: ValueId): Made => ({ value: made, channels });
    const relu = (of: ValueId): ValueId => b.add("Relu", [of]);
    switch (kind) {
      case "convolution":
        return { value: relu(this.conv(value, channels, 16)), channels: 16 };
      case "batch norm": {
        const numbers = [1, 0, 0, 1].map((around) => this.weights([channels], 100, around));
        return same(b.add("BatchNormalization", [value, ...numbers]));
      }
      case "group norm":
      case "instance norm": {
        const numbers = [1, 0].map((around) => this.weights([channels], 100, around));
        return same(
          kind === "group norm"
            ? b.add("GroupNormalization", [value, ...numbers], { num_groups: int(4) })
            : b.add("InstanceNormalization", [value, ...numbers]),
        );
      }
      case "prelu":
        return same(b.add("PRelu", [value, this.weights([channels, 1, 1], 4)]));
      case "sigmoid":
        return same(b.add("Sigmoid", [value]));
      case "residual": {
        const inner = relu(this.conv(value, channels, 12));
        return same(b.add("Add", [value, this.conv(inner, 12, channels)]));
      }
      case "dense": {
        const made = relu(this.conv(value, channels, 8));
        return { value: b.add("Concat", [value, made], { axis: int(1) }), channels: channels + 8 };
      }
      case "two groups":
        return { value: relu(this.conv(value, channels, 16, 2)), channels: 16 };
      case "many groups":
        return same(relu(this.conv(value, channels, channels, channels / 2)));
      case "depthwise":
        return same(relu(this.conv(value, channels, channels, channels)));
      case "gate": {
        const pooled = b.add("GlobalAveragePool", [value]);
        const inner = relu(this.conv(pooled, channels, 4, 1, 1));
        const gate = b.add("HardSigmoid", [this.conv(inner, 4, channels, 1, 1)]);
        return same(b.add("Mul", [gate, value]));
      }
      case "padded residual": {
        const padded = b.add("Pad", [value, b.ints([0, 0, 0, 0, 0, 4, 0, 0])]);
        const more = this.conv(value, channels, channels + 4);
        return { value: relu(b.add("Add", [padded, more])), channels: channels + 4 };
      }
      case "split": {
        const half = channels / 2;
        const [left, right] = b.many("Split", 2, [value, b.ints([half, half])], { axis: int(1) });
        if (left === undefined || right === undefined) throw new Error("no halves");
        const made = this.conv(right, half, half);
        return same(b.add("Concat", [made, left], { axis: int(1) }));
      }
      case "slice": {
        if (channels <= 4) return same(value);
        const sliced = b.add("Slice", [value, b.ints([2]), b.ints([channels - 2]), b.ints([1])]);
        return { value: sliced, channels: channels - 4 };
      }
      case "gather": {
        const order = Array.from({ length: channels }, (_, at) => (at * 3 + 1) % channels);
        return same(b.add("Gather", [value, b.ints(order)], { axis: int(1) }));
      }
      case "shuffle": {
        const apart = b.add("Reshape", [value, b.ints([0, 2, channels / 2, size, size])]);
        const turned = b.add("Transpose", [apart], { perm: ints([0, 2, 1, 3, 4]) });
        return same(b.add("Reshape", [turned, b.ints([0, channels, size, size])]));
      }
      case "transposed": {
        const weight = this.weights([channels, 8, 1, 1], channels);
        return {
          value: relu(b.add("ConvTranspose", [value, weight, this.weights([8], 100)])),
          channels: 8,
        };
      }
      case "space and depth": {
        const deep = b.add("SpaceToDepth", [value], { blocksize: int(2) });
        const made = relu(this.conv(deep, channels * 4, channels * 4, 1, 1));
        return same(
          b.add("DepthToSpace", [made], { blocksize: int(2), mode: attribute.string("CRD") }),
        );
      }
      case "upsample": {
        const scales = b.floats([1, 1, 2, 2]);
        const large = b.add("Resize", [value, null, scales], { mode: attribute.string("nearest") });
        return same(
          b.add("MaxPool", [large], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }),
        );
      }
      default:
        return kind satisfies never;
    }
  }

  head(kind: (typeof headKinds)[number], value: ValueId, channels: number): ValueId {
    const b = this.#b;
    const gemm = (of: ValueId, inputs: number, outputs: number): ValueId =>
      b.add("Gemm", [of, this.weights([outputs, inputs], inputs), this.weights([outputs], 100)], {
        transB: int(1),
      });
    switch (kind) {
      case "Flatten, Gemm": {
        const inputs = channels * size * size;
        return gemm(b.add("Relu", [gemm(b.add("Flatten", [value]), inputs, 16)]), 16, 5);
      }
      case "GlobalAveragePool, Gemm":
        return gemm(b.add("Flatten", [b.add("GlobalAveragePool", [value])]), channels, 5);
      case "Reshape, MatMul": {
        const inputs = channels * size * size;
        const rows = b.add("Reshape", [value, b.ints([0, inputs])]);
        const hidden = b.add("MatMul", [rows, this.weights([inputs, 12], inputs)]);
        const relu = b.add("Relu", [b.add("Add", [this.weights([12], 100), hidden])]);
        return b.add("MatMul", [relu, this.weights([12, 5], 12)]);
      }
      case "attention":
        return this.#attention(value, channels);
      default:
        return kind satisfies never;
    }
  }

  /** Four heads of four over all places, then neurons, with a norm between that holds the stream. */
  #attention(value: ValueId, channels: number): ValueId {
    const b = this.#b;
    const tokens = b.add("Transpose", [b.add("Reshape", [value, b.ints([0, channels, -1])])], {
      perm: ints([0, 2, 1]),
    });
    const dense = (of: ValueId, inputs: number, outputs: number): ValueId =>
      b.add("Add", [
        b.add("MatMul", [of, this.weights([inputs, outputs], inputs)]),
        this.weights([outputs], 100),
      ]);
    const heads = (perm: readonly number[]): ValueId => {
      const apart = b.add("Reshape", [dense(tokens, channels, 16), b.ints([0, 0, 4, 4])]);
      return b.add("Transpose", [apart], { perm: ints(perm) });
    };
    const [q, k, v] = [heads([0, 2, 1, 3]), heads([0, 2, 3, 1]), heads([0, 2, 1, 3])];
    const scaled = b.add("Mul", [b.add("MatMul", [q, k]), b.floats([0.5])]);
    const mixed = b.add("MatMul", [b.add("Softmax", [scaled], { axis: int(-1) }), v]);
    const joined = b.add("Reshape", [
      b.add("Transpose", [mixed], { perm: ints([0, 2, 1, 3]) }),
      b.ints([0, 0, 16]),
    ]);
    const stream = b.add("LayerNormalization", [dense(joined, 16, 8), this.weights([8], 100, 1)]);
    const neurons = b.add("Gelu", [dense(stream, 8, 24)]);
    return b.add("ReduceMean", [b.add("Add", [stream, dense(neurons, 24, 8)]), b.ints([1])]);
  }
}
