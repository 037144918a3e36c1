import type { Tensors } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { attribute, type Graph, type ValueId } from "../ir/index.js";
import type { Example, Examples } from "../pipeline/examples.js";
import { randomOf } from "../pipeline/random.js";
import type { Workers } from "../pipeline/workers.js";
import { type Builder, graphOf } from "../rules/rule-case.test.support.js";
import { initializeFresh } from "./initialize.js";

/** Pictures of 8 × 8 with a bar in one of four places, and noise: the place is the class. */
export function bars(count: number, seed = 0): readonly Example[] {
  const draw = randomOf(seed, "bars");
  return Array.from({ length: count }, (_, index) => {
    const label = index % 4;
    const data = Float32Array.from({ length: 64 }, () => draw() - 0.5);
    for (let at = 0; at < 8; at += 1) {
      const place = label < 2 ? (label * 4 + 1) * 8 + at : at * 8 + (label - 2) * 4 + 2;
      data[place] = (data[place] ?? 0) + 1;
    }
    return { feeds: { x: { type: "float32", dims: [1, 1, 8, 8], data } }, label };
  });
}

export function examplesOf(
  samples: readonly Example[],
  executor: Examples["executor"] = cpu(),
): Examples {
  return {
    executor,
    count: samples.length,
    async *read() {
      yield* samples;
    },
  };
}

/** Engines one after the other in this thread: what they compute is what threads would. */
export function workersHere(most: number, executor: Examples["executor"] = cpu()): Workers {
  return {
    most,
    open: async (count) => ({
      executors: Array.from({ length: count }, () => executor),
      close: async () => {},
    }),
  };
}

interface NetworkOptions {
  readonly width?: number;
  readonly norm?: boolean;
  readonly softmax?: boolean;
  /** The share that is dropped in front of the classes. */
  readonly dropout?: number;
  readonly dims?: readonly (number | string)[];
  readonly seed?: number;
}

/** Conv, batch norm, Relu, pool, Gemm: [batch, 1, 8, 8] to scores of four classes. */
export function network({
  width = 4,
  norm = true,
  softmax = false,
  dropout = 0,
  dims = ["batch", 1, 8, 8],
  seed = 1,
}: NetworkOptions = {}): Graph {
  const graph = graphOf({ x: ["float32", ...dims] }, (input, b) => {
    const kernel = {
      kernel_shape: attribute.ints([3, 3]),
      pads: attribute.ints([1, 1, 1, 1]),
    };
    let h = b.add(
      "Conv",
      [input("x"), named(b, "conv.w", width, 1, 3, 3), named(b, "conv.b", width)],
      kernel,
    );
    if (norm) {
      const numbers = ["scale", "bias", "mean", "variance"].map((one) =>
        named(b, `norm.${one}`, width),
      );
      h = b.add("BatchNormalization", [h, ...numbers]);
    }
    h = b.add("Relu", [h]);
    h = b.add("MaxPool", [h], {
      kernel_shape: attribute.ints([2, 2]),
      strides: attribute.ints([2, 2]),
    });
    h = b.add("Flatten", [h]);
    if (dropout > 0) h = b.add("Dropout", [h, b.floats([dropout])]);
    h = b.add("Gemm", [h, named(b, "head.w", width * 16, 4), named(b, "head.b", 4)]);
    return { scores: softmax ? b.add("Softmax", [h]) : h };
  });
  initializeFresh(graph, (name) => randomOf(seed, name));
  return graph;
}

function named(b: Builder, name: string, ...dims: readonly number[]): ValueId {
  const id = b.weights(...dims);
  b.editor.rename(id, name);
  return id;
}

/** All samples as one batch. */
export function batchOf(samples: readonly Example[]): Tensors {
  const all = samples.flatMap(({ feeds }) => [...((feeds["x"]?.data ?? []) as Float32Array)]);
  const data = Float32Array.from(all);
  return { x: { type: "float32", dims: [samples.length, 1, 8, 8], data } };
}

/** The numbers of all float32 constants, in a row. */
export async function weightsOf(graph: Graph): Promise<readonly number[]> {
  const parts: number[] = [];
  for (const { constant } of graph.allValues())
    if (constant?.dtype === "float32") parts.push(...(await constant.readFloat32()));
  return parts;
}
