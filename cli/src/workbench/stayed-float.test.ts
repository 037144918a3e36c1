import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  build,
  encodeModel,
  inferNode,
  newHeader,
  type Step,
  Tensor,
  tensorType,
} from "@pare/compiler";
import { byteSource } from "@pare/runtime/format";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createOutput } from "../terminal/output.js";
import { openModelSource } from "./opened-model.js";
import { writeSteps } from "./run-steps.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-stayed-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Rows of a table times a matrix. */
async function quantized(rows: number, steps: readonly Step[]) {
  const floats = (...dims: number[]): Tensor =>
    Tensor.float32(
      dims,
      Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => Math.sin(i)),
    );
  const graph = build(newHeader(21), inferNode, (editor) => {
    const ids = editor.addInput("ids", tensorType("int64", [4]));
    const table = editor.constant("table", floats(rows, 32));
    const row = editor.add1("Gather", [table, ids]);
    editor.addOutput(editor.add1("MatMul", [row, editor.constant("w", floats(32, 512))]));
  });
  const { proto } = await encodeModel(graph);
  const source = { name: "m.onnx", main: byteSource(proto), beside: new Map() };
  const model = await openModelSource("m.onnx", source, { shapes: {}, dims: {}, constants: {} });
  const notes: string[] = [];
  const say = { ...createOutput({ quiet: true }), note: (text: string) => void notes.push(text) };
  const { signal } = new AbortController();
  const output = join(folder, "out.onnx");
  const { document } = await writeSteps({
    model,
    steps,
    output,
    say,
    signal,
    suffix: "",
    check: false,
  });
  return { notes, document };
}

it("says of weights that are much of the file that they stayed float, why, and what to do", async () => {
  const { notes, document } = await quantized(256, [{ use: "quantize-dynamic" }]);
  expect(notes).toEqual([
    expect.stringMatching(
      /^32\.8 kB of weights, \d+ % of the file, stayed float32: Gather 32\.8 kB \(.*integers\)\. pare quantize .*out\.onnx --mode weights /,
    ),
  ]);
  expect(document).toMatchObject({ floatWeights: [{ op: "Gather", bytes: 32_768 }] });
});

it("gives the reason that the step gave", async () => {
  const keepFloat = { ops: ["MatMul"] };
  const { notes } = await quantized(256, [{ use: "quantize-dynamic", with: { keepFloat } }]);
  expect(notes.at(-1)).toMatch(/MatMul 65\.5 kB \(it was asked to stay float\), Gather 32\.8 kB/);
});

it("does not where all is stored small, where it is little, or where nothing is quantized", async () => {
  const both = await quantized(256, [{ use: "quantize-dynamic" }, { use: "quantize-weights" }]);
  expect(both.notes).toEqual([]);
  expect((await quantized(8, [{ use: "quantize-dynamic" }])).notes).toEqual([]);
  const simplified = await quantized(256, [{ use: "simplify" }]);
  expect(simplified.notes).toEqual([]);
  expect(simplified.document).not.toHaveProperty("floatWeights");
});
