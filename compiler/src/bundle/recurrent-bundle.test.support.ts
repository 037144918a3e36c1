import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { bundleFiles, type BundleVariant } from "./bundle-files.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { aot } from "../targets/aot.js";
import { cpu } from "../targets/cpu.js";

/** What is added in each step of `recurrentBundle`: y = s + x, and sN = y is the s of the next step. */
export const length = 8;

/**
 * The files of a bundle with a model that has a state, compiled and as ONNX.
 * @param others sizes that it is compiled for besides
 */
export async function recurrentBundle(
  others: readonly number[] = [],
): Promise<Map<string, Uint8Array>> {
  const size = others.length === 0 ? length : "W";
  const graph = graphOf({ x: ["float32", 1, size], s: ["float32", 1, size] }, (input, b) => {
    const y = b.add("Add", [input("x"), input("s")]);
    return { y, sN: b.add("Add", [y, b.floats([0])]) };
  });
  const variants = [aot, cpu].map(async (target): Promise<BundleVariant> => ({
    id: `${target.name}-float`,
    target: target.name,
    precision: "float32",
    evidence: "none",
    accuracy: null,
    latencyMs: { unmeasured: "a test" },
    tolerance: { absolute: 0, relative: 0 },
    artifact: await target.emit(graph, {}, others.length === 0 ? {} : { W: [length, ...others] }),
  }));
  const value = (name: string) => ({ name, type: "float32", dims: [1, length] }) as const;
  const ones = Array.from({ length }, () => 1);
  return bundleFiles({
    name: "running-sum",
    createdBy: "a test",
    inputs: [value("x"), value("s")],
    outputs: [value("y"), value("sN")],
    variants: await Promise.all(variants),
    golden: {
      formatVersion: 1,
      cases: [
        {
          inputs: ["x", "s"].map((name) => ({
            ...value(name),
            generator: "splitmix32",
            seed: 1,
            range: [0, 1],
            values: ones,
          })),
          outputs: [
            { ...value("y"), indices: [0], values: { "aot-float": [2], "cpu-float": [2] } },
          ],
        },
      ],
    },
    source: { bytes: 1, sha256: "0".repeat(64), parameters: 0, macs: null },
    baselines: [],
  });
}

export async function writeBundle(
  folder: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
}
