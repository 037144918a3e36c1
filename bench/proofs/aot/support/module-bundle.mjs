import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { bundleFiles } from "../../../../compiler/dist/index.js";
import { downloadedFiles } from "../../../../runtime/dist/format/index.js";
import { asModule, inputsOf } from "./compiled.mjs";

/** Writes a graph's module as a bundle whose golden check nobody runs: for its loader. Gives what a download of it is. */
export async function writeModuleBundle(graph, folder) {
  const artifact = await asModule(graph);
  const outputs = graph.main.outputs.map((id) => {
    const { name, type } = graph.value(id);
    return { name, type: type.dtype, dims: (type.shape ?? []).map((size) => Number(size) || null) };
  });
  const files = await bundleFiles({
    name: "module",
    createdBy: "a proof",
    inputs: inputsOf(graph),
    outputs,
    variants: [
      {
        id: "aot-float",
        target: "aot",
        precision: "float32",
        evidence: "none",
        accuracy: null,
        latencyMs: { unmeasured: "a proof" },
        tolerance: { absolute: 0, relative: 0 },
        artifact,
      },
    ],
    golden: { formatVersion: 1, cases: [] },
    source: { bytes: 0, sha256: "0".repeat(64), parameters: 0, macs: null },
    baselines: [],
  });
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  const { variants } = JSON.parse(new TextDecoder().decode(files.get("manifest.json")));
  const downloaded = variants.flatMap((variant) => downloadedFiles(variant, ({ path }) => path));
  return ["aot-loader.js", ...downloaded.map(({ path }) => path)];
}
