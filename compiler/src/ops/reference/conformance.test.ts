import { byteSource, type Dtype, isPareError, type Tensor as Dense } from "@pare/runtime/format";
import { afterAll, describe, expect, test } from "vitest";
import { backendTests } from "../../../../fixtures/scripts/backend-tests.mjs";
import { edit, isStatic, Tensor } from "../../ir/index.js";
import type { Graph, ValueId } from "../../ir/index.js";
import { decodeModel, decodeTensor, readMessage } from "../../onnx/index.js";
import { normalizeGraph } from "../../passes/normalize.js";
import { unpack } from "../elements/arrays.js";
import { evaluateGraph } from "./execute.js";
import { inferAll, inferNode } from "../shape/infer.js";
import { operatorOf } from "../table.js";

/** Tests of what is random, which give one draw. */
const random = /^test_(bernoulli|training_dropout_(?!zero))|^test_training_dropout$/;

/** Tests that are not run, and why. */
const known = new Map<string, string>([
  ...["2D_int8_float16", "2D_int8_float32", "3D_int8_float16", "3D_int8_float32"].map(
    (kind) =>
      [
        `test_qlinearmatmul_${kind}`,
        "expected values wrapped around instead of saturating",
      ] as const,
  ),
  ...["gridsample_bicubic", "roialign_aligned_false", "roialign_aligned_true"].map(
    (name) => [`test_${name}`, "expected values have four digits"] as const,
  ),
]);

const skipped = new Map<string, string[]>();
let checked = 0;

function skip(reason: string, name: string): void {
  skipped.set(reason, [...(skipped.get(reason) ?? []), name]);
}

async function tensorsOf(files: readonly Uint8Array[]): Promise<Tensor[]> {
  const tensors: Tensor[] = [];
  for (const bytes of files) {
    const proto = await readMessage("TensorProto", byteSource(bytes));
    tensors.push(await decodeTensor(proto, new Map(), "test"));
  }
  return tensors;
}

async function dense(tensor: Tensor): Promise<Dense> {
  return { type: tensor.dtype, dims: tensor.dims, data: await tensor.read() };
}

/** The files hold bfloat16 as uint16. */
function declared(tensor: Tensor, graph: Graph, id: ValueId | undefined): Tensor {
  if (id === undefined) return tensor;
  const { type } = graph.value(id);
  const isBfloat = type.kind === "tensor" && type.dtype === "bfloat16" && tensor.dtype === "uint16";
  return isBfloat && tensor.data !== undefined
    ? Tensor.of("bfloat16", tensor.dims, tensor.data)
    : tensor;
}

/** Why a test cannot be run here, or undefined. */
function obstacle(graph: Graph): string | undefined {
  for (const node of graph.allNodes()) {
    const operator = operatorOf(node);
    const label = `${node.domain}::${node.op}`;
    if (operator === undefined) return `not known: ${label}`;
    const isControl = operator.traits.bodies !== undefined;
    if (operator.reference === undefined && !isControl) return `no evaluation: ${label}`;
  }
  const values = [...graph.main.inputs, ...graph.main.outputs].map(
    (id) => graph.value(id).type.kind,
  );
  return values.every((kind) => kind === "tensor") ? undefined : "sequence or optional";
}

/** Relative, where not 1e-5. Some bfloat16 files were rounded towards zero, which engines do not do. */
const tolerances: Partial<Record<Dtype, number>> = { float16: 1e-3, bfloat16: 2 ** -7 };

function expectClose(actual: Dense | undefined, expected: Dense, name: string): void {
  expect(actual?.type, name).toBe(expected.type);
  expect(actual?.dims, name).toEqual(expected.dims);
  if (actual === undefined) return;
  if (expected.type === "string") {
    expect(actual.data, name).toEqual(expected.data);
    return;
  }
  const [a, b] = [unpack(actual), unpack(expected)];
  const tolerance = tolerances[expected.type] ?? 1e-5;
  for (let i = 0; i < b.length; i += 1) {
    const [x, y] = [Number(a[i]), Number(b[i])];
    if (Object.is(x, y) || x === y) continue;
    if (!(Math.abs(x - y) <= 1e-7 + tolerance * Math.abs(y))) {
      throw new Error(`${name}[${i}]: ${x}, but ${y} was expected`);
    }
  }
}

const tests = await backendTests();

describe("ONNX's own operator tests", () => {
  test.each(tests.map((entry) => [entry.name, entry] as const))("%s", async (name, entry) => {
    const reason = known.get(name);
    if (reason !== undefined) return skip(reason, name);
    const graph = await decodeModel({ proto: byteSource(entry.model) }, { infer: inferNode });
    if (!graph.header.opsets.has("")) return skip("no operator of ai.onnx", name);
    try {
      normalizeGraph(graph);
    } catch (error) {
      if (isPareError(error) && error.code === "UNSUPPORTED_OP")
        return skip("refused on its way to opset 21", name);
      throw error;
    }
    const why = random.test(name) ? "random" : obstacle(graph);
    if (why !== undefined) return skip(why, name);
    for (const set of entry.sets) {
      const inputs = (await tensorsOf(set.inputs)).map((tensor, index) =>
        declared(tensor, graph, graph.main.inputs[index]),
      );
      const outputs = (await tensorsOf(set.outputs)).map((tensor, index) =>
        declared(tensor, graph, graph.main.outputs[index]),
      );
      const feeds: Record<string, Dense> = {};
      for (const [index, id] of graph.main.inputs.entries()) {
        const input = inputs[index];
        if (input !== undefined) feeds[graph.value(id).name] = await dense(input);
      }
      const results = await evaluateGraph(graph, feeds);
      const expected = await Promise.all(outputs.map(dense));
      graph.main.outputs.forEach((id, index) => {
        const { name: output } = graph.value(id);
        const right = expected[index];
        if (right !== undefined) expectClose(results[output], right, output);
      });
      expectInferred(graph, inputs, expected);
      checked += 1;
    }
  });
});

/** With every input a constant, types, shapes and integers must be as they are in fact. */
function expectInferred(
  original: Graph,
  inputs: readonly Tensor[],
  outputs: readonly Dense[],
): void {
  const graph = original.fork();
  edit(
    graph,
    "bind",
    (editor) => {
      for (const [index, id] of [...graph.main.inputs].entries()) {
        const input = inputs[index];
        if (input !== undefined) {
          editor.setConstant(id, input);
          editor.removeInputs([id]);
        }
      }
    },
    { interface: true },
  );
  inferAll(graph);
  graph.main.outputs.forEach((id, index) => {
    const expected = outputs[index];
    const producer = graph.producer(id);
    if (expected === undefined || producer === undefined) return;
    const inferred = inferNode(graph, producer)[producer.outputs.indexOf(id)];
    expect(inferred?.type.kind, "inferred").toBe("tensor");
    if (inferred?.type.kind !== "tensor") return;
    expect(inferred.type.dtype).toBe(expected.type);
    const { shape } = inferred.type;
    expect(shape?.length, "inferred rank").toBe(expected.dims.length);
    shape?.forEach((size, axis) => {
      if (typeof size === "number") expect(size, `inferred axis ${axis}`).toBe(expected.dims[axis]);
    });
    if (inferred.elements !== undefined && isStatic(inferred.elements)) {
      expect(inferred.elements).toEqual(Array.from(unpack(expected), Number));
    }
  });
}

afterAll(() => {
  // Skips must not grow in silence.
  expect(checked).toBeGreaterThanOrEqual(1074);
  const reasons = [...skipped].sort((a, b) => b[1].length - a[1].length);
  const total = reasons.reduce((sum, [, names]) => sum + names.length, 0);
  console.log(
    `${checked} sets checked; ${total} tests skipped:\n${reasons.map(([reason, names]) => `  ${names.length} ${reason}`).join("\n")}`,
  );
});
