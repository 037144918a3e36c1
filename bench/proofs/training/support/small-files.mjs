// What pruning and teaching make of two fixtures, by the verbs as a user would type them, and what the files are worth. In a
// folder that is kept, what is there is not made again.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pare } from "../../shell.mjs";

export const targets = ["cpu", "wasm"];

const cutAndTaught = (keep, epochs) => [
  ..."prune FLOAT --data DATA --reconstruct --rate 0.002".split(" "),
  "--keep-flops",
  `${keep}`,
  "--recover",
  `${epochs}`,
];

/** FLOAT, DATA and the names of files before stand for paths. */
export const models = [
  {
    name: "mnist-cnn",
    title: "digits",
    data: "mnist-training",
    files: [
      { name: "rounded", what: "int8 weights", args: "quantize FLOAT --mode weights".split(" ") },
      { name: "pruned", what: "pruned to 0.3, taught again", args: cutAndTaught(0.3, 4) },
      {
        name: "pruned-rounded",
        what: "that, int8 weights",
        args: "quantize pruned --mode weights".split(" "),
      },
      {
        name: "distilled",
        what: "half of its channels, distilled",
        args: "distill --teacher FLOAT --student width=0.5 --data DATA --epochs 4 --rate 0.002".split(
          " ",
        ),
      },
    ],
  },
  {
    name: "ocr-direction",
    title: "text direction",
    data: "ocr-direction-training",
    shape: "x=1x3x48x192",
    files: [
      { name: "rounded", what: "int8 weights", args: "quantize FLOAT --mode weights".split(" ") },
      { name: "pruned", what: "pruned to 0.6, taught again", args: cutAndTaught(0.6, 4) },
      {
        name: "pruned-rounded",
        what: "that, int8 weights",
        args: "quantize pruned --mode weights".split(" "),
      },
    ],
  },
];

/** Makes the files of a model in a folder. @returns their paths, the float model first */
export async function makeFiles(root, folder, model) {
  const paths = pathsOf(root, folder, model);
  for (const { name, args } of model.files) {
    const out = paths.get(name);
    if (existsSync(out)) continue;
    const typed = args.map((arg) => paths.get(arg) ?? arg);
    await succeed(root, [...typed, "-o", out]);
  }
  return ["FLOAT", ...model.files.map(({ name }) => name)].map((name) => paths.get(name));
}

function pathsOf(root, folder, { name, data, files }) {
  return new Map([
    ["FLOAT", join(root, `fixtures/models/${name}.onnx`)],
    ["DATA", join(root, `fixtures/data/${data}.mjs`)],
    ...files.map((file) => [file.name, join(folder, `${name}.${file.name}.onnx`)]),
  ]);
}

/** How right they are of the test samples, paired with the float model, and how large: times of this run say nothing. */
export function accuracies(root, folder, model) {
  const data = pathsOf(root, folder, model).get("DATA");
  const shape = model.shape ? ["--shape", model.shape] : [];
  return benched(root, folder, model, "accuracy", ["--data", data, "--target", "cpu", ...shape]);
}

/** Interleaved with the float model on one target, without data. */
export function latencies(root, folder, model, target) {
  const shape = model.shape ? ["--shape", model.shape] : [];
  return benched(root, folder, model, target, ["--target", target, ...shape]);
}

async function benched(root, folder, model, what, options) {
  const files = await makeFiles(root, folder, model);
  return kept(join(folder, `${model.name}.${what}.json`), async () => {
    const { stdout } = await succeed(root, ["bench", ...files, "--json", ...options]);
    return JSON.parse(stdout);
  });
}

async function kept(file, make) {
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8"));
  const made = await make();
  writeFileSync(file, JSON.stringify(made));
  return made;
}

async function succeed(root, args) {
  const done = await pare(root, args, { echo: true });
  if (done.code !== 0) throw new Error(`${args[0]}: exit ${done.code}: ${done.stderr.slice(-400)}`);
  return done;
}
