import { readFile } from "node:fs/promises";
import {
  type Artifact,
  artifactBytes,
  byteSource,
  onnxArtifact,
  sha256,
  type TargetName,
  type Tensors,
} from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { MeasuredActivations } from "../calibrate/measured-activations.js";
import { decodeModel } from "../onnx/index.js";
import { inferNode } from "../ops/index.js";
import { presets } from "../recipes/presets.js";
import type { OptimizeRequest, TargetDevice } from "./request.js";
import type { Simulated } from "./simulated-measure.test.support.js";

const path = new URL("../../../fixtures/models/mnist-cnn.onnx", import.meta.url);

export const original: Artifact = onnxArtifact(new Uint8Array(await readFile(path)));

async function* calibration(): AsyncGenerator<Tensors> {
  for (let sample = 0; sample < 4; sample += 1) {
    const data = Float32Array.from({ length: 784 }, (_, at) => ((at * (sample + 3)) % 97) / 97);
    yield { x: { type: "float32", dims: [1, 1, 28, 28], data } };
  }
}

export function device(target: TargetName): TargetDevice {
  const common = { engine: "said", standIn: null, features: [], saturates: false } as const;
  return { ...common, target, executor: cpu() };
}

/** What a search of the digits' model is asked for. */
export async function requestFor(
  measure: Simulated,
  more: Partial<OptimizeRequest> = {},
): Promise<OptimizeRequest> {
  const proto = byteSource(original.files[0].bytes);
  const graph = await decodeModel({ proto, external: new Map() }, { infer: inferNode });
  return {
    graph,
    original,
    originalSha256: await sha256(original.files[0].bytes),
    recipe: presets.auto,
    devices: [device("cpu")],
    evidence: "labelled",
    activations: new MeasuredActivations({ executor: cpu(), count: 4, samples: calibration }),
    measure,
    budget: { limits: () => ({ maxDrop: 0.01 }), prefer: "latency", timeBudgetMs: 600_000 },
    clock: { now: () => measure.spentMs },
    seed: 0,
    splits: {},
    shapes: {},
    constants: {},
    compiler: "test",
    ...more,
  };
}

export const bytesOf = (artifact: Artifact | undefined): number =>
  artifact === undefined ? 0 : artifactBytes(artifact);
