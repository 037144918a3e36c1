import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  attribute,
  build,
  dim,
  encodeModel,
  inferNode,
  initializeFresh,
  newHeader,
  randomOf,
  Tensor,
  tensorType,
} from "@pare/compiler";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CommandLines, type Ended } from "../../command-lines.test.support.js";
import { installed } from "../../installed.test.support.js";
import { someSamples } from "../../some-samples.test.support.js";

// What was built, with the process that it trains in; as it is installed where that matters: the first, and what is
// interrupted. What the verb does without --recover is in main.test.ts.

const fixture = (path: string): string =>
  fileURLToPath(new URL(`../../../../fixtures/${path}`, import.meta.url));
const mnist = fixture("models/mnist-cnn.onnx");
const digits = pathToFileURL(fixture("data/mnist-training.mjs")).href;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-recover-"));
  await writeFile(join(folder, "digits.mjs"), someSamples(digits, 4));
  await writeFile(join(folder, "few-digits.mjs"), someSamples(digits, 24));
  await writeFile(
    join(folder, "unlabelled.mjs"),
    someSamples(digits, 4, "{ ...sample, label: undefined }"),
  );
  const learned = "new Set(splits.training).has(sample.id) ? undefined : sample.label";
  await writeFile(
    join(folder, "found.mjs"),
    someSamples(digits, 12, `{ ...sample, label: ${learned} }`),
  );
});
afterAll(() => rm(folder, { recursive: true }));

const lines = new CommandLines(() => folder);
afterAll(() => lines.dispose());

function prune(model: string, options: string): Promise<Ended> {
  return lines.run(["prune", model, ...options.split(" ")]);
}

/** @param interruptAt what it says when it gets a Ctrl-C */
function pruneInstalled(model: string, options: string, interruptAt?: RegExp): Promise<Ended> {
  return installed(["prune", model, ...options.split(" ")], {
    cwd: folder,
    ...(interruptAt && { interruptAt }),
  });
}

it("cuts, teaches what is left, and says how right it is as it came, cut and recovered", async () => {
  const { code, stdout, stderr } = await pruneInstalled(
    mnist,
    "--keep-flops 0.3 --no-reconstruct --recover 2 --data digits.mjs --rate 0.002 -o less.onnx --json",
  );
  expect(stderr).toContain("It learns from 1899 samples");
  expect(stderr).toMatch(/In all it will take up to [^]*Epoch 2 of 2: loss/);
  expect(code).toBe(0);
  const { accuracy, training, work, journal, before, after } = JSON.parse(stdout);
  await access(join(folder, "less.onnx"));
  expect(accuracy.before).toMatchObject({ metric: "top1", n: 501 });
  expect(accuracy.before.value).toBeGreaterThan(0.97);
  expect(accuracy.cut.value).toBeLessThan(0.9);
  expect(accuracy.recovered.value).toBeGreaterThan(0.93);
  expect(training.epochs).toHaveLength(2);
  expect(work.after.macs).toBeLessThanOrEqual(0.3 * work.before.macs);
  expect(after.sizeBytes).toBeLessThan(before.sizeBytes);
  expect(before.opset).toBe(17);
  expect(journal).toContainEqual(
    expect.objectContaining({ rule: "prune", what: "changed", op: "Conv" }),
  );
});

it("learns from the model as it came alone where there are no labels", async () => {
  const { code, stdout, stderr } = await prune(
    mnist,
    "--keep-flops 0.4 --importance activation --recover 1 --data unlabelled.mjs -o unlabelled.onnx",
  );
  expect(stderr).toContain("have no labels: the teacher's answers alone are learned");
  expect(code).toBe(0);
  const [, cut, recovered] =
    /top1-agreement on 501 test samples: 1 as it came, ([\d.]+) cut, ([\d.]+) \([\d.]+ to [\d.]+\) recovered\.\n/.exec(
      stdout,
    ) ?? [];
  expect(Number(recovered)).toBeGreaterThan(Number(cut));
  expect(stdout).toMatch(/\nMultiply-accumulates .* → .*\nLeft Gemm: its channels must stay/);
});

it("fits what is left to samples before it learns, and tests by labels where only what is learned from has none", async () => {
  const { code, stdout, stderr } = await prune(
    mnist,
    "--keep-flops 0.4 --reconstruct --recover 1 --data found.mjs -o found.onnx --json",
  );
  expect(stderr).toContain("have no labels: the teacher's answers alone are learned");
  expect(code).toBe(0);
  const { accuracy, journal } = JSON.parse(stdout);
  expect(accuracy.recovered).toMatchObject({ metric: "top1", n: 167 });
  expect(accuracy.cut.value).toBeGreaterThan(0.9);
  expect(accuracy.recovered.value).toBeGreaterThan(0.93);
  expect(journal).toContainEqual(
    expect.objectContaining({ reason: expect.stringContaining("weights fitted to what it gave") }),
  );
});

it("fits what is left to the samples and tests it where nothing is to be taught", async () => {
  const common = "--keep-flops 0.4 --data digits.mjs";
  const [fitted, plain] = await Promise.all(
    ["-o fitted.onnx --json", "--no-reconstruct -o plain.onnx"].map((rest) =>
      prune(mnist, `${common} ${rest}`),
    ),
  );
  expect([fitted?.code, plain?.code]).toEqual([0, 0]);
  const { accuracy, journal } = JSON.parse(fitted?.stdout ?? "");
  expect(accuracy.before).toMatchObject({ metric: "top1", n: 501 });
  expect(journal).toContainEqual(
    expect.objectContaining({ reason: expect.stringContaining("weights fitted to what it gave") }),
  );
  const [, cut] =
    /^top1 on 501 test samples: 0\.\d+ as it came, ([\d.]+) \([\d.]+ to [\d.]+\) cut\.\nWrote [^]*\n--recover 3 teaches it again\.\n$/.exec(
      plain?.stdout ?? "",
    ) ?? [];
  expect(accuracy.cut.value).toBeGreaterThan(Number(cut));
});

/** A convolution with a batch norm, and a layer of classes; nobody has trained it. */
async function normalized(): Promise<Uint8Array> {
  const graph = build(newHeader(17), inferNode, (editor) => {
    const filled = (name: string, value: number, ...dims: readonly number[]) => {
      const data = new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(value);
      return editor.constant(name, Tensor.float32(dims, data));
    };
    const x = editor.addInput("x", tensorType("float32", [dim.symbol("batch"), 1, 28, 28]));
    const conv = editor.add1("Conv", [x, filled("conv.w", 0, 16, 1, 5, 5)], {
      kernel_shape: attribute.ints([5, 5]),
      strides: attribute.ints([3, 3]),
    });
    const norm = editor.add1("BatchNormalization", [
      conv,
      ...[1, 0, 0, 1].map((value, index) => filled(`norm.${index}`, value, 16)),
    ]);
    const flat = editor.add1("Flatten", [editor.add1("Relu", [norm])]);
    const head = [filled("head.w", 0, 1024, 10), filled("head.b", 0, 10)];
    const scores = editor.add1("Gemm", [flat, ...head]);
    editor.rename(scores, "scores");
    editor.addOutput(scores);
  });
  initializeFresh(graph, (name) => randomOf(1, name));
  return (await encodeModel(graph)).proto;
}

it("goes by the scales of batch norms, teaches, and folds them into what is written", async () => {
  await writeFile(join(folder, "normalized.onnx"), await normalized());
  const { code, stdout } = await prune(
    "normalized.onnx",
    "--keep-flops 0.5 --importance batch-norm --recover 1 --data digits.mjs --json",
  );
  expect(code).toBe(0);
  const { accuracy, file, before, after } = JSON.parse(stdout);
  expect(file).toBe("normalized.pruned.onnx");
  expect(before.nodes - after.nodes).toBe(1);
  expect(accuracy.recovered.value).toBeGreaterThan(accuracy.before.value + 0.1);
});

/** Three convolutions that take far more than what a run takes besides. */
async function wide(): Promise<Uint8Array> {
  const graph = build(newHeader(17), inferNode, (editor) => {
    let value = editor.addInput("x", tensorType("float32", [1, 3, 48, 48]));
    for (const [inputs, outputs] of [
      [3, 64],
      [64, 64],
      [64, 8],
    ] as const) {
      const weights = new Float32Array(outputs * inputs * 9);
      const constant = editor.constant("w", Tensor.float32([outputs, inputs, 3, 3], weights));
      value = editor.add1("Conv", [value, constant], { kernel_shape: attribute.ints([3, 3]) });
    }
    editor.rename(value, "y");
    editor.addOutput(value);
  });
  initializeFresh(graph, (name) => randomOf(2, name));
  return (await encodeModel(graph)).proto;
}

it("cuts as much as a latency asks for, timed on the engine", async () => {
  await writeFile(join(folder, "wide.onnx"), await wide());
  const { code, stdout } = await prune("wide.onnx", "--keep-latency 0.9 --json");
  expect(code).toBe(0);
  const { latency, work } = JSON.parse(stdout);
  const { chosen, tried } = latency;
  expect(latency.target).toBe("cpu");
  expect(chosen.latency.interval[1]).toBeLessThanOrEqual(0.9);
  expect(tried).toContainEqual(chosen);
  expect(work.after.macs).toBeLessThanOrEqual(chosen.keepFlops * work.before.macs);
});

it("leaves a checkpoint at Ctrl-C, and goes on from it to the bytes of a run without one", async () => {
  // Of so many epochs, that the command hears of the interrupt before the last.
  const long = "--keep-flops 0.3 --recover 15 --data few-digits.mjs -o";
  const stopped = await pruneInstalled(mnist, `${long} half.onnx`, /Epoch 1 of 15/);
  expect(stopped.code).toBe(130);
  const left = "half.onnx.checkpoint.safetensors";
  expect(stopped.stderr).toContain(`--checkpoint ${left} goes on.`);
  await expect(access(join(folder, "half.onnx"))).rejects.toThrow("ENOENT");
  const other = await prune(mnist, `${long} other.onnx --keep-flops 0.5 --checkpoint ${left}`);
  expect(other.code).toBe(2);
  expect(other.stderr).toMatch(/has no array "parameter/);
  const second = await prune(mnist, `${long} half.onnx --checkpoint ${left}`);
  expect(second.stderr).toContain(`Going on from ${left}.`);
  expect((await prune(mnist, `${long} whole.onnx`)).code).toBe(0);
  const [a, b] = await Promise.all(
    ["whole.onnx", "half.onnx"].map((name) => readFile(join(folder, name))),
  );
  expect(a?.equals(b ?? Buffer.of())).toBe(true);
  await expect(access(join(folder, left))).rejects.toThrow("ENOENT");
});

it.each<[string, string, RegExp]>([
  ["no data", "--recover 1", /--recover needs --data/],
  ["two wishes", "--keep-latency 0.5 --keep-flops 0.5", /--keep-latency goes with no other share/],
  [
    "a latency, and channels that only samples tell",
    "--keep-latency 0.5 --importance activation --data digits.mjs",
    /--keep-latency and --importance activation do not go together/,
  ],
  ["a latency on no target", "--keep-latency 0.5 --target gpu", /There is no target "gpu"/],
  [
    "a latency on what loads no ONNX file",
    "--keep-latency 0.5 --target aot",
    /--keep-latency is not timed on aot[^]*Name one of cpu, wasm, webgpu/,
  ],
  ["no data to fit to", "--reconstruct", /--reconstruct needs --data/],
  ["no epochs", "--recover 0 --data digits.mjs", /must be a whole number of at least 1/],
  ["a checkpoint and nothing taught", "--checkpoint x", /--checkpoint needs --recover/],
  ["a rate and nothing taught", "--rate 0.1", /--rate needs --recover/],
  ["a teacher's share and nothing taught", "--alpha 0.5", /--alpha needs --recover/],
  ["a mean of no signal", "--recover 1 --data digits.mjs --mean-over m", /--mean-over is of sign/],
  ["an engine and nothing timed", "--target wasm", /--target needs --keep-latency/],
  ["a metric and no data", "--metric top1", /--metric needs --data/],
  ["--preprocess and no data", "--preprocess imagenet", /--preprocess needs --data/],
  [
    "a target that cannot be met, before samples are read",
    "--keep-flops 0.01 --recover 1 --data absent.mjs",
    /keepFlops 0.01 cannot be met: with one unit left of each of 3 groups it still has 0.014/,
  ],
  ["data that is not there", "--recover 1 --data absent.mjs", /absent\.mjs/],
  [
    "a metric that labels do not fit, before anything is taught",
    "--recover 1 --data unlabelled.mjs --metric top1",
    /top1 needs one class per sample/,
  ],
])("says what is wrong: %s", async (_, options, message) => {
  const args = ["prune", mnist, ...options.split(" "), "-o", "wrong.onnx"];
  const { code, stderr } = await lines.run(args);
  expect(stderr).toMatch(message);
  expect(stderr).not.toContain("Epoch 1");
  expect(code).toBe(2);
  await expect(access(join(folder, "wrong.onnx"))).rejects.toThrow("ENOENT");
});
