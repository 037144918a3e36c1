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
import { beforeAll, describe, expect, it } from "vitest";
import { attribute, edit, type Graph, tensorType, type ValueId } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import type { TrainingEngine } from "../ops/index.js";
import { type Builder, graphOf } from "../rules/rule-case.test.support.js";
import { differentiate, type DifferentiateOptions } from "./differentiate.js";

/** What inputs hold: `normal`; away from 0; above 0; below 1; no two alike. */
export type Values = "normal" | "kinked" | "positive" | "small" | "distinct";

export interface Case {
  readonly name: string;
  /** Of the float inputs. */
  readonly shapes: readonly (readonly number[])[];
  readonly build: (inputs: readonly ValueId[], builder: Builder) => ValueId | readonly ValueId[];
  readonly values?: Values | readonly Values[];
  /** How far inputs are moved; 0.005 where not given. */
  readonly epsilon?: number;
}

export interface Checked {
  /** The largest difference from central differences, relative to the gradient's length. */
  readonly error: number;
  /** The same, were the gradients 5 % larger. */
  readonly mutated: number;
  readonly where: string;
}

/** What float32 and the step leave of a gradient that is right. */
export const tolerance = 0.02;

const backends: Readonly<Record<"cpu" | "wasm", Backend>> = { cpu: cpu(), wasm: wasm() };

/** A stream of normal numbers that depends on the seed alone. */
function normals(seed: number): () => number {
  let state = (Math.imul(seed, 2654435761) + 12345) >>> 0;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

export function drawn(values: Values, dims: readonly number[], seed: number): Dense {
  const next = normals(seed);
  const data = Float32Array.from({ length: elementCount(dims) }, next);
  const moved = (to: (x: number) => number): Float32Array => data.map(to);
  const dense = (filled: Float32Array): Dense => ({ type: "float32", dims, data: filled });
  switch (values) {
    case "normal":
      return dense(data);
    case "kinked":
      return dense(moved((x) => x + Math.sign(x) * 0.35));
    case "positive":
      return dense(moved((x) => 0.5 + Math.abs(x)));
    case "small":
      return dense(moved((x) => 0.8 * Math.tanh(x)));
    case "distinct": {
      const order = [...data.keys()].sort((a, b) => (data[a] ?? 0) - (data[b] ?? 0));
      order.forEach((at, rank) => (data[at] = (rank - data.length / 2 + 0.5) * 0.15));
      return dense(data);
    }
    default:
      return values satisfies never;
  }
}

export async function load(graph: Graph, backend: "cpu" | "wasm" = "cpu"): Promise<Session> {
  const { proto } = await encodeModel(graph);
  return backends[backend].load(onnxArtifact(proto, { graphOptimizationLevel: "extended" }));
}

export function floatsOf(tensor: Dense | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new Error("no floats");
}

function dimsOf(graph: Graph, id: ValueId): readonly number[] {
  const { type } = graph.value(id);
  return type.kind === "tensor" ? (type.shape ?? []).map(Number) : [];
}

/** All cases in one graph: an engine loads it once. Input j of case i is `i:j`, output k is `i=k`. */
export function together(cases: readonly Case[]): Graph {
  const declared = Object.fromEntries(
    cases.flatMap(({ shapes }, at) =>
      shapes.map((dims, index) => [`${at}:${index}`, ["float32", ...dims] as const]),
    ),
  );
  return graphOf(declared, (input, builder) =>
    Object.fromEntries(
      cases.flatMap(({ shapes, build }, at) => {
        const built = build(
          shapes.map((_, index) => input(`${at}:${index}`)),
          builder,
        );
        const outputs = typeof built === "number" ? [built] : built;
        return outputs.map((id, index) => [`${at}=${index}`, id] as const);
      }),
    ),
  );
}

/** Adds the loss Σ outputs · weights, the weights being inputs `weights of …`, and the gradients of all float inputs. */
export function withGradients(
  graph: Graph,
  engine: TrainingEngine,
  how: Omit<DifferentiateOptions, "engine"> = {},
): void {
  const inputs = graph.main.inputs.filter((id) => {
    const { type } = graph.value(id);
    return type.kind === "tensor" && type.dtype === "float32";
  });
  const outputs = [...graph.main.outputs];
  const loss = edit(
    graph,
    "loss",
    (editor) =>
      outputs
        .map((output) => {
          const name = `weights of ${graph.value(output).name}`;
          const weights = editor.addInput(name, tensorType("float32", dimsOf(graph, output)));
          const products = editor.add1("Mul", [output, weights]);
          return editor.add1("ReduceSum", [products], { keepdims: attribute.int(0) });
        })
        .reduce((sum, part) => editor.add1("Add", [sum, part])),
    { interface: true },
  );
  const gradients = differentiate(graph, loss, inputs, { engine, ...how });
  edit(graph, "outputs", (editor) => gradients.forEach((id) => editor.addOutput(id)), {
    interface: true,
  });
}

/** A random direction, and that of the gradient: along it nothing that is wrong in length can hide. */
function directionsOf(gradient: Float32Array, seed: number): readonly Float32Array[] {
  const length = Math.hypot(...gradient);
  const unit = length === 0 ? 0 : Math.sqrt(gradient.length) / length;
  return [Float32Array.from(gradient, normals(seed)), gradient.map((g) => g * unit)];
}

const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);

/** What the inputs of a graph of these cases hold. */
export function samplesOf(graph: Graph, cases: readonly Case[]): Tensors {
  return Object.fromEntries(
    graph.main.inputs.map((id, index) => {
      const { name } = graph.value(id);
      const [at, input] = name.split(":").map(Number);
      const values = cases[at ?? -1]?.values ?? "normal";
      const kind = typeof values === "string" ? values : (values[input ?? 0] ?? "normal");
      return [name, drawn(kind, dimsOf(graph, id), index + 1)];
    }),
  );
}

/** Gradients of each case against central differences on an engine. Cases do not touch, so all are moved at once. */
export async function checked(
  cases: readonly Case[],
  backend: "cpu" | "wasm" = "cpu",
  engine: TrainingEngine = backend,
): Promise<readonly Checked[]> {
  const graph = together(cases);
  const names = graph.main.outputs.map((id) => graph.value(id).name);
  withGradients(graph, engine);
  const samples = samplesOf(graph, cases);
  const session = await load(graph, backend);
  try {
    const gradients = await session.run(samples);
    const results = cases.map(() => ({ error: 0, mutated: 0, where: "" }));
    const most = Math.max(...cases.map(({ shapes }) => shapes.length));
    for (let input = 0; input < most; input += 1) {
      const moving = cases.flatMap(({ epsilon = 5e-3 }, at) => {
        const name = `${at}:${input}`;
        const gradient = gradients[`${name}.gradient`];
        if (gradient === undefined) return [];
        const directions = directionsOf(floatsOf(gradient), at * 10 + input);
        return [{ at, name, epsilon, gradient: floatsOf(gradient), directions }];
      });
      for (const index of [0, 1]) {
        const ran = async (sign: number): Promise<Tensors> => {
          const moved = moving.map(({ name, epsilon, directions }): [string, Dense] => {
            const x = floatsOf(samples[name]);
            const data = x.map(
              (value, i) => value + sign * epsilon * (directions[index]?.[i] ?? 0),
            );
            return [name, { type: "float32", dims: samples[name]?.dims ?? [], data }];
          });
          return session.run({ ...samples, ...Object.fromEntries(moved) });
        };
        const [ahead, behind] = [await ran(1), await ran(-1)];
        const lossOf = (at: number, outputs: Tensors): number =>
          names
            .filter((name) => name.startsWith(`${at}=`))
            .reduce(
              (sum, name) =>
                sum + dot(floatsOf(outputs[name]), floatsOf(samples[`weights of ${name}`])),
              0,
            );
        for (const { at, epsilon, gradient, directions } of moving) {
          const result = results[at];
          const direction = directions[index];
          if (result === undefined || direction === undefined) continue;
          const slope = (lossOf(at, ahead) - lossOf(at, behind)) / (2 * epsilon);
          const along = dot(gradient, direction);
          const against = Math.max(Math.abs(along), Math.hypot(...gradient), 5e-2);
          const error = Math.abs(slope - along) / against;
          const mutated = Math.abs(slope - 1.05 * along) / (1.05 * against);
          if (error > result.error || Number.isNaN(error))
            Object.assign(result, {
              error: Number.isNaN(error) ? Infinity : error,
              where: `input ${input}: ${along.toFixed(5)}, by differences ${slope.toFixed(5)}`,
            });
          result.mutated = Math.max(result.mutated, mutated);
        }
      }
    }
    return results;
  } finally {
    await session.dispose();
  }
}

async function outputsOf(graph: Graph, feeds: Tensors): Promise<Tensors> {
  const session = await load(graph);
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

/** How far outputs lie from what they were without gradients, of the largest number of each: simpler operators took places. */
async function movedOutputs(cases: readonly Case[]): Promise<readonly number[]> {
  const graph = together(cases);
  const samples = samplesOf(graph, cases);
  const expected = await outputsOf(graph, samples);
  withGradients(graph, "cpu");
  const given = await outputsOf(graph, samplesOf(graph, cases));
  return cases.map((_, at) => {
    const distances = Object.entries(expected)
      .filter(([name]) => name.startsWith(`${at}=`))
      .map(([name, output]) => {
        const [before, after] = [floatsOf(output), floatsOf(given[name])];
        const largest = before.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-2);
        return Math.max(...before.map((x, i) => Math.abs(x - (after[i] ?? NaN)))) / largest;
      });
    return Math.max(...distances);
  });
}

/** That simpler operators which are differentiated in the place of others give what those give. */
export function checkOutputs(title: string, cases: readonly Case[]): void {
  it(title, async () => {
    const moved = await movedOutputs(cases);
    const names = cases.flatMap(({ name }, at) => ((moved[at] ?? NaN) < 1e-4 ? [] : name));
    expect(names).toEqual([]);
  });
}

/** A test for each case on each engine, and one that all would fail if their gradients were 5 % too large. */
export function checkGradients(title: string, cases: readonly Case[]): void {
  describe.each(["cpu", "wasm"] as const)(`${title} on %s`, (backend) => {
    let results: readonly Checked[] = [];
    beforeAll(async () => {
      results = await checked(cases, backend);
    });
    it.each(cases.map(({ name }, at) => [name, at] as const))("%s", (_, at) => {
      const result = results[at];
      expect(result?.error, result?.where).toBeLessThan(tolerance);
    });
    it("would fail if gradients were 5 % larger", () => {
      const unseen = cases.filter((_, at) => (results[at]?.mutated ?? 0) < tolerance);
      expect(unseen.map(({ name }) => name)).toEqual([]);
    });
  });
}
