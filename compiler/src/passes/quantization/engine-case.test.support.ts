import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Backend,
  byteSource,
  onnxArtifact,
  type Tensor,
  type Tensors,
} from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { wasm } from "@pare/runtime/ort-web";
import { type Graph, verifyGraph } from "../../ir/index.js";
import { decodeModel, encodeModel } from "../../onnx/index.js";
import { madeUp, opsOf } from "../../rules/rule-case.test.support.js";
import { exactEngine } from "../../targets/exact-engine.test.support.js";
import type { CalibrationSamples } from "../../calibrate/calibrate.js";
import { MeasuredActivations } from "../../calibrate/measured-activations.js";
import type { PassDefinition } from "../../pipeline/pass.js";

type Sizes = Readonly<Record<string, number>>;

/** Feeds that differ with `seed`, of the graph's own dtypes. */
export function feedsOf(graph: Graph, seed = 0, sizes: Sizes = {}): Tensors {
  const feeds = Object.entries(madeUp(graph, sizes)).map(([name, tensor]): [string, Tensor] => {
    if (!(tensor.data instanceof Float32Array)) return [name, tensor];
    const turned = tensor.data.map((x, i) => x * Math.cos(seed * 1.7 + i * seed));
    return [name, { ...tensor, data: turned }];
  });
  return Object.fromEntries(feeds);
}

export function calibrationOn(
  graph: Graph,
  sizes: readonly Sizes[] = [{}, {}, {}, {}],
): CalibrationSamples {
  return {
    executor: cpu(),
    count: sizes.length,
    async *samples() {
      for (const [seed, size] of sizes.entries()) yield feedsOf(graph, seed, size);
    },
  };
}

/** Runs a pass with options as a recipe would give them, on a fork that is verified; without data where calibration is null. */
export async function quantized<Options>(
  definition: PassDefinition<string, Options>,
  graph: Graph,
  options: Readonly<Record<string, unknown>> = {},
  calibration: CalibrationSamples | null = calibrationOn(graph),
): Promise<Graph> {
  const fork = graph.fork();
  const data = calibration === null ? {} : { activations: new MeasuredActivations(calibration) };
  await definition.create(definition.parse(options)).run(fork, data);
  verifyGraph(fork, definition.name);
  return fork;
}

export async function run(
  graph: Graph,
  feeds: Tensors,
  backend: Backend = cpu(),
): Promise<Tensors> {
  const { proto } = await encodeModel(graph);
  const session = await backend.load(onnxArtifact(proto));
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

/** Seven-bit weights are right on both engines; eight-bit ones on WebAssembly, and on processors that do not saturate. */
export async function enginesFor(
  options: Readonly<Record<string, unknown>>,
): Promise<readonly Backend[]> {
  return [options["reduceRange"] === false ? await exactEngine() : cpu(), wasm()];
}

/** 10·log10(signal / difference) over all outputs, in dB. */
export function agreement(expected: Tensors, actual: Tensors): number {
  let signal = 0;
  let noise = 0;
  for (const [name, { data, dims, type }] of Object.entries(expected)) {
    const other = actual[name];
    if (other === undefined || other.type !== type || other.dims.join() !== dims.join())
      throw new Error(
        `${name} was ${type}[${dims.join()}] and is ${other?.type}[${other?.dims.join()}]`,
      );
    for (let i = 0; i < data.length; i += 1) {
      signal += Number(data[i]) ** 2;
      noise += (Number(data[i]) - Number(other.data[i])) ** 2;
    }
  }
  return noise === 0 ? Infinity : 10 * Math.log10(signal / noise);
}

/** The operators that onnxruntime runs: what is left after its own optimizations. */
export async function fusedOps(
  graph: Graph,
  graphOptimizationLevel: "basic" | "extended" = "extended",
): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "pare-fused-"));
  try {
    const optimizedModelFilePath = join(folder, "fused.onnx");
    const { proto } = await encodeModel(graph);
    const options = {
      optimizedModelFilePath,
      graphOptimizationLevel,
      logSeverityLevel: 3,
    } as const;
    // Asked for directly: no session option of Pare's lets an engine write a file.
    const { InferenceSession } = await import("onnxruntime-node");
    await (await InferenceSession.create(proto, options)).release();
    const fused = byteSource(new Uint8Array(await readFile(optimizedModelFilePath)));
    return opsOf(await decodeModel({ proto: fused, external: new Map() }, { infer: () => [] }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
