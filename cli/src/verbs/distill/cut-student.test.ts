import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  attribute,
  build,
  decodeModel,
  dim,
  type Editor,
  encodeModel,
  inferNode,
  initializeFresh,
  newHeader,
  randomOf,
  Tensor,
  tensorType,
  type ValueId,
} from "@pare/compiler";
import { byteSource } from "@pare/runtime/format";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandLines, type Ended } from "../../command-lines.test.support.js";

// Students that are cut from their teacher, through what was built.

const fixture = (path: string): string =>
  fileURLToPath(new URL(`../../../../fixtures/${path}`, import.meta.url));
const digits = fixture("data/mnist.mjs");

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-cut-"));
  await writeFile(join(folder, "teacher.onnx"), await teacher());
  await writeFile(join(folder, "places.mjs"), dataModule);
});
afterAll(() => rm(folder, { recursive: true }));

const zeros = (editor: Editor, name: string, ...dims: readonly number[]): ValueId =>
  editor.constant(
    name,
    Tensor.float32(dims, new Float32Array(dims.reduce((all, size) => all * size, 1))),
  );

/** Four residual layers over places, of which a mask says which count. */
async function teacher(): Promise<Uint8Array> {
  const graph = build(newHeader(17), inferNode, (editor) => {
    const samples = dim.symbol("batch");
    const x = editor.addInput("x", tensorType("float32", [samples, 4, 8]));
    const mask = editor.addInput("mask", tensorType("int64", [samples, 4]));
    const counts = editor.add1("Unsqueeze", [
      editor.add1("Cast", [mask], { to: attribute.int(1) }),
      editor.constant("axis", Tensor.int64([2])),
    ]);
    let value = editor.add1("Mul", [x, counts]);
    for (const layer of [0, 1, 2, 3]) {
      const product = (of: ValueId, inputs: number, outputs: number, which: string): ValueId =>
        editor.add1("Add", [
          editor.add1("MatMul", [of, zeros(editor, `${layer}.${which}.w`, inputs, outputs)]),
          zeros(editor, `${layer}.${which}.b`, outputs),
        ]);
      const inner = editor.add1("Relu", [product(value, 8, 12, "up")]);
      value = editor.add1("Add", [value, product(inner, 12, 8, "down")]);
    }
    editor.rename(value, "y");
    editor.addOutput(value);
  });
  initializeFresh(graph, (name) => randomOf(1, name));
  return (await encodeModel(graph)).proto;
}

const dataModule = `
const ids = (part, count) => Array.from({ length: count }, (_, at) => part + at);
export const splits = {
  training: ids("training", 96),
  calibration: ids("calibration", 8),
  validation: ids("validation", 8),
  test: ids("test", 32),
};
export function* samples() {
  let state = 1;
  const draw = () => (state = (state * 48271) % 2147483647) / 2147483647 - 0.5;
  for (const id of Object.values(splits).flat()) {
    const x = { type: "float32", dims: [1, 4, 8], data: Float32Array.from({ length: 32 }, draw) };
    const mask = { type: "int64", dims: [1, 4], data: BigInt64Array.of(1n, 1n, 1n, 0n) };
    yield { id, feeds: { x, mask } };
  }
}
export function score({ y }, sample, float) {
  let sum = 0;
  for (let at = 0; at < 24; at += 1) sum += (y.data[at] - float.y.data[at]) ** 2;
  return -sum;
}
`;

const lines = new CommandLines(() => folder);
afterAll(() => lines.dispose());

const distill = (...args: readonly string[]): Promise<Ended> => lines.run(["distill", ...args]);
const common = ["--teacher", "teacher.onnx", "--data", "places.mjs"];

describe("pare distill --student", () => {
  it("cuts the teacher to half of its layers, and teaches what is left its means over places", async () => {
    const how = ["--signal", "y=mse", "--mean-over", "mask", "--epochs", "30", "--rate", "0.01"];
    const { code, stdout, stderr } = await distill(
      ...common,
      "--student",
      "depth=0.5",
      "--freeze",
      "0.up.*",
      "--json",
      ...how,
    );
    expect(stderr).toContain(
      "The student is the teacher, layer 1 of 4 left out, layer 2 of 4 left out: 384 of 848 parameters.",
    );
    expect(code).toBe(0);
    const { file, accuracy, before, after } = JSON.parse(stdout);
    expect(file).toBe("teacher.distilled.onnx");
    expect(after.nodes).toBeLessThan(before.nodes);
    expect(accuracy.teacher.value).toBeCloseTo(0);
    expect(accuracy.after.value).toBeGreaterThan(accuracy.before.value / 2);
    const taught = await decodeModel(
      {
        proto: byteSource(new Uint8Array(await readFile(join(folder, file)))),
        external: new Map(),
      },
      { infer: inferNode },
    );
    const names = [...taught.allValues()].flatMap(({ name, constant }) =>
      constant?.dims.length === 2 ? [name] : [],
    );
    expect(names.sort()).toEqual(["0.down.w", "0.up.w", "3.down.w", "3.up.w"]);
  });

  it("cuts the channels of every layer", async () => {
    const { code, stderr } = await distill(
      ...common,
      "--student",
      "width=0.5",
      "depth=0.5",
      "--epochs",
      "1",
      "-o",
      "narrow.onnx",
    );
    // Of 12 hidden channels 6 are left; the stream's 8 go to the output. Biases of 0 went before.
    expect(stderr).toContain("layer 2 of 4 left out: 192 of 848 parameters.");
    expect(code).toBe(0);
  });

  it("lets samples choose the layers", async () => {
    const { code, stderr } = await distill(
      ...common,
      "--student",
      "layers=3",
      "by=influence",
      "--epochs",
      "1",
      "-o",
      "chosen.onnx",
    );
    expect(stderr).toMatch(/The student is the teacher, layer \d of 4 left out: /);
    expect(code).toBe(0);
  });

  it.each<[string, readonly string[], RegExp]>([
    [
      "more layers than there are",
      [...common, "--student", "layers=9"],
      /The model has 4 layers that repeat/,
    ],
    [
      "no layers",
      ["--teacher", fixture("models/mnist-cnn.onnx"), "--data", digits, "--student", "layers=2"],
      /The model has no layers that repeat/,
    ],
    [
      "a cut of nothing",
      ["--data", "places.mjs", "--student", "depth=0.5"],
      /The student is a part of the teacher, and there is no teacher/,
    ],
    [
      "signals of nobody",
      ["--student", "teacher.onnx", "--data", "places.mjs", "--signal", "y=mse"],
      /--signal needs --teacher/,
    ],
    [
      "means of no signals",
      [...common, "--student", "layers=2", "--mean-over", "mask"],
      /--mean-over is of signals/,
    ],
    [
      "a loss that there is not",
      [...common, "--student", "layers=2", "--signal", "y=angle"],
      /distill\.signals\[0\]\.loss is "angle"/,
    ],
    [
      "a mask that there is not",
      [...common, "--student", "layers=2", "--signal", "y=mse", "--mean-over", "muzzle"],
      /There is no input "muzzle"/,
    ],
  ])("says what is wrong: %s", async (_, args, message) => {
    const { code, stderr } = await distill(...args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});
