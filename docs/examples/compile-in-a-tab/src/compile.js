import {
  bundleFiles,
  countMacs,
  countParameters,
  findPass,
  findTarget,
  importModel,
  supportOf,
} from "@pare/compiler";
import { aot } from "@pare/runtime/aot";
import { byteSource, goldenInputs, probeGolden, sha256 } from "@pare/runtime/format";

/**
 * Compiles an ONNX file to a bundle, in whatever runs this.
 * @param fixed `{ shapes: { x: [1, 3, 48, 192] }, dims: { length: 64 }, constants: { sr: 16000 } }`: what it leaves open
 * @returns `{ operators, reasons }`, and `{ files, bytes }` where there are no reasons against it
 */
export async function compile(name, bytes, fixed = {}) {
  const graph = await importModel({ name, main: byteSource(bytes), beside: new Map() });
  const bind = findPass("bind-shapes");
  await bind.create(bind.parse(fixed)).run(graph, {});
  const target = findTarget("aot");
  const operators = countOperators(graph);
  const { obstacles, assumption } = await supportOf(graph, target);
  if (obstacles.length > 0) return { operators, reasons: obstacles };

  const artifact = await target.emit(graph, {});
  // It is given to nobody before it was loaded and run: what it says then is what others check it by.
  const session = await aot().load(artifact);
  const { inputs, outputs } = session;
  const golden = await probeGolden(
    [goldenInputs(inputs, 1)],
    new Map([["aot-float32", (feeds) => session.run(feeds)]]),
  );
  await session.dispose();
  const files = await bundleFiles({
    name: name.replace(/\.onnx$/, ""),
    createdBy: "pare in a tab",
    inputs,
    outputs,
    variants: [
      {
        id: "aot-float32",
        target: "aot",
        precision: "float32",
        evidence: "none",
        artifact,
        accuracy: null,
        latencyMs: { unmeasured: "It was compiled in a browser's tab, and not timed." },
        tolerance: { absolute: 1e-4, relative: 1e-4 },
      },
    ],
    golden,
    source: {
      bytes: bytes.length,
      sha256: await sha256(bytes),
      parameters: countParameters(graph),
      macs: countMacs(graph),
    },
    baselines: [],
  });
  const sum = artifact.files.reduce((total, file) => total + file.bytes.length, 0);
  return { operators, assumption, reasons: [], files, bytes: sum };
}

function countOperators(graph) {
  const counts = new Map();
  for (const { op } of graph.allNodes()) counts.set(op, (counts.get(op) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}
