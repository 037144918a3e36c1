import {
  type Backend,
  elementCount,
  onnxArtifact,
  type Session,
  type Tensor as Dense,
  type Tensors,
} from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { wasm } from "@pare/runtime/ort-web";
import { edit, type Graph, tensorType, type ValueId } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import type { TrainingEngine } from "../ops/index.js";
import { differentiate, type DifferentiateOptions } from "./differentiate.js";

export const backends: Readonly<Record<"cpu" | "wasm", Backend>> = { cpu: cpu(), wasm: wasm() };

/** A stream of normal numbers that depends on the seed alone. */
export function normals(seed: number): () => number {
  let state = (seed * 2654435761 + 12345) >>> 0;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** What inputs hold: `normal`; away from 0; above 0; no two alike. */
export type Values = "normal" | "kinked" | "positive" | "distinct";

export function drawn(values: Values, dims: readonly number[], seed: number): Dense {
  const next = normals(seed);
  const count = elementCount(dims);
  const data = Float32Array.from({ length: count }, next);
  switch (values) {
    case "normal":
      break;
    case "kinked":
      data.forEach((x, i) => (data[i] = x + Math.sign(x) * 0.35));
      break;
    case "positive":
      data.forEach((x, i) => (data[i] = 0.5 + Math.abs(x)));
      break;
    case "distinct": {
      const order = [...data.keys()].sort((a, b) => (data[a] ?? 0) - (data[b] ?? 0));
      order.forEach((at, rank) => (data[at] = (rank - count / 2) * 0.15));
      break;
    }
    default:
      values satisfies never;
  }
  return { type: "float32", dims, data };
}

export interface CheckOptions {
  readonly backend?: "cpu" | "wasm";
  readonly engine?: TrainingEngine;
  readonly values?: Values | Readonly<Record<string, Values>>;
  readonly epsilon?: number;
  readonly straightThrough?: DifferentiateOptions["straightThrough"];
  /** Multiplies each gradient: a check must see it. */
  readonly mutate?: number;
}

const floats = (tensor: Dense | undefined): Float32Array => {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new Error("no floats");
};

const floatsOf = (graph: Graph): readonly ValueId[] =>
  graph.main.inputs.filter((id) => {
    const { type } = graph.value(id);
    return type.kind === "tensor" && type.dtype === "float32";
  });

const dimsOf = (graph: Graph, id: ValueId): readonly number[] => {
  const { type } = graph.value(id);
  return type.kind === "tensor" ? (type.shape ?? []).map(Number) : [];
};

/** Gives a graph the loss Σ outputs · weights, its weights being further inputs, and the gradients of its float inputs. */
export function withGradients(graph: Graph, options: DifferentiateOptions): Graph {
  const training = graph.fork();
  const inputs = floatsOf(training);
  const loss = edit(
    training,
    "loss",
    (editor) => {
      const parts = training.main.outputs.map((output, index) => {
        const weights = editor.addInput(
          `weights${index}`,
          tensorType("float32", dimsOf(training, output)),
        );
        return editor.add1("ReduceSum", [editor.add1("Mul", [output, weights])], {
          keepdims: { type: "int", value: 0n },
        });
      });
      return parts.reduce<ValueId | undefined>(
        (sum, part) => (sum === undefined ? part : editor.add1("Add", [sum, part])),
        undefined,
      );
    },
    { interface: true },
  );
  if (loss === undefined) throw new Error("no outputs");
  const gradients = differentiate(training, loss, inputs, options);
  edit(
    training,
    "outputs",
    (editor) => {
      for (const input of inputs) {
        const gradient = gradients.get(input);
        if (gradient !== undefined) editor.addOutput(gradient);
      }
    },
    { interface: true },
  );
  return training;
}

export async function load(graph: Graph, backend: "cpu" | "wasm" = "cpu"): Promise<Session> {
  const { proto } = await encodeModel(graph);
  return backends[backend].load(onnxArtifact(proto, { graphOptimizationLevel: "extended" }));
}

/** Samples for the graph's inputs; integers come with `given`. */
export function samplesOf(
  graph: Graph,
  values: CheckOptions["values"] = "normal",
  given: Tensors = {},
): Tensors {
  return Object.fromEntries(
    graph.main.inputs.map((id, index) => {
      const { name } = graph.value(id);
      const kind = typeof values === "string" ? values : (values[name] ?? "normal");
      return [name, given[name] ?? drawn(kind, dimsOf(graph, id), index + 1)];
    }),
  );
}

/**
 * The largest difference between gradients and central differences, along random directions, relative to the gradient's
 * length: below 0.02 they agree, what float32 and the step leave.
 */
export async function gradientError(
  graph: Graph,
  options: CheckOptions = {},
  given: Tensors = {},
): Promise<{ readonly worst: number; readonly where: string }> {
  const { backend = "cpu", engine = backend, epsilon = 5e-3, mutate = 1 } = options;
  const { straightThrough } = options;
  const training = withGradients(graph, {
    engine,
    ...(straightThrough !== undefined && { straightThrough }),
  });
  const samples = samplesOf(training, options.values, given);
  const session = await load(training, backend);
  try {
    const outputs = graph.main.outputs.map((id) => graph.value(id).name);
    const loss = async (feeds: Tensors): Promise<number> => {
      const results = await session.run(feeds);
      return outputs.reduce((total, name, index) => {
        const weights = floats(samples[`weights${index}`]);
        return floats(results[name]).reduce((sum, y, i) => sum + y * (weights[i] ?? 0), total);
      }, 0);
    };
    const gradients = await session.run(samples);
    let worst = 0;
    let where = "";
    for (const [index, id] of floatsOf(graph).entries()) {
      const { name } = graph.value(id);
      const gradient = floats(gradients[`${name}.gradient`]);
      const x = floats(samples[name]);
      for (const seed of [1, 2]) {
        const direction = Float32Array.from(x, normals(seed * 100 + index));
        const moved = (by: number): Tensors => ({
          ...samples,
          [name]: {
            type: "float32",
            dims: dimsOf(graph, id),
            data: x.map((value, i) => value + by * (direction[i] ?? 0)),
          },
        });
        const slope =
          ((await loss(moved(epsilon))) - (await loss(moved(-epsilon)))) / (2 * epsilon);
        let along = 0;
        let squares = 0;
        gradient.forEach((g, i) => {
          along += mutate * g * (direction[i] ?? 0);
          squares += g * g;
        });
        const error = Math.abs(slope - along) / (Math.sqrt(squares) + 1e-6);
        if (error > worst || Number.isNaN(error)) {
          worst = Number.isNaN(error) ? Infinity : error;
          where = `${name}: ${along.toFixed(5)}, by differences ${slope.toFixed(5)}`;
        }
      }
    }
    return { worst, where };
  } finally {
    await session.dispose();
  }
}
