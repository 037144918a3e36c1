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
 * Compiles an ONNX file, or a model.json of TensorFlow.js, to a bundle, in whatever runs this.
 * @param files by name: the model's, and those with weights that lie beside it
 * @param fixed `{ shapes: { x: [1, 3, 48, 192] }, dims: { length: 64 }, constants: { sr: 16000 } }`: what it leaves open
 * @returns `{ operators, reasons }`, and `{ files, sizes }` where there are no reasons against it
 */
export async function compile(name, files, fixed = {}) {
  const sources = new Map([...files].map(([file, bytes]) => [file, byteSource(bytes)]));
  const graph = await importModel({ name, main: sources.get(name), beside: sources });
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
  const bundle = await bundleFiles({
    name: name.replace(/\.\w+$/, ""),
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
      bytes: sizeOf(files.values()),
      sha256: await sha256(files.get(name)),
      parameters: countParameters(graph),
      macs: countMacs(graph),
    },
    baselines: [],
  });
  const sizes = {
    before: sizeOf(files.values()),
    after: sizeOf(artifact.files.map(({ bytes }) => bytes)),
  };
  return { operators, assumption, reasons: [], files: bundle, sizes };
}

function sizeOf(parts) {
  return [...parts].reduce((total, { length }) => total + length, 0);
}

function countOperators(graph) {
  const counts = new Map();
  for (const { op } of graph.allNodes()) counts.set(op, (counts.get(op) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}
