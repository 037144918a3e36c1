import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  onnxArtifact,
  goldenInputs,
  probeGolden,
  type RunTensors,
  sha256,
  type TargetName,
  type ValueInfo,
} from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import {
  bundleFiles,
  type BundleInput,
  type BundleVariant,
} from "../../../compiler/src/bundle/bundle-files.js";
import { folderSink } from "../../../cli/src/platform/write-bundle.js";

const digits = fileURLToPath(new URL("../../../fixtures/models/mnist-cnn.onnx", import.meta.url));
const affine = fileURLToPath(new URL("../../../runtime/test-models/affine.onnx", import.meta.url));

/** The float digit classifier for cpu, wasm and webgpu, as `pare optimize` would lay it out. */
export async function writeDigitsBundle(folder: string): Promise<void> {
  await writeFloatBundle(folder, "digits", digits, { x: [1, 1, 28, 28] });
}

/** A model of 150 bytes, which bundlers inline. */
export async function writeTinyBundle(folder: string): Promise<void> {
  await writeFloatBundle(folder, "tiny", affine, { x: [2, 3] });
}

/** Files are made once, and written as often as asked for: to compress them takes long. */
const made = new Map<string, Promise<BundleFiles>>();
type BundleFiles = Awaited<ReturnType<typeof bundleFiles>>;

async function writeFloatBundle(
  folder: string,
  name: string,
  path: string,
  dims: Readonly<Record<string, readonly number[]>>,
): Promise<void> {
  const files = made.get(name) ?? floatBundle(name, path, dims);
  made.set(name, files);
  await folderSink(folder).write(await files);
}

async function floatBundle(
  name: string,
  path: string,
  dims: Readonly<Record<string, readonly number[]>>,
): Promise<BundleFiles> {
  const model = new Uint8Array(await readFile(path));
  const session = await cpu().load(onnxArtifact(model));
  const targets = ["cpu", "wasm", "webgpu"] as const;
  const run: RunTensors = (feeds) => session.run(feeds);
  try {
    const choices = Object.fromEntries(
      Object.entries(dims).map(([input, own]) => [input, { dims: own }]),
    );
    const golden = await probeGolden(
      [goldenInputs(session.inputs, 1, choices)],
      new Map(targets.map((target) => [`${target}-float32`, run])),
    );
    const input: BundleInput = {
      name,
      createdBy: "pare's examples",
      inputs: named(session.inputs),
      outputs: named(session.outputs),
      variants: targets.map((target) =>
        floatVariant(target, Uint8Array.from([...model, ...documentation(target)])),
      ),
      golden,
      source: { bytes: model.length, sha256: await sha256(model), parameters: 0, macs: null },
      baselines: [],
    };
    return await bundleFiles(input);
  } finally {
    await session.dispose();
  }
}

function floatVariant(target: TargetName, model: Uint8Array): BundleVariant {
  return {
    id: `${target}-float32`,
    target,
    precision: "float32",
    evidence: "none",
    artifact: onnxArtifact(model),
    accuracy: null,
    latencyMs: { unmeasured: "an example" },
    tolerance: { absolute: 1e-4, relative: 1e-4 },
  };
}

/** ModelProto's doc_string, so that each target has a file of its own. */
function documentation(text: string): number[] {
  return [0x32, text.length, ...new TextEncoder().encode(text)];
}

function named(infos: readonly ValueInfo[]): readonly ValueInfo[] {
  return infos.map(({ name, type, dims }) => ({ name, type, dims }));
}
