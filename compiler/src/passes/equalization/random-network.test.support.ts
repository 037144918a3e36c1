import { attribute, type Graph, Tensor, type ValueId } from "../../ir/index.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";

/** What stands between two layers, and whether channels can be scaled through it. */
const between = {
  nothing: true,
  Relu: true,
  LeakyRelu: true,
  PRelu: true,
  MaxPool: true,
  AveragePool: true,
  "Relu, then MaxPool": true,
  "Relu, then Add": true,
  HardSwish: false,
  Sigmoid: false,
} as const;
export type Between = keyof typeof between;
export const betweens = Object.keys(between) as readonly Between[];

export const layerKinds = ["full", "pointwise", "grouped", "depthwise", "transposed"] as const;

export interface Drawn {
  readonly layers: readonly {
    readonly kind: (typeof layerKinds)[number];
    readonly behind: Between;
    readonly bias: boolean;
  }[];
  readonly head: "Flatten, Gemm" | "Reshape, MatMul, Add" | "GlobalAveragePool, Gemm";
  readonly transB: boolean;
  readonly seed: number;
  /** The largest exponent of the powers of two by which channels are scaled, and scaled back where they are read. */
  readonly exponent: number;
}

const channels = 8;

/** A small network of 4 × 8 × 8 images, its inner channels out of balance as far as they can be scaled. */
export function networkOf({ layers, head, transB, seed, exponent }: Drawn): Graph {
  const random = randomStream(seed);
  const normal = (): number => (random() + random() + random() - 1.5) * 1.2;
  let factors: readonly number[] = Array(4).fill(1);
  const next = (count: number, passes: boolean): readonly number[] =>
    Array.from({ length: count }, () =>
      passes ? 2 ** Math.round((2 * random() - 1) * exponent) : 1,
    );
  /** Weights by output and input, at their factors; `fanIn` keeps results of the size of what is read. */
  const weight = (out: number, into: number, fanIn: number): number =>
    (normal() * out) / into / Math.sqrt(fanIn);
  return graphOf({ x: ["float32", "N", 4, 8, 8] }, (input, b) => {
    let value = input("x");
    for (const { kind, behind, bias } of layers) {
      const made = next(channels, between[behind]);
      const inputs = factors.length;
      const group = kind === "grouped" ? 2 : kind === "depthwise" ? inputs : 1;
      const kernel = kind === "pointwise" ? 1 : 3;
      const [perIn, perOut] = [inputs / group, channels / group];
      const area = kernel * kernel;
      const at = (outer: number, inner: number): number => {
        const transposed = kind === "transposed";
        const output = transposed ? inner : outer;
        const from = transposed ? outer : Math.floor(outer / perOut) * perIn + inner;
        return weight(made[output] ?? 1, factors[from] ?? 1, perIn * area);
      };
      const dims = kind === "transposed" ? [inputs, channels] : [channels, perIn];
      const weights = table(dims, at, area);
      const parameters = [
        b.floats(weights, [...dims, kernel, kernel]),
        ...(bias ? [b.floats(made.map((factor) => factor * normal() * 0.2))] : []),
      ];
      const pads = attribute.ints(Array(4).fill(kernel === 1 ? 0 : 1));
      value = b.add(kind === "transposed" ? "ConvTranspose" : "Conv", [value, ...parameters], {
        pads,
        group: attribute.int(group),
      });
      const shift = made.map((factor) => factor * normal() * 0.2);
      value = passedOn(b, value, behind, shift);
      factors = made;
    }
    return { y: headOf(b, value) };
  });

  function headOf(b: Builder, value: ValueId): ValueId {
    const pooled = head.startsWith("Global");
    const flat = pooled ? b.add("GlobalAveragePool", [value]) : value;
    const each = pooled ? 1 : shapeSize(layers.map(({ behind }) => behind));
    const hidden = next(6, true);
    const features = channels * each;
    const isGemm = head.endsWith("Gemm");
    const turned = isGemm && transB;
    const first = matrix(
      b,
      features,
      hidden,
      (feature, out) =>
        weight(hidden[out] ?? 1, factors[Math.floor(feature / each)] ?? 1, features),
      turned,
    );
    const last = matrix(
      b,
      6,
      Array(3).fill(1),
      (feature) => weight(1, hidden[feature] ?? 1, 6),
      turned,
    );
    const shift = b.floats(hidden.map((factor) => factor * normal() * 0.2));
    const attributes = { transB: attribute.int(turned ? 1 : 0) };
    if (isGemm) {
      const rows = b.add("Flatten", [flat]);
      const relu = b.add("Relu", [b.add("Gemm", [rows, first, shift], attributes)]);
      return b.add("Gemm", [relu, last], attributes);
    }
    const rows = b.add("Reshape", [flat, b.ints([0, features])]);
    const relu = b.add("Relu", [b.add("Add", [shift, b.add("MatMul", [rows, first])])]);
    return b.add("MatMul", [relu, last]);
  }
}

function matrix(
  b: Builder,
  inputs: number,
  outputs: readonly number[],
  at: (input: number, output: number) => number,
  turned: boolean,
): ValueId {
  const dims = turned ? [outputs.length, inputs] : [inputs, outputs.length];
  const values = table(dims, (row, column) => (turned ? at(column, row) : at(row, column)), 1);
  return b.editor.constant("m", Tensor.float32(dims, values));
}

/** Numbers for a tensor of two dims and `inner` more elements each, drawn one by one. */
function table(
  [rows = 0, columns = 0]: readonly number[],
  at: (row: number, column: number) => number,
  inner: number,
): readonly number[] {
  return Array.from({ length: rows * columns * inner }, (_, index) => {
    const place = Math.floor(index / inner);
    return at(Math.floor(place / columns), place % columns);
  });
}

function passedOn(b: Builder, value: ValueId, behind: Between, shift: readonly number[]): ValueId {
  const pool = { kernel_shape: attribute.ints([2, 2]), strides: attribute.ints([1, 1]) };
  switch (behind) {
    case "nothing":
      return value;
    case "PRelu":
      return b.add("PRelu", [value, b.floats([0.1, 0.2, 0.3, 0.4, -0.1, 0, 1, 2], [8, 1, 1])]);
    case "MaxPool":
    case "AveragePool":
      return b.add(behind, [value], pool);
    case "Relu, then MaxPool":
      return b.add("MaxPool", [b.add("Relu", [value])], pool);
    case "Relu, then Add":
      return b.add("Add", [b.add("Relu", [value]), b.floats(shift, [channels, 1, 1])]);
    default:
      return b.add(behind, [value]);
  }
}

/** Each pooling of two by two takes one row and one column away from eight. */
function shapeSize(behind: readonly Between[]): number {
  return (8 - behind.filter((one) => /Pool/.test(one)).length) ** 2;
}

/** A generator of numbers in [0, 1) from a seed (Park and Miller). */
function randomStream(seed: number): () => number {
  let state = (seed % 2147483646) + 1;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}
