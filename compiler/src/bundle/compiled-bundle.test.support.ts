import type { Golden, ValueInfo } from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import { aot } from "../targets/aot.js";
import { bundleFiles } from "./bundle-files.js";

/** The files of a bundle with a compiled model alone, as it is measured nowhere. */
export async function compiledBundle(
  name: string,
  graph: Graph,
  inputs: readonly ValueInfo[],
  outputs: readonly ValueInfo[],
  cases: Golden["cases"],
): Promise<Map<string, Uint8Array>> {
  return bundleFiles({
    name,
    createdBy: "a test",
    inputs,
    outputs,
    variants: [
      {
        id: "aot-float",
        target: "aot",
        precision: "float32",
        evidence: "none",
        accuracy: null,
        latencyMs: { unmeasured: "a test" },
        tolerance: { absolute: 0, relative: 0 },
        artifact: await aot.emit(graph, {}, {}),
      },
    ],
    golden: { formatVersion: 1, cases },
    source: { bytes: 1, sha256: "0".repeat(64), parameters: 0, macs: null },
    baselines: [],
  });
}
