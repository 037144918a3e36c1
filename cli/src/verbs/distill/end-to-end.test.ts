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

// What was built, and the process that it trains in; as it is installed where that matters: the first, and what is
// interrupted.

const fixture = (path: string): string =>
  fileURLToPath(new URL(`../../../../fixtures/${path}`, import.meta.url));
const teacher = fixture("models/mnist-cnn.onnx");
const digits = fixture("data/mnist.mjs");

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-distill-"));
  await writeFile(join(folder, "student.onnx"), await student());
  await writeFile(join(folder, "few-digits.mjs"), fewDigits);
});
afterAll(() => rm(folder, { recursive: true }));

const lines = new CommandLines(() => folder);
afterAll(() => lines.dispose());

/** All of the digits to learn from, and of the others every twentieth. */
const fewDigits = `
import { samples as all, splits as allSplits } from ${JSON.stringify(pathToFileURL(digits).href)};
const few = (ids) => ids.filter((_, index) => index % 20 === 0);
const { calibration, validation, test } = allSplits;
export const splits = { calibration, validation: few(validation), test: few(test) };
const wanted = new Set(Object.values(splits).flat());
export async function* samples() {
  for await (const sample of all()) if (wanted.has(sample.id)) yield sample;
}
`;

/** A convolution of six channels with a stride, and a layer of classes; nobody has trained it. */
async function student(input = "x"): Promise<Uint8Array> {
  const graph = build(newHeader(17), inferNode, (editor) => {
    const zeros = (name: string, ...dims: readonly number[]) =>
      editor.constant(
        name,
        Tensor.float32(dims, new Float32Array(dims.reduce((a, b) => a * b, 1))),
      );
    const x = editor.addInput(input, tensorType("float32", [dim.symbol("batch"), 1, 28, 28]));
    const conv = editor.add1("Conv", [x, zeros("conv.w", 6, 1, 5, 5), zeros("conv.b", 6)], {
      kernel_shape: attribute.ints([5, 5]),
      strides: attribute.ints([3, 3]),
    });
    const flat = editor.add1("Flatten", [editor.add1("Relu", [conv])]);
    const scores = editor.add1("Gemm", [flat, zeros("head.w", 384, 10), zeros("head.b", 10)]);
    editor.rename(scores, "scores");
    editor.addOutput(scores);
  });
  initializeFresh(graph, (name) => randomOf(1, name));
  return (await encodeModel(graph)).proto;
}

function distill(args: readonly string[]): Promise<Ended> {
  return lines.run(["distill", ...args]);
}

/** @param interruptAt what it says when it gets a Ctrl-C */
function distillInstalled(args: readonly string[], interruptAt?: RegExp): Promise<Ended> {
  return installed(["distill", ...args], { cwd: folder, ...(interruptAt && { interruptAt }) });
}

const taught = ["student.onnx", "--teacher", teacher, "--rate", "0.005", "--data"];
const common = [...taught, "few-digits.mjs"];

it("teaches a tiny student, and says how right all three are on the test samples", async () => {
  const { code, stdout, stderr } = await distillInstalled([
    ...taught,
    digits,
    "--epochs",
    "20",
    "--json",
  ]);
  expect(stderr).toContain("It learns from the calibration split's 200 samples");
  expect(stderr).toContain("Epoch 20 of 20: loss");
  expect(code).toBe(0);
  const { file, accuracy, training } = JSON.parse(stdout);
  expect(file).toBe("student.distilled.onnx");
  await access(join(folder, file));
  expect(training.epochs).toHaveLength(20);
  expect(accuracy.teacher.value).toBeGreaterThan(0.95);
  expect(accuracy.before.value).toBeLessThan(0.3);
  expect(accuracy.after).toMatchObject({ metric: "top1", n: 2004 });
  expect(accuracy.after.value).toBeGreaterThan(0.75);
});

it("takes the only input of each for the same, whatever either is called", async () => {
  await writeFile(join(folder, "pictures.onnx"), await student("image"));
  const renamed = "{ ...sample, feeds: { image: sample.feeds.x } }";
  await writeFile(
    join(folder, "pictures.mjs"),
    someSamples(pathToFileURL(digits).href, 20, renamed),
  );
  const args = ["pictures.onnx", "--teacher", teacher, "--data", "pictures.mjs", "--epochs", "1"];
  const { code, stdout } = await distill([...args, "--json"]);
  expect(code).toBe(0);
  const { accuracy } = JSON.parse(stdout);
  expect(accuracy.teacher).toMatchObject({ metric: "top1", n: 101 });
  expect(accuracy.teacher.value).toBeGreaterThan(0.9);
});

it("says that teacher and student have to take the same samples", async () => {
  const half = build(newHeader(17), inferNode, (editor) => {
    const x = editor.addInput("x", tensorType("float16", [1, 1, 28, 28]));
    const y = editor.add1("Flatten", [x]);
    editor.addOutput(y);
  });
  await writeFile(join(folder, "halves.onnx"), (await encodeModel(half)).proto);
  const { code, stderr } = await distill(["halves.onnx", "--teacher", teacher, "--data", digits]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/"x" is float32 .* for the teacher and float16 .* for the student/);
});

it("leaves a checkpoint at Ctrl-C, goes on from it, and gives the bytes of a run without one", async () => {
  // Of so many, that the command hears of the interrupt before the last.
  const long = [...common, "--epochs", "30"];
  const whole = await distill([...long, "-o", "whole.onnx"]);
  expect(whole.code).toBe(0);
  const stopped = await distillInstalled([...long, "-o", "half.onnx"], /Epoch 2 of 30/);
  expect(stopped.code).toBe(130);
  const left = "half.onnx.checkpoint.safetensors";
  expect(stopped.stderr).toContain(`--checkpoint ${left} goes on.`);
  await expect(access(join(folder, "half.onnx"))).rejects.toThrow("ENOENT");
  const other = await distill([...common, "--epochs", "31", "--checkpoint", left]);
  expect(other.code).toBe(2);
  expect(other.stderr).toContain('epochs was "30", and is "31"');
  expect(other.stderr).toContain(`where: ${left}`);
  const second = await distill([...long, "-o", "half.onnx", "--checkpoint", left]);
  expect(second.stderr).toContain(`Going on from ${left}.`);
  expect(second.code).toBe(0);
  const [a, b] = await Promise.all(
    ["whole.onnx", "half.onnx"].map((name) => readFile(join(folder, name))),
  );
  expect(a?.equals(b ?? Buffer.of())).toBe(true);
  await expect(access(join(folder, left))).rejects.toThrow("ENOENT");
});

it("learns with two workers what it learns with one, and leaves a checkpoint at Ctrl-C", async () => {
  const short = [...common, "--epochs", "3", "--json"];
  const losses = async (...more: readonly string[]): Promise<readonly number[]> => {
    const { code, stdout, stderr } = await distill([...short, ...more, "-o", "shared.onnx"]);
    expect(code).toBe(0);
    expect(stderr.includes("2 workers share each batch of 32")).toBe(more.includes("2"));
    return JSON.parse(stdout).training.epochs.map(({ loss }: { loss: number }) => loss);
  };
  const [one, two] = [await losses("--workers", "1"), await losses("--workers", "2")];
  expect(one).toHaveLength(3);
  for (const [at, loss] of one.entries()) expect(two[at]).toBeCloseTo(loss, 3);
  const long = [...common, "--epochs", "60", "--workers", "2", "-o", "shared.onnx"];
  const stopped = await distillInstalled(long, /Epoch 2 of 60/);
  expect(stopped.code).toBe(130);
  const left = "shared.onnx.checkpoint.safetensors";
  expect(stopped.stderr).toContain(`--checkpoint ${left} goes on.`);
  const other = await distill([
    ...common,
    "--epochs",
    "60",
    "--workers",
    "1",
    "--checkpoint",
    left,
  ]);
  expect(other.stderr).toContain('workers was "2", and is "1"');
});

it("keeps the last good checkpoint where numbers are no longer finite", async () => {
  // A step an epoch: the first leaves weights that are far out, the second's loss is not finite.
  const far = ["--rate", "1e30", "--batch", "200", "--epochs", "5", "-o", "far.onnx"];
  const { code, stderr } = await distill([...common, ...far]);
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /Training stopped after \d+ steps: .*The first tensor that is not is ".+"/,
  );
  expect(stderr).toContain("What was learned is in far.onnx.checkpoint.safetensors");
});

it("teaches a model whose weights lie in branches, of which a constant leaves one", async () => {
  const voice = `let state = 1;
const noise = () => ((state = (state * 1103515245 + 12345) % 2147483648) / 2147483648) - 0.5;
const array = (count) => Float32Array.from({ length: count }, noise);
export function* samples() {
  for (let index = 0; index < 12; index += 1)
    yield {
      feeds: {
        input: { type: "float32", dims: [1, 576], data: array(576) },
        state: { type: "float32", dims: [2, 1, 128], data: array(256) },
      },
    };
}
`;
  await writeFile(join(folder, "voice.mjs"), voice);
  const vad = fixture("models/silero-vad-v5.onnx");
  const sizes = ["--const", "sr=16000", "--shape", "input=1x576"];
  const args = ["distill", "--teacher", vad, "--student", "width=0.5", "--data", "voice.mjs"];
  const run = await lines.run([...args, ...sizes, "--epochs", "1", "--batch", "4", "-o", "v.onnx"]);
  expect(run).toMatchObject({ code: 0 });
  expect(run.stderr).toContain(
    "The model takes one sample at a time: a batch of 4 is as many runs.",
  );
});

it.each<[string, readonly string[], RegExp]>([
  ["no student", ["--data", digits], /There is no student/],
  ["two students", ["student.onnx", "--student", teacher, "--data", digits], /two students/],
  [
    "names of weights with spaces",
    [...common, "--freeze", "conv.*", "head.*"],
    /behind a space cannot be told from a student: student\.onnx head\.\*\.[^]*commas/,
  ],
  [
    "a name of weights in the place of the student",
    ["--freeze", "conv.*", "head.*", "--teacher", teacher, "--data", digits],
    /behind a space cannot be told from a student: head\.\*\./,
  ],
  ["no data", ["student.onnx"], /distill learns from samples, and there are none/],
  ["an alpha above 1", [...common, "--alpha", "2"], /--alpha is "2", but must be from 0 to 1/],
  [
    "a rate that is far too high",
    [...common, "--rate", "1e30"],
    /Training stopped after \d+ steps/,
  ],
])("says what is wrong: %s", async (_, args, message) => {
  const { code, stderr } = await distill(args);
  expect(stderr).toMatch(message);
  expect(code).toBe(2);
});
