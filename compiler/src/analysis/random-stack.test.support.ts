import { attribute, type Graph, Tensor, type ValueId } from "../ir/index.js";
import { type Builder, graphOf } from "../rules/rule-case.test.support.js";

export const layerKinds = [
  "perceptron",
  "gated",
  "pre-norm attention",
  "parallel",
  "post-norm block",
] as const;
export type LayerKind = (typeof layerKinds)[number];

/** Those that change nothing once their last product is zero. */
export const identityKinds = layerKinds.filter((kind) => kind !== "post-norm block");

export interface Stack {
  readonly groups: readonly { readonly kind: LayerKind; readonly count: number }[];
  /** Does a norm stand before the first layer, as behind embeddings? */
  readonly normed: boolean;
  readonly seed: number;
}

export interface BuiltStack {
  readonly graph: Graph;
  /** What enters and leaves each layer. */
  readonly layers: readonly { readonly input: ValueId; readonly output: ValueId }[];
  /** The constants of each layer that all it adds is multiplied with. */
  readonly last: readonly (readonly ValueId[])[];
}

const width = 8;
const heads = 2;

/**
 * Layers of [N, places, 8] one after another, each as exporters write it: norms of single operators, attention with a mask
 * that all layers read, shapes that are worked out from what is reshaped.
 */
export function stackOf({ groups, normed, seed }: Stack): BuiltStack {
  const layers: BuiltStack["layers"][number][] = [];
  const last: (readonly ValueId[])[] = [];
  const graph = graphOf(
    { x: ["float32", "N", 3, width], mask: ["int64", "N", 3] },
    (input, builder) => {
      const net = new Layers(builder, input("mask"), seed);
      let value = net.product(input("x"), width).value;
      if (normed) value = net.norm(value);
      for (const { kind, count } of groups)
        for (let index = 0; index < count; index += 1) {
          const { output, zeroed } = net.layer(kind, value);
          layers.push({ input: value, output });
          last.push(zeroed);
          value = output;
        }
      const pooled = builder.add("ReduceMean", [value, builder.ints([1])], {
        keepdims: attribute.int(0),
      });
      return { y: net.product(pooled, 3).value };
    },
  );
  return { graph, layers, last };
}

interface Product {
  readonly value: ValueId;
  readonly constants: readonly ValueId[];
}

class Layers {
  readonly #b: Builder;
  readonly #hidden: ValueId;
  #state: number;

  constructor(builder: Builder, mask: ValueId, seed: number) {
    this.#b = builder;
    this.#state = (seed % 2147483646) + 1;
    const counts = builder.add("Cast", [mask], { to: attribute.int(1) });
    const one = builder.add("Unsqueeze", [counts, builder.ints([1, 2])]);
    this.#hidden = builder.add("Mul", [
      builder.add("Sub", [builder.floats([1]), one]),
      builder.floats([-10]),
    ]);
  }

  layer(
    kind: LayerKind,
    x: ValueId,
  ): { readonly output: ValueId; readonly zeroed: readonly ValueId[] } {
    const b = this.#b;
    const add = (branch: Product) => ({
      output: b.add("Add", [branch.value, x]),
      zeroed: branch.constants,
    });
    switch (kind) {
      case "perceptron":
        return add(this.product(b.add("Relu", [this.product(x, 12).value]), width, 12));
      case "gated": {
        const gate = b.add("Sigmoid", [this.product(x, 6).value]);
        return add(this.product(b.add("Mul", [gate, this.product(x, 6).value]), width, 6));
      }
      case "pre-norm attention":
        return add(this.#attention(this.norm(x)));
      case "parallel": {
        const normed = this.norm(x);
        const attended = this.#attention(normed);
        const fed = this.product(b.add("Tanh", [this.product(normed, 10).value]), width, 10);
        const both = b.add("Add", [attended.value, fed.value]);
        return add({ value: both, constants: [...attended.constants, ...fed.constants] });
      }
      case "post-norm block": {
        const attended = this.norm(b.add("Add", [this.#attention(x).value, x]));
        const fed = this.product(b.add("Erf", [this.product(attended, 16).value]), width, 16);
        return {
          output: this.norm(b.add("Add", [fed.value, attended])),
          zeroed: fed.constants,
        };
      }
      default:
        return kind satisfies never;
    }
  }

  product(x: ValueId, outputs: number, inputs = width): Product {
    const weight = this.#weights([inputs, outputs]);
    const bias = this.#weights([outputs]);
    const value = this.#b.add("Add", [this.#b.add("MatMul", [x, weight]), bias]);
    return { value, constants: [weight, bias] };
  }

  /** LayerNormalization in single operators. */
  norm(x: ValueId): ValueId {
    const b = this.#b;
    const mean = (of: ValueId): ValueId => b.add("ReduceMean", [of, b.ints([-1])]);
    const centred = b.add("Sub", [x, mean(x)]);
    const variance = mean(b.add("Pow", [centred, b.floats([2])]));
    const deviation = b.add("Sqrt", [b.add("Add", [variance, b.floats([1e-5])])]);
    const scaled = b.add("Mul", [b.add("Div", [centred, deviation]), this.#weights([width], 1)]);
    return b.add("Add", [scaled, this.#weights([width])]);
  }

  #attention(x: ValueId): Product {
    const b = this.#b;
    const parts = [0, 1, 2].map(() => this.#inHeads(this.product(x, width).value));
    const [query, key, value] = parts;
    if (query === undefined || key === undefined || value === undefined) throw new Error("parts");
    const turned = b.add("Transpose", [key], { perm: attribute.ints([0, 1, 3, 2]) });
    const scores = b.add("Div", [b.add("MatMul", [query, turned]), b.floats([2])]);
    const shares = b.add("Softmax", [b.add("Add", [scores, this.#hidden])], {
      axis: attribute.int(-1),
    });
    const mixed = b.add("Transpose", [b.add("MatMul", [shares, value])], {
      perm: attribute.ints([0, 2, 1, 3]),
    });
    return this.product(this.#reshaped(mixed, [width]), width);
  }

  #inHeads(x: ValueId): ValueId {
    return this.#b.add("Transpose", [this.#reshaped(x, [heads, width / heads])], {
      perm: attribute.ints([0, 2, 1, 3]),
    });
  }

  /** To [samples, places, …], both sizes taken from what is reshaped. */
  #reshaped(x: ValueId, rest: readonly number[]): ValueId {
    const b = this.#b;
    const sizes = [0, 1].map((axis) =>
      b.add("Unsqueeze", [
        b.add("Gather", [b.add("Shape", [x]), b.ints([axis], [])], { axis: attribute.int(0) }),
        b.ints([0]),
      ]),
    );
    const shape = b.add("Concat", [...sizes, b.ints(rest)], { axis: attribute.int(0) });
    return b.add("Reshape", [x, shape]);
  }

  #weights(dims: readonly number[], around = 0): ValueId {
    const count = dims.reduce((product, size) => product * size, 1);
    const values = Float32Array.from({ length: count }, () => around + this.#draw() - 0.5);
    return this.#b.editor.constant("w", Tensor.float32(dims, values));
  }

  #draw(): number {
    this.#state = (this.#state * 48271) % 2147483647;
    return this.#state / 2147483647;
  }
}
