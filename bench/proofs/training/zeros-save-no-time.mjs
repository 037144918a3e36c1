// Why pruning takes whole channels: weights that are zero one by one, or two of each four, take the engines as long as any
// others. What they save of the compressed download stands beside what 8 bits save.
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { edit, encodeModel, importModel, Tensor } from "../../../compiler/dist/index.js";
import { byteSource } from "../../../runtime/dist/format/index.js";
import { pare, scratch } from "../shell.mjs";

const models = [
  { name: "mnist-cnn", called: "digits", data: "mnist", options: [] },
  {
    name: "ocr-direction",
    called: "text direction",
    data: "ocr-direction",
    options: ["--shape", "x=1x3x48x192"],
  },
];

/** Which weights of a tensor, flat, become zero. */
const ways = {
  "nine of ten": (values) => {
    const sizes = values.map(Math.abs).sort();
    const least = sizes[Math.floor(0.9 * sizes.length)];
    return values.map((value) => (Math.abs(value) < least ? 0 : value));
  },
  "two of each four": (values) =>
    values.map((value, at) => {
      const four = values.subarray(at - (at % 4), at - (at % 4) + 4);
      const larger = four.filter(
        (other, index) =>
          Math.abs(other) > Math.abs(value) ||
          (Math.abs(other) === Math.abs(value) && index < at % 4),
      );
      return larger.length < 2 ? value : 0;
    }),
};

export async function prove({ claim, inform, root }) {
  await scratch(async (folder) => {
    for (const model of models) await proveOf({ claim, inform, root, folder }, model);
  });
}

async function proveOf({ claim, inform, root, folder }, { name, called, data, options }) {
  // Constants are found as such in what is simplified.
  const float = join(folder, `${name}.onnx`);
  await succeed(root, ["simplify", join(root, `fixtures/models/${name}.onnx`), "-o", float]);
  const files = [];
  for (const [way, zeroed] of Object.entries(ways)) {
    const file = join(folder, `${name}-${way.replaceAll(" ", "-")}.onnx`);
    writeFileSync(file, await withZeros(float, zeroed));
    files.push(file);
  }
  const rounded = join(folder, `${name}-int8.onnx`);
  await succeed(root, ["quantize", float, "--mode", "weights", "-o", rounded]);
  const { stdout } = await succeed(root, [
    ..."bench --json --target cpu,wasm --data".split(" "),
    join(root, `fixtures/data/${data}.mjs`),
    ...options,
    float,
    ...files,
    rounded,
  ]);
  const { variants } = JSON.parse(stdout);
  const of = (target, file) =>
    variants.find((one) => one.target === target && basename(one.name) === basename(file));
  const share = (variant) => variant.sizeBytes.brotli / variant.baseline.sizeBytes.brotli;
  const small = of("cpu", rounded);
  for (const [at, way] of Object.keys(ways).entries()) {
    for (const target of ["cpu", "wasm"]) {
      const { latencyMs } = of(target, files[at]);
      const [low] = latencyMs.ratioInterval;
      claim(`${called}, ${way} weights zero: time on ${target}, over that with none`, {
        value: latencyMs.ratio,
        bound: ">= 0.9",
        n: latencyMs.n,
        interval: latencyMs.ratioInterval,
        met: low >= 0.9,
      });
    }
    const sparse = of("cpu", files[at]);
    inform(`${called}, ${way} weights zero: compressed download, over that with none`, {
      value: share(sparse),
      n: 1,
      note: `int8 weights: ${share(small).toFixed(3)}; accuracy, untaught, ${rate(sparse)}, of int8 weights ${rate(small)}, of the float model ${sparse.baseline.accuracy?.value.toFixed(4) ?? "as labelled"}`,
    });
  }
}

const rate = ({ accuracy }) => accuracy.value.toFixed(4);

async function withZeros(file, zeroed) {
  const bytes = new Uint8Array(readFileSync(file));
  const graph = await importModel({
    name: basename(file),
    main: byteSource(bytes),
    beside: new Map(),
  });
  const weights = new Map();
  for (const { op, inputs } of graph.order()) {
    const tensor = graph.constant(inputs[1]);
    if (!["Conv", "Gemm", "MatMul"].includes(op) || tensor?.dtype !== "float32") continue;
    weights.set(inputs[1], tensor);
  }
  if (weights.size === 0) throw new Error(`${file}: no weights were found.`);
  const changed = [];
  for (const [id, tensor] of weights)
    changed.push([id, Tensor.float32(tensor.dims, zeroed(await tensor.readFloat32()))]);
  edit(graph, "zeros", (editor) => {
    for (const [id, tensor] of changed) editor.setConstant(id, tensor);
  });
  return (await encodeModel(graph)).proto;
}

async function succeed(root, args) {
  const done = await pare(root, args);
  if (done.code !== 0) throw new Error(`${args[0]}: exit ${done.code}: ${done.stderr.slice(-400)}`);
  return done;
}
