import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  bundleJson,
  type Golden,
  goldenInputs,
  type Manifest,
  probeGolden,
  sha256Sync,
  type Tensors,
  type VariantEntry,
} from "../src/format/index.js";

/** y = 2 x + shift, in three files that differ in their doc_string alone. */
async function affineModels(): Promise<Record<"cpu" | "wasm" | "spare", Uint8Array<ArrayBuffer>>> {
  const model = await readFile(new URL("affine.onnx", import.meta.url));
  const documented = (text: string): Uint8Array<ArrayBuffer> =>
    Uint8Array.from([...model, 0x32, text.length, ...new TextEncoder().encode(text)]);
  return { cpu: documented("cpu"), wasm: documented("wasm"), spare: documented("spare") };
}

export interface TestBundle {
  readonly manifest: Manifest;
  readonly golden: Golden;
  /** By path, as a server or a folder holds them. */
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
}

async function affine({ x, shift }: Tensors): Promise<Tensors> {
  const by = shift?.data as Float32Array;
  const data = Float32Array.from(
    x?.data as Float32Array,
    (value, i) => 2 * value + (by[i % 3] ?? 0),
  );
  return { y: { type: "float32", dims: [2, 3], data } };
}

/** A bundle with a `cpu`, a `wasm` and a second, `spare` wasm variant. */
export async function makeBundle(): Promise<TestBundle> {
  const models = await affineModels();
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const variant = (id: keyof typeof models, target: "cpu" | "wasm"): VariantEntry => {
    const hash = sha256Sync(models[id]);
    const path = `variants/${hash}.onnx`;
    files.set(path, models[id]);
    return {
      id,
      target,
      precision: "float32",
      evidence: "none",
      format: "onnx",
      files: [{ path, bytes: models[id].length, sha256: hash }],
      requires: { features: ["simd"] },
      session: {},
      accuracy: null,
      latencyMs: { unmeasured: "a test" },
      tolerance: { absolute: 1e-5, relative: 1e-5 },
    };
  };
  const inputs = [
    { name: "x", type: "float32", dims: ["N", 3] },
    { name: "shift", type: "float32", dims: [3] },
  ] as const;
  const golden = await probeGolden(
    [goldenInputs(inputs, 5, { x: { dims: [2, 3] } })],
    new Map(["cpu", "wasm", "spare"].map((id) => [id, affine])),
  );
  const goldenBytes = new TextEncoder().encode(bundleJson(golden));
  const manifest: Manifest = {
    formatVersion: 1,
    name: "affine",
    identity: "0".repeat(64),
    createdBy: "a test",
    inputs,
    outputs: [{ name: "y", type: "float32", dims: ["N", 3] }],
    variants: [variant("cpu", "cpu"), variant("wasm", "wasm"), variant("spare", "wasm")],
    golden: { path: "golden.json", bytes: goldenBytes.length, sha256: sha256Sync(goldenBytes) },
    source: { bytes: 1, sha256: "0".repeat(64), parameters: 1, macs: null },
    baselines: [],
  };
  files.set("golden.json", goldenBytes);
  files.set("manifest.json", new TextEncoder().encode(bundleJson(manifest)));
  return { manifest, golden, files };
}

export async function writeFiles(
  folder: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  await mkdir(join(folder, "variants"), { recursive: true });
  for (const [path, bytes] of files) await writeFile(join(folder, path), bytes);
}
